"""The exercises, in an order in which each builds on those before it, and needs none that comes after.

Whoever has not done the earlier ones calls the textbook's functions in their place.
"""

from __future__ import annotations

from npbilstm.classroom.exercise import Exercise

LENGTHS = frozenset({"lengths"})

ALL = (
    Exercise(
        "activations",
        "Activations and their slopes",
        ("sigmoid", "sigmoid_derivative", "tanh", "tanh_derivative"),
        20,
        4,
        "Every gate is a sigmoid and every candidate a tanh. Write both, and their derivatives, which are given the "
        "functions' outputs: the forward pass has those at hand.",
        "A slope written by the output needs nothing computed anew; whether it is given s or a is the first trap.",
    ),
    Exercise(
        "softmax_loss",
        "Softmax and cross-entropy, with a mask",
        ("softmax_cross_entropy_forward", "softmax_cross_entropy_backward"),
        45,
        10,
        "The loss of a tagger, and its gradient. Rows are padded: what stands behind a row's length is no part of the "
        "sum, nor of the number that it is divided by. valid_steps makes the mask of the lengths.",
        "Softmax minus one-hot; why the mean is over valid steps; how exp is kept from overflowing.",
    ),
    Exercise(
        "rnn_step",
        "One step of a plain RNN, forward and backward",
        ("rnn_step_forward", "rnn_step_backward"),
        30,
        8,
        "The smallest recurrent cell, and the pattern of all that follow: outputs and a cache out, gradients back. "
        "mask is None here.",
        "Chain rule with matrices: which product is transposed, what is summed over the rows, and what a cache holds.",
        quoted=("step_backward",),
    ),
    Exercise(
        "bptt",
        "Backpropagation through time",
        ("recurrent_forward", "recurrent_backward"),
        60,
        12,
        "Take a step through time, any cell's, and bring the gradient back. All rows are of full length here, and "
        "mask is None; what padding changes comes later.",
        "The state's gradient has two sources, the loss at t and the step after; the weights' gradients add up.",
        LENGTHS,
    ),
    Exercise(
        "truncated_bptt",
        "Truncated backpropagation through time",
        ("truncated_forward", "truncated_backward"),
        40,
        8,
        "A long sequence in windows of so many steps: the state goes on from window to window, its gradient does not. "
        "recurrent_forward and recurrent_backward do each window.",
        "What is cut and what is not; why a gradient check says that the result is wrong, and is right.",
    ),
    Exercise(
        "lstm_step_forward",
        "One step of an LSTM, forward",
        ("lstm_step_forward",),
        30,
        8,
        "Four gates out of one product, the cell, and what is shown of it. The blocks stand in the order i, f, g, o.",
        "What each gate is for, and that the candidate is not a gate; h and c are of one shape and easily exchanged.",
    ),
    Exercise(
        "lstm_step_backward",
        "One step of an LSTM, backward",
        ("lstm_step_backward",),
        60,
        15,
        "The gradients of that step. The cell is seen twice, by the next step and through h: dc is what comes from "
        "both. The cache is the textbook's, or your own where you put your lstm_step_forward beside it.",
        "The order of the equations, each gate's slope, and the cell's way back, which no matrix multiplies.",
    ),
    Exercise(
        "lstm_over_time",
        "An LSTM over time",
        ("lstm_forward", "lstm_backward"),
        45,
        12,
        "The loop over time, with two states to carry on and two gradients to carry back. All rows are of full "
        "length here: lengths is None or T for every row.",
        "Both carries, the gradients of the final state, and that a sum over time is no overwriting.",
        LENGTHS,
    ),
    Exercise(
        "flip",
        "A flip that knows lengths",
        ("flip",),
        20,
        5,
        "Turn each row's valid steps round, and leave its padding where it is.",
        "Why x[:, ::-1] is wrong for a padded batch; indexing with an array of rows and one of steps.",
    ),
    Exercise(
        "padding",
        "Padding: rows of unequal length",
        ("lstm_forward", "lstm_backward"),
        45,
        12,
        "Your loop over time again, and now rows end before T, or are empty. Begin with what you wrote in "
        "lstm_over_time: at a padded step the state is held, and its gradient passes through.",
        "A mask in the forward pass needs its twin in the backward pass; what stands in the padding, NaN even, is "
        "never seen.",
    ),
    Exercise(
        "bidirectional_forward",
        "Two directions, forward",
        ("bilstm_forward",),
        30,
        8,
        "Flip in, run, flip out, and join what both directions know at each step.",
        "Time-aligned outputs; where the final state of the reverse direction stands.",
    ),
    Exercise(
        "bidirectional_backward",
        "Two directions, backward",
        ("bilstm_backward",),
        30,
        8,
        "Take dy apart, and go back through either direction. The cache is the textbook's, or your own where you put "
        "your bilstm_forward beside it.",
        "A flip is its own backward; both directions read x, so its gradient is a sum.",
    ),
    Exercise(
        "stacked",
        "Layers upon one another",
        ("stacked_lstm_forward", "stacked_lstm_backward"),
        30,
        8,
        "Each layer reads what the one below puts out. lstm_forward and lstm_backward do each layer.",
        "A layer's dx is the dh of the one below; each layer has states, and gradients of final states, of its own.",
    ),
    Exercise(
        "embedding_and_scores",
        "What stands around it: an embedding below, scores above",
        ("embedding_forward", "embedding_backward", "affine_forward", "affine_backward"),
        40,
        8,
        "A tagger looks its symbols up in a table, and makes scores of hidden states by one affine map, the same at "
        "every step. Write both, and their gradients.",
        "A symbol that occurs twice adds up its gradient, which dW[ids] += dx does not; sums run over rows and steps.",
    ),
    Exercise(
        "gru",
        "The GRU, in both its forms",
        (
            "gru_step_forward",
            "gru_step_backward",
            "gru_reset_before_step_forward",
            "gru_reset_before_step_backward",
        ),
        90,
        16,
        "One step of a GRU: with the reset gate after the product, as libraries have it, and before it, as in the "
        "paper. mask is None here.",
        "Two forms of one name are two functions; the update gate is on two ways, the old state on three.",
    ),
    Exercise(
        "clipping",
        "Clipping, and why the check then fails",
        ("clipping_factor", "clipped_gradients"),
        25,
        6,
        "Make gradients shorter that are too long, all by one factor. Then clip within a backward pass that was right, "
        "ask nb.check_pair about it, and explain the ratio that it finds in every entry.",
        "One norm of all, one factor for all. A clipped gradient is no derivative: check first, clip afterwards.",
    ),
    Exercise(
        "dropout",
        "Dropout's mask",
        ("mask_from_uniform", "dropout_over_time_forward", "dropout_over_time_backward"),
        20,
        6,
        "Make a mask of random numbers, and use it: the same at every step of a row, and the same on the way back.",
        "What is kept is made larger at once; what was dropped has no part in the gradient. A check needs one mask.",
    ),
    Exercise(
        "gradient_checker",
        "The gradient checker itself",
        ("backward_is_right",),
        60,
        15,
        "Say whether a backward pass is right, by central differences. It is tried on passes that are right and must "
        "be accepted, and on wrong ones that must be rejected; some give x as float32, or a view of x, or are right "
        "for an upstream gradient of ones alone.",
        "What makes a check believable: float64, fresh copies, random upstream gradients, every entry, a fair bound.",
        quoted=("numerical_gradient",),
    ),
    Exercise(
        "attention",
        "Attention, of both kinds",
        (
            "dot_attention_forward",
            "dot_attention_backward",
            "additive_attention_forward",
            "additive_attention_backward",
        ),
        75,
        14,
        "A decoder asks, and takes a mean of what an encoder put out, weighted by a softmax over the steps that there "
        "are. Write it with the score that needs no weights, and with the score that is a small network.",
        "A softmax with a mask, and its gradient; a key is seen twice, in the mean and in its score, and so is a "
        "weight that the loss sees too.",
        quoted=("softmax_over_steps", "softmax_over_steps_backward"),
    ),
    Exercise(
        "crf",
        "A conditional random field: its loss, and the Viterbi algorithm",
        (
            "crf_score",
            "crf_log_alpha",
            "crf_forward",
            "crf_log_beta",
            "crf_marginals",
            "crf_backward",
            "crf_viterbi",
        ),
        120,
        21,
        "A score for a whole sequence of classes, and its probability among all of them. Write the target's score and "
        "the log-sum of all, which make the loss; the algorithm that goes the other way and the marginals, which make "
        "its gradient; and the best sequence.",
        "A sum over V^T sequences takes T steps of V^2; the gradient of log Z is an expectation; with a maximum for "
        "the log-sum the same loop finds the best, if one keeps where each maximum came from.",
        quoted=("log_sum_exp",),
    ),
    Exercise(
        "ctc",
        "Connectionist temporal classification",
        ("ctc_forward", "ctc_backward"),
        90,
        16,
        "The loss of labels of which nobody knows when they are, and its gradient: the sum over all alignments that "
        "read as the labels. Rows may have steps or labels fewer than T and U, or none.",
        "Blanks, and when one may be stepped over; sums of products so small that only their logarithms can be kept; "
        "the gradient is softmax minus what the labels say of the step.",
        quoted=("ctc_log_alpha", "ctc_log_beta", "log_sum_exp"),
    ),
)


def number_of(exercise: Exercise) -> int:
    """The place of an exercise, from 1, in whatever form."""
    return list(EXERCISES).index(exercise.name) + 1


EXERCISES: dict[str, Exercise] = {exercise.name: exercise for exercise in ALL}
"""Every exercise by its name, in their order."""


def exercises_named(names: list[str] | None) -> list[Exercise]:
    """The exercises of these names, in their order; all where no names are given. Raises ValueError for a name that
    none has."""
    for name in names or ():
        if name not in EXERCISES:
            raise ValueError(f"there is no exercise {name!r}; there are {', '.join(EXERCISES)}")
    return [exercise for exercise in ALL if not names or exercise.name in names]
