"""The mathematics, one concept per file, one equation per line. Read in this order:

activations, one_sequence (the loop as papers print it), lstm (the batch), sequences (lengths, padding, the flip),
bidirectional, embedding and affine (symbols in, scores out), losses, weighted_losses, pooling (many to one). Then the
other cells: rnn, gru, lstm_variants, layer_norm and layer_norm_lstm (one step each), recurrence (any of them through
time, in both directions), other_activations (with a relu or a hard sigmoid), and rtrl (the LSTM's gradients without a
way back). And what stands around training: stacked (layers upon one another), truncated (long sequences), dropout,
clipping, gradient_check. For labels of which nobody knows when they are: log_space, ctc, ctc_decoding. From one
sequence to another: attention, decoder. For labels that depend on their neighbours: crf, tag_schemes (which tag may
follow which). What needs no loop over time: min_rnn.

All of it is pure functions with explicit caches:

    out, cache = thing_forward(inputs..., params)
    d_inputs, grads = thing_backward(d_out, cache)
"""

from npbilstm.textbook.activations import (
    hard_sigmoid,
    hard_sigmoid_derivative,
    hard_sigmoid_sixth,
    hard_sigmoid_sixth_derivative,
    relu,
    relu_derivative,
    sigmoid,
    sigmoid_derivative,
    tanh,
    tanh_derivative,
)
from npbilstm.textbook.affine import AffineCache, affine_backward, affine_forward
from npbilstm.textbook.attention import (
    AdditiveAttentionCache,
    AdditiveAttentionParams,
    DotAttentionCache,
    additive_attention_backward,
    additive_attention_forward,
    dot_attention_backward,
    dot_attention_forward,
)
from npbilstm.textbook.bidirectional import BiLSTMCache, BiLSTMParams, bilstm_backward, bilstm_forward
from npbilstm.textbook.clipping import clipped_gradients, clipping_factor
from npbilstm.textbook.crf import (
    CRFCache,
    CRFParams,
    crf_backward,
    crf_constrained,
    crf_forward,
    crf_log_alpha,
    crf_log_beta,
    crf_marginals,
    crf_score,
    crf_viterbi,
)
from npbilstm.textbook.ctc import CTCCache, ctc_backward, ctc_forward
from npbilstm.textbook.ctc_decoding import ctc_beam, ctc_greedy
from npbilstm.textbook.decoder import (
    DecoderCache,
    DecoderParams,
    DecoderStepCache,
    decoder_backward,
    decoder_forward,
    decoder_step_backward,
    decoder_step_forward,
)
from npbilstm.textbook.dropout import (
    DropoutCache,
    dropout_over_time_backward,
    dropout_over_time_forward,
    mask_from_uniform,
)
from npbilstm.textbook.embedding import EmbeddingCache, embedding_backward, embedding_forward
from npbilstm.textbook.gradient_check import backward_is_right
from npbilstm.textbook.gru import (
    GRUParams,
    GRUResetBeforeParams,
    GRUResetBeforeStepCache,
    GRUStepCache,
    gru_reset_before_step_backward,
    gru_reset_before_step_forward,
    gru_step_backward,
    gru_step_forward,
)
from npbilstm.textbook.layer_norm import LayerNormCache, layer_norm_backward, layer_norm_forward
from npbilstm.textbook.layer_norm_lstm import (
    LayerNormLSTMParams,
    LayerNormLSTMStepCache,
    layer_norm_lstm_step_backward,
    layer_norm_lstm_step_forward,
)
from npbilstm.textbook.losses import (
    BinaryCrossEntropyCache,
    CrossEntropyCache,
    SquaredErrorCache,
    binary_cross_entropy_backward,
    binary_cross_entropy_forward,
    mean_squared_error_backward,
    mean_squared_error_forward,
    softmax_cross_entropy_backward,
    softmax_cross_entropy_forward,
)
from npbilstm.textbook.lstm import (
    LSTMCache,
    LSTMParams,
    LSTMStepCache,
    lstm_backward,
    lstm_forward,
    lstm_step_backward,
    lstm_step_forward,
)
from npbilstm.textbook.lstm_variants import (
    LSTMVariantParams,
    LSTMVariantStepCache,
    lstm_variant_step_backward,
    lstm_variant_step_forward,
)
from npbilstm.textbook.min_rnn import (
    MinGRUParams,
    MinLSTMParams,
    MinRNNCache,
    min_gru_backward,
    min_gru_forward,
    min_lstm_backward,
    min_lstm_forward,
    recurrence_loop,
    recurrence_scan,
)
from npbilstm.textbook.one_sequence import (
    GateParams,
    fuse,
    sequence_bilstm_backward,
    sequence_bilstm_forward,
    sequence_lstm_backward,
    sequence_lstm_forward,
)
from npbilstm.textbook.other_activations import with_activations
from npbilstm.textbook.pooling import (
    MaxCache,
    MeanCache,
    max_over_steps_backward,
    max_over_steps_forward,
    mean_over_steps_backward,
    mean_over_steps_forward,
)
from npbilstm.textbook.recurrence import (
    BidirectionalRecurrentCache,
    RecurrentCache,
    bidirectional_recurrent_backward,
    bidirectional_recurrent_forward,
    recurrent_backward,
    recurrent_forward,
)
from npbilstm.textbook.rnn import (
    RNNParams,
    RNNStepCache,
    rnn_relu_step_backward,
    rnn_relu_step_forward,
    rnn_step_backward,
    rnn_step_forward,
)
from npbilstm.textbook.rtrl import RTRLState, lstm_rtrl, rtrl_gradient, rtrl_start, rtrl_step
from npbilstm.textbook.sequences import check_lengths, flip, valid_steps
from npbilstm.textbook.stacked import StackedCache, stacked_lstm_backward, stacked_lstm_forward
from npbilstm.textbook.tag_schemes import legal_transitions
from npbilstm.textbook.truncated import TruncatedCache, truncated_backward, truncated_forward
from npbilstm.textbook.weighted_losses import (
    WeightedCrossEntropyCache,
    counted_steps,
    weighted_cross_entropy_backward,
    weighted_cross_entropy_forward,
)

