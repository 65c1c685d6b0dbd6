"""From one sequence to another: a bidirectional encoder, and a decoder that looks at what it read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from npbilstm.layers.checks import is_real, require_bool, require_ids, require_rng, require_size
from npbilstm.layers.embedding import Embedding, EmbeddingCache
from npbilstm.layers.layer import Layer, join, require_own
from npbilstm.layers.linear import Linear, LinearCache
from npbilstm.layers.lstm import BiLSTM
from npbilstm.layers.padding import pad
from npbilstm.layers.stack import RecurrentLayerCache
from npbilstm.models.attention_decoder import AttentionDecoder, AttentionDecoderCache, Memory, State
from npbilstm.models.decoding import Answer, beam_search, greedy
from npbilstm.models.model import Model, Sequences, require_finite_outputs
from npbilstm.models.options import Attention
from npbilstm.models.reading import read_forward
from npbilstm.textbook.losses import softmax_cross_entropy_backward, softmax_cross_entropy_forward
from npbilstm.textbook.sequences import check_lengths, valid_steps

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike


MOST_PENALTY = 10
"""The largest power of its length that a score is divided by; a larger one would leave nothing but the length."""


class EncoderCache(NamedTuple):
    """What the way back through the encoder needs; bridged: h0 (N, H) of the decoder, a tanh."""

    embedding: EmbeddingCache | None
    recurrent: RecurrentLayerCache
    bridge: LinearCache
    bridged: np.ndarray


class Seq2SeqCache(NamedTuple):
    """One forward pass: the caches of the parts."""

    layer: Seq2Seq
    kept: bool
    encoder: EncoderCache
    target_embedding: EmbeddingCache
    decoder: AttentionDecoderCache
    linear: LinearCache
    loss: Any

    def __repr__(self) -> str:
        N, T = self.decoder.valid.shape
        return f"<cache of {self.layer!r}, {N} answers of up to {T} steps, training={self.kept}>"


class Seq2Seq(Model):
    """A sequence of symbols in, another out:

        encoder   Embedding -> BiLSTM of hidden_size units a direction: its outputs are the keys (N, S, E), E = 2
                  hidden_size, and its final states, through the bridge, a Linear, the decoder's first:
                  [a, c0] = bridge of [h_forward, h_reverse, c_forward, c_reverse], h0 = tanh(a)
        decoder   Embedding -> LSTM of E units that reads the symbol before and the context, and looks at the keys after
                  each step (textbook/decoder.py) -> Linear of [h, context]: the scores of the next symbol

    One symbol more than the answers have, number num_targets, stands between answers: it is read first, and put out
    last. In training the decoder reads what it should have put out (teacher forcing).

    num_symbols: how many symbols sources have; num_targets: how many answers have. attention: "additive", "dot", or
    None: then the decoder has the final states alone. embedding_size, hidden_size, dtype: as the layers take them.
    rng: a seed or generator for the weights.

    params is a read-only view, as that of the other models.

    >>> model = nb.Seq2Seq(num_symbols=10, num_targets=10, hidden_size=8, rng=0)
    >>> ids, targets, lengths, target_lengths = model.collate([([1, 2, 3], [3, 2, 1]), ([4], [4])])
    >>> loss, cache = model.loss_forward(ids, targets, lengths, target_lengths, training=True)
    >>> grads = model.loss_backward(1.0, cache)
    >>> set(grads) == set(model.params), len(model.predict(ids, lengths))
    (True, 2)
    """

    metric = "whole_answers"
    predicts_per_step = False

    def __init__(
        self,
        num_symbols: int,
        num_targets: int,
        *,
        attention: Attention | None = "additive",
        embedding_size: int = 32,
        hidden_size: int = 64,
        dtype: DTypeLike = np.float32,
        rng: int | np.random.Generator | None = None,
    ) -> None:
        shared: dict[str, Any] = {"dtype": dtype, "rng": require_rng(rng)}
        self.attention: Attention | None = attention
        H = E = 2 * require_size("hidden_size", hidden_size)
        self.embedding = Embedding(require_size("num_symbols", num_symbols), embedding_size, **shared)
        self.encoder: BiLSTM[np.ndarray] = BiLSTM(embedding_size, hidden_size, **shared)
        self.bridge = Linear(2 * E, 2 * H, **shared)
        self.target_embedding = Embedding(require_size("num_targets", num_targets) + 1, embedding_size, **shared)
        looks = attention is not None
        self.decoder = AttentionDecoder(embedding_size, H, E if looks else 0, attention, **shared)
        self.linear = Linear(H + E if looks else H, num_targets + 1, **shared)

    @property
    def boundary(self) -> int:
        """The symbol that begins and ends every answer."""
        return self.linear.output_size - 1

    @property
    def parts(self) -> dict[str, Layer]:
        """The layers, under the names that their parameters begin with."""
        names = ("embedding", "encoder", "bridge", "target_embedding", "decoder", "linear")
        return {name: getattr(self, name) for name in names}

    @property
    def config(self) -> dict[str, Any]:
        """The arguments that make a model of this shape again: Seq2Seq(**model.config)."""
        return {
            "num_symbols": self.embedding.num_embeddings,
            "num_targets": self.boundary,
            "attention": self.attention,
            "embedding_size": self.embedding.embedding_size,
            "hidden_size": self.encoder.hidden_size,
            "dtype": str(self.linear.params["b"].dtype),
        }

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.config.items())})"

    def require_sequence(self, name: str, inputs: Any, targets: Any) -> None:
        """Raise TypeError or ValueError where these are not two sequences of ids (T,)."""
        for what, given, rows in [("ids", inputs, self.embedding.num_embeddings), ("targets", targets, self.boundary)]:
            ids = require_ids(f"{name}'s {what}", given, rows)
            if ids.ndim != 1:
                raise ValueError(f"{name}'s {what} has shape {ids.shape}; it needs one axis (T,)")

    def collate(self, sequences: Sequences) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Pairs of ids -> ids (N, S), targets (N, T), lengths and target_lengths (N,)."""
        ids, lengths = pad([ids for ids, _ in sequences])
        targets, target_lengths = pad([targets for _, targets in sequences])
        return ids, targets, lengths, target_lengths

    def encode(
        self, ids: ArrayLike, lengths: ArrayLike | None = None, training: bool = False
    ) -> tuple[Memory, State, EncoderCache]:
        """What the decoder looks at, and the state in which it starts. ids (N, S), lengths (N,) or None for all S."""
        dtype = self._require_params()
        x, embedding, valid = read_forward(self.embedding, self.encoder.input_size, dtype, ids, lengths)
        keys, final_state, recurrent = self.encoder.forward(x, lengths, training=training)
        memory, state, bridge = self.hand_over(keys, final_state, valid)
        return memory, state, EncoderCache(embedding, recurrent, bridge, state[0])

    def hand_over(
        self, keys: np.ndarray, final_state: tuple[np.ndarray, np.ndarray], valid: np.ndarray
    ) -> tuple[Memory, State, LinearCache]:
        """The second half of encode: the encoder's outputs (N, S, E) and final states, each (2, N, E / 2), valid (N, S)
        -> what the decoder looks at, the state in which it starts, the bridge's cache."""
        h_n, c_n = final_state
        ends, bridge = self.bridge.forward(np.concatenate([*h_n, *c_n], axis=1))  # (N, 2E) -> (N, 2H)
        h0, c0 = np.split(ends, 2, axis=1)
        state = (np.tanh(h0), c0, np.zeros((len(keys), self.decoder.key_size), keys.dtype))
        return self.decoder.read(keys, valid), state, bridge

    def loss_forward(  # type: ignore[override]
        self,
        ids: ArrayLike,
        targets: ArrayLike,
        lengths: ArrayLike | None = None,
        target_lengths: ArrayLike | None = None,
        *,
        training: bool = False,
        rng: int | np.random.Generator | None = None,
    ) -> tuple[np.floating, Seq2SeqCache]:
        """The mean cross-entropy of the answers' symbols, the one that ends them included -> loss, cache.

        ids (N, S), targets (N, T), lengths and target_lengths (N,) or None. rng: there is nothing to be drawn.
        Raises TypeError or ValueError, naming the argument.
        """
        training = require_bool("training", training)
        return self.answers_forward(*self.encode(ids, lengths, training), targets, target_lengths, training=training)

    def answers_forward(
        self,
        memory: Memory,
        state: State,
        encoder: EncoderCache,
        targets: ArrayLike,
        target_lengths: ArrayLike | None = None,
        *,
        training: bool = False,
    ) -> tuple[np.floating, Seq2SeqCache]:
        """loss_forward from what encode gives."""
        read, put_out, valid = self._shifted(targets, target_lengths, len(memory.valid))
        x, target_embedding = self.target_embedding.forward(read)
        y, _, decoder = self.decoder.forward(x, state, memory, valid)
        scores, linear = self.linear.forward(y)
        loss, loss_cache = softmax_cross_entropy_forward(scores, put_out, valid.sum(axis=1))
        return loss, Seq2SeqCache(self, training, encoder, target_embedding, decoder, linear, loss_cache)

    def _shifted(
        self, targets: ArrayLike, target_lengths: ArrayLike | None, N: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Answers (N, T) -> what the decoder reads, what it is to put out, both (N, T+1), and which steps are valid."""
        answers = np.asarray(targets)
        if answers.ndim != 2 or len(answers) != N:
            raise ValueError(f"targets has shape {answers.shape}; it needs (N, T), with N = {N}")
        T = answers.shape[1]
        ends = check_lengths(target_lengths, N, T)
        answers = require_ids("targets", np.where(valid_steps(ends, T), answers, 0), self.boundary)
        between = np.full((N, 1), self.boundary)
        read = np.concatenate([between, answers], axis=1)
        put_out = np.concatenate([answers, between], axis=1)
        put_out[np.arange(N), ends] = self.boundary
        return read, put_out, valid_steps(ends + 1, T + 1)

    def loss_backward(self, dloss: float, cache: Seq2SeqCache) -> dict[str, np.ndarray]:
        """The loss's gradient, given the scalar dloss (usually 1) -> grads with the names of params."""
        dkeys, dstate, grads = self.backward_to_encoder(dloss, cache)
        dx, encoder, _ = self.encoder.backward(dkeys, cache.encoder.recurrent, dstate)
        _, embedding = self.embedding.backward(dx, cache.encoder.embedding)  # type: ignore[arg-type]
        return join({"embedding": embedding, "encoder": encoder, **grads})

    def backward_to_encoder(
        self, dloss: float, cache: Seq2SeqCache
    ) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray], dict[str, dict[str, np.ndarray]]]:
        """loss_backward as far as the encoder: the gradients of its outputs and of its final states, and the grads of
        the parts after it."""
        require_own(self, cache)
        dy, linear = self.linear.backward(softmax_cross_entropy_backward(dloss, cache.loss), cache.linear)
        dx, (dh0, dc0, _), dkeys, decoder = self.decoder.backward(dy, cache.decoder)
        _, target_embedding = self.target_embedding.backward(dx, cache.target_embedding)
        bridged = cache.encoder.bridged
        dends = np.concatenate([dh0 * (1 - bridged * bridged), dc0], axis=1)
        dstates, bridge = self.bridge.backward(dends, cache.encoder.bridge)
        dh_n, dc_n = np.stack(np.split(dstates, 4, axis=1)).reshape(2, 2, len(dstates), -1)
        if not dkeys.shape[2]:  # nobody looked
            dkeys = np.zeros((*dkeys.shape[:2], 2 * self.encoder.hidden_size), dy.dtype)
        grads = {"bridge": bridge, "target_embedding": target_embedding, "decoder": decoder, "linear": linear}
        return dkeys, (dh_n, dc_n), grads

    def loss_weight(self, inputs: Any, targets: Any) -> float:
        """How many symbols it is to put out, the one that ends the answer included."""
        return len(targets) + 1.0

    def _step(self, symbols: np.ndarray, running: Any) -> tuple[np.ndarray, Any]:
        """One step of decoding: what was put out last -> the log-probabilities of the next, and what goes on."""
        state, memory = running
        state, _ = self.decoder.step(self.target_embedding.params["W"][symbols], state, memory)
        scores = np.concatenate([state[0], state[2]], axis=1) @ self.linear.params["W"] + self.linear.params["b"]
        require_finite_outputs(scores)
        scores = scores - scores.max(axis=1, keepdims=True)
        return scores - np.log(np.exp(scores).sum(axis=1, keepdims=True)), (state, memory)

    def predict(
        self, inputs: ArrayLike, lengths: ArrayLike | None = None, *, most_steps: int | None = None
    ) -> list[np.ndarray]:
        """The answers by the likeliest symbol at each step: a list of ids (T_n,), one for each row.

        most_steps: where an answer that has no end is cut; None: at twice the source's length and 10.
        Raises FloatingPointError where a score is not finite.
        """
        with np.errstate(all="ignore"):
            memory, state, _ = self.encode(inputs, lengths)
            return self.decode(memory, state, most_steps=most_steps)

    def decode(self, memory: Memory, state: State, *, most_steps: int | None = None) -> list[np.ndarray]:
        """predict from what encode gives."""
        with np.errstate(all="ignore"):
            return greedy(self._step, (state, memory), self.boundary, steps_allowed(most_steps, memory.valid))

    def beam(
        self,
        inputs: ArrayLike,
        lengths: ArrayLike | None = None,
        *,
        width: int = 5,
        length_penalty: float = 1.0,
        most_steps: int | None = None,
    ) -> list[list[Answer]]:
        """The `width` best answers for each row, the best first, with their scores; see models/decoding.py.

        >>> model = nb.Seq2Seq(4, 4, hidden_size=4, rng=0)
        >>> answers = model.beam(np.array([[1, 2]]), width=3)
        >>> len(answers[0]), answers[0][0].score >= answers[0][1].score
        (3, True)
        """
        width = require_size("width", width)
        if not (is_real(length_penalty) and 0 <= length_penalty <= MOST_PENALTY):
            raise ValueError(f"length_penalty is {length_penalty!r}; it needs to be from 0 to {MOST_PENALTY}")
        with np.errstate(all="ignore"):
            memory, state, _ = self.encode(inputs, lengths)
            most = steps_allowed(most_steps, memory.valid)
            return beam_search(self._step, picked, (state, memory), self.boundary, most, width, float(length_penalty))

    def alignment(self, source: Sequence[int] | np.ndarray, answer: Sequence[int] | np.ndarray) -> np.ndarray:
        """Where the decoder looks while it puts out this answer of one source: the weights (T+1, S), the last row those
        of the step that ends it.

        Raises ValueError where the model has no attention, FloatingPointError where an output is not finite.
        """
        if self.attention is None:
            raise ValueError("this model has attention=None; it looks at nothing")
        self.require_sequence("alignment", source, answer)
        read, _, valid = self._shifted(np.asarray(answer, np.int64)[None], None, 1)
        with np.errstate(all="ignore"):
            memory, state, _ = self.encode(np.asarray(source)[None])
            x, _ = self.target_embedding.forward(read)
            y, alpha, _ = self.decoder.forward(x, state, memory, valid)
        require_finite_outputs(y)
        one: np.ndarray = alpha[0]
        return one


def steps_allowed(most_steps: int | None, valid: np.ndarray) -> np.ndarray:
    """How many steps the answer to each source may take, valid (N, S) its steps -> integers (N,)."""
    if most_steps is not None:
        return np.full(len(valid), require_size("most_steps", most_steps))
    steps: np.ndarray = 2 * valid.sum(axis=1) + 10
    return steps


def picked(running: tuple[State, Memory], rows: np.ndarray) -> tuple[State, Memory]:
    """What runs on, of some rows."""
    state, memory = running
    h, c, context = (part[rows] for part in state)
    return (h, c, context), memory.of_rows(rows)