__all__ = [
    "AdditiveAttentionCache",
    "AdditiveAttentionParams",
    "AffineCache",
    "BiLSTMCache",
    "BiLSTMParams",
    "BidirectionalRecurrentCache",
    "BinaryCrossEntropyCache",
    "CRFCache",
    "CRFParams",
    "CTCCache",
    "CrossEntropyCache",
    "DecoderCache",
    "DecoderParams",
    "DecoderStepCache",
    "DotAttentionCache",
    "DropoutCache",
    "EmbeddingCache",
    "GRUParams",
    "GRUResetBeforeParams",
    "GRUResetBeforeStepCache",
    "GRUStepCache",
    "GateParams",
    "LSTMCache",
    "LSTMParams",
    "LSTMStepCache",
    "LSTMVariantParams",
    "LSTMVariantStepCache",
    "LayerNormCache",
    "LayerNormLSTMParams",
    "LayerNormLSTMStepCache",
    "MaxCache",
    "MeanCache",
    "MinGRUParams",
    "MinLSTMParams",
    "MinRNNCache",
    "RNNParams",
    "RNNStepCache",
    "RTRLState",
    "RecurrentCache",
    "SquaredErrorCache",
    "StackedCache",
    "TruncatedCache",
    "WeightedCrossEntropyCache",
    "additive_attention_backward",
    "additive_attention_forward",
    "affine_backward",
    "affine_forward",
    "backward_is_right",
    "bidirectional_recurrent_backward",
    "bidirectional_recurrent_forward",
    "bilstm_backward",
    "bilstm_forward",
    "binary_cross_entropy_backward",
    "binary_cross_entropy_forward",
    "check_lengths",
    "clipped_gradients",
    "clipping_factor",
    "counted_steps",
    "crf_backward",
    "crf_constrained",
    "crf_forward",
    "crf_log_alpha",
    "crf_log_beta",
    "crf_marginals",
    "crf_score",
    "crf_viterbi",
    "ctc_backward",
    "ctc_beam",
    "ctc_forward",
    "ctc_greedy",
    "decoder_backward",
    "decoder_forward",
    "decoder_step_backward",
    "decoder_step_forward",
    "dot_attention_backward",
    "dot_attention_forward",
    "dropout_over_time_backward",
    "dropout_over_time_forward",
    "embedding_backward",
    "embedding_forward",
    "flip",
    "fuse",
    "gru_reset_before_step_backward",
    "gru_reset_before_step_forward",
    "gru_step_backward",
    "gru_step_forward",
    "hard_sigmoid",
    "hard_sigmoid_derivative",
    "hard_sigmoid_sixth",
    "hard_sigmoid_sixth_derivative",
    "layer_norm_backward",
    "layer_norm_forward",
    "layer_norm_lstm_step_backward",
    "layer_norm_lstm_step_forward",
    "legal_transitions",
    "lstm_backward",
    "lstm_forward",
    "lstm_rtrl",
    "lstm_step_backward",
    "lstm_step_forward",
    "lstm_variant_step_backward",
    "lstm_variant_step_forward",
    "mask_from_uniform",
    "max_over_steps_backward",
    "max_over_steps_forward",
    "mean_over_steps_backward",
    "mean_over_steps_forward",
    "mean_squared_error_backward",
    "mean_squared_error_forward",
    "min_gru_backward",
    "min_gru_forward",
    "min_lstm_backward",
    "min_lstm_forward",
    "recurrence_loop",
    "recurrence_scan",
    "recurrent_backward",
    "recurrent_forward",
    "relu",
    "relu_derivative",
    "rnn_relu_step_backward",
    "rnn_relu_step_forward",
    "rnn_step_backward",
    "rnn_step_forward",
    "rtrl_gradient",
    "rtrl_start",
    "rtrl_step",
    "sequence_bilstm_backward",
    "sequence_bilstm_forward",
    "sequence_lstm_backward",
    "sequence_lstm_forward",
    "sigmoid",
    "sigmoid_derivative",
    "softmax_cross_entropy_backward",
    "softmax_cross_entropy_forward",
    "stacked_lstm_backward",
    "stacked_lstm_forward",
    "tanh",
    "tanh_derivative",
    "truncated_backward",
    "truncated_forward",
    "valid_steps",
    "weighted_cross_entropy_backward",
    "weighted_cross_entropy_forward",
    "with_activations",
]
