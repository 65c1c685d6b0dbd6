"""The language model: what comes next, symbol by symbol."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from npbilstm.layers.cells import CELLS
from npbilstm.layers.checks import pass_rng, require_bool, require_choice, require_ids, require_rng, require_size
from npbilstm.layers.dropout import Dropout, DropoutCache
from npbilstm.layers.embedding import Embedding, EmbeddingCache
from npbilstm.layers.layer import Layer, join, require_own
from npbilstm.layers.linear import Linear, LinearCache
from npbilstm.layers.options import CellName, Init
from npbilstm.layers.padding import pad
from npbilstm.layers.stack import RecurrentLayerCache
from npbilstm.models.model import Model, Sequences, require_finite_outputs
from npbilstm.models.reading import read_forward
from npbilstm.models.sampling import drawn, require_sampling
from npbilstm.textbook.losses import softmax_cross_entropy_backward, softmax_cross_entropy_forward

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, DTypeLike


class LanguageCache(NamedTuple):
    """One window's forward pass: the caches of the parts, and the state in which it ended, for the next window."""

    layer: LanguageModel
    kept: bool
    state: Any
    embedding: EmbeddingCache
    below: DropoutCache
    recurrent: RecurrentLayerCache
    above: DropoutCache
    linear: LinearCache
    loss: Any

    def __repr__(self) -> str:
        N, T = self.embedding.ids.shape
        return f"<cache of {self.layer!r}, {N} rows of up to {T} steps, training={self.kept}>"


class LanguageModel(Model):
    """The next symbol, from all before it: Embedding -> recurrent layers of one direction -> Linear at every step.

    One symbol more than texts have, number num_symbols, is read before the first of a text, and never put out: so a
    text's first symbol is predicted too, and a text that follows on another begins anew.

        read, put_out = model.shifted(ids)                       [num_symbols, a, b, c], [a, b, c, d]

    A text is longer than what is backpropagated through: in training it is read in windows (`nb.windows`), the state
    goes on from one to the next, and the gradient ends where a window begins (textbook/truncated.py):

        loss, cache = model.loss_forward(read[:, :64], put_out[:, :64], training=True)
        grads = model.loss_backward(1.0, cache)
        loss, cache = model.loss_forward(read[:, 64:128], put_out[:, 64:128], state=cache.state, training=True)

    The Trainer does so, with pairs (read, put_out) as its sequences: one after the other they are cut into batch_size
    streams of one length, which are read side by side, `window` steps a batch.

    num_symbols: how many symbols texts have. cell: "lstm", "gru" or "rnn". window: steps from cut to cut. dropout:
    before, between and after the recurrent layers, in training. The rest is as other models have it.

    params is a read-only view, as that of the other models.

    >>> model = nb.LanguageModel(num_symbols=4, hidden_size=8, window=10, rng=0)
    >>> text = model.shifted(np.array([0, 1, 2, 3] * 20))
    >>> trainer = nb.Trainer(model, nb.Adam(0.05), nb.Settings(epochs=15, batch_size=2))
    >>> history = trainer.train([text], show=False)
    >>> list(model.sample(8, prompt=[0, 1], temperature=0))
    [2, 3, 0, 1, 2, 3, 0, 1]
    """

    metric = "bits_per_symbol"
    predicts_per_step = True

    def __init__(
        self,
        num_symbols: int,
        *,
        cell: CellName = "lstm",
        embedding_size: int = 32,
        hidden_size: int = 128,
        num_layers: int = 1,
        dropout: float = 0.0,
        window: int = 64,
        init: Init = "orthogonal",
        dtype: DTypeLike = np.float32,
        rng: int | np.random.Generator | None = None,
    ) -> None:
        self.cell: CellName = require_choice("cell", cell, CELLS)
        self.window = require_size("window", window)
        self.rng = require_rng(rng)
        shared: dict[str, Any] = {"dtype": dtype, "rng": self.rng}
        self.embedding = Embedding(require_size("num_symbols", num_symbols) + 1, embedding_size, **shared)
        self.recurrent = CELLS[cell](embedding_size, hidden_size, num_layers, dropout=dropout, init=init, **shared)
        self.linear = Linear(hidden_size, num_symbols, **shared)
        self.dropout = Dropout(dropout, rng=self.rng)

    @property
    def boundary(self) -> int:
        """The symbol that is read before a text."""
        return self.linear.output_size

    @property
    def parts(self) -> dict[str, Layer]:
        """The layers with parameters, under the names that those begin with."""
        return {"embedding": self.embedding, self.cell: self.recurrent, "linear": self.linear}

    @property
    def config(self) -> dict[str, Any]:
        """The arguments that make a model of this shape again: LanguageModel(**model.config)."""
        return {
            "num_symbols": self.boundary,
            "cell": self.cell,
            "embedding_size": self.embedding.embedding_size,
            "hidden_size": self.recurrent.hidden_size,
            "num_layers": self.recurrent.num_layers,
            "dropout": self.dropout.p,
            "window": self.window,
            "dtype": str(self.linear.params["b"].dtype),
        }

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.config.items())})"

    def shifted(self, ids: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """A text (T,) -> what is read and what is to be put out at each step, both (T,)."""
        put_out = self._text("ids", ids)
        return np.concatenate([[self.boundary], put_out])[:-1], put_out

    def _text(self, name: str, ids: ArrayLike) -> np.ndarray:
        """A text's symbols (T,). Raises TypeError or ValueError, naming the argument, for what is none."""
        text = require_ids(name, ids, self.boundary)
        if text.ndim != 1:
            raise ValueError(f"{name} has shape {text.shape}; a text has one axis (T,)")
        return text

    def require_sequence(self, name: str, inputs: Any, targets: Any) -> None:
        """Raise TypeError or ValueError where these are not two rows of ids of one length (T,)."""
        rows = [("what is read", inputs, self.boundary + 1), ("what is put out", targets, self.boundary)]
        shapes = [require_ids(f"{name}: {what}", given, most).shape for what, given, most in rows]
        if len(shapes[0]) != 1 or shapes[0] != shapes[1]:
            raise ValueError(
                f"{name} has shapes {shapes[0]} and {shapes[1]}; it needs (T,) twice, as shifted makes them"
            )

    def collate(self, sequences: Sequences) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Pairs of rows -> ids (N, T), targets (N, T), lengths (N,)."""
        ids, lengths = pad([inputs for inputs, _ in sequences])
        return ids, pad([targets for _, targets in sequences])[0], lengths

    def forward(
        self,
        ids: ArrayLike,
        lengths: ArrayLike | None = None,
        state: Any = None,
        training: bool = False,
        *,
        rng: int | np.random.Generator | None = None,
    ) -> tuple[np.ndarray, Any, LanguageCache]:
        """ids (N, T) integers, lengths (N,) or None for all T -> logits (N, T, num_symbols), 0 in the padding, the
        state after each row's last step, cache.

        state: that of the recurrent layers, None: 0. training, rng: as other models have them.
        Raises TypeError or ValueError, naming the argument.
        """
        dtype, training = self._require_params(), require_bool("training", training)
        x, embedding, valid = read_forward(self.embedding, self.recurrent.input_size, dtype, ids, lengths)
        assert embedding is not None
        rng = pass_rng(self.rng, rng)
        x, below = self.dropout.forward(x, training, rng=rng)
        y, ended, recurrent = self.recurrent.forward(x, lengths, state, training, rng=rng)
        z, above = self.dropout.forward(y, training, rng=rng)
        logits, linear = self.linear.forward(z)
        if not valid.all():
            logits = np.where(valid[..., None], logits, 0)
        return logits, ended, LanguageCache(self, training, ended, embedding, below, recurrent, above, linear, None)

    def loss_forward(  # type: ignore[override]
        self,
        ids: ArrayLike,
        targets: Any,
        lengths: ArrayLike | None = None,
        state: Any = None,
        *,
        training: bool = False,
        rng: int | np.random.Generator | None = None,
    ) -> tuple[np.floating, LanguageCache]:
        """The mean over all steps of minus the log-probability of what is to be put out -> loss, cache.

        ids, targets (N, T), lengths (N,) or None; state: that in which the window before ended, its cache.state.
        """
        logits, _, cache = self.forward(ids, lengths, state, training, rng=rng)
        loss, loss_cache = softmax_cross_entropy_forward(
            logits, targets, None if lengths is None else np.asarray(lengths)
        )
        return loss, cache._replace(loss=loss_cache)

    def loss_backward(self, dloss: float, cache: LanguageCache) -> dict[str, np.ndarray]:
        """The loss's gradient, given the scalar dloss (usually 1): this window's. What would go on to the state that it
        began with is cut off. -> grads with the names of params."""
        require_own(self, cache)
        dz, linear = self.linear.backward(softmax_cross_entropy_backward(dloss, cache.loss), cache.linear)
        dy, _ = self.dropout.backward(dz, cache.above)
        dx, recurrent, _ = self.recurrent.backward(dy, cache.recurrent)
        dx, _ = self.dropout.backward(dx, cache.below)
        _, embedding = self.embedding.backward(dx, cache.embedding)
        return join({"embedding": embedding, self.cell: recurrent, "linear": linear})

    def loss_weight(self, inputs: Any, targets: Any) -> float:
        """How many steps it has."""
        return float(len(targets))

    def finite_forward(self, ids: ArrayLike, lengths: ArrayLike | None = None, state: Any = None) -> tuple[Any, Any]:
        """As forward, without training or a cache. Raises FloatingPointError where a logit is not finite."""
        with np.errstate(all="ignore"):  # what is not finite gets a sentence; which kernels warn, and of what, differs
            logits, state, _ = self.forward(ids, lengths, state)
        require_finite_outputs(logits)
        return logits, state

    def predict(self, inputs: ArrayLike, lengths: ArrayLike | None = None) -> np.ndarray:
        """The likeliest next symbol at each step (N, T). Raises FloatingPointError where a logit is not finite."""
        likeliest: np.ndarray = self.finite_forward(inputs, lengths)[0].argmax(axis=-1)
        return likeliest

    def sample(
        self,
        length: int,
        *,
        prompt: ArrayLike = (),
        temperature: float = 1.0,
        top_k: int | None = None,
        without: ArrayLike = (),
        rng: int | np.random.Generator | None = None,
    ) -> Iterator[int]:
        """Symbols that go on where the prompt, the beginning of a text, ends: each is drawn as the model thinks it
        likely, and read before the next. They are drawn while one asks for them.

        temperature, top_k: see models/sampling.py. without: symbols that are not to be drawn. rng: a seed or generator.
        Raises TypeError or ValueError, naming the argument, FloatingPointError where a logit is not finite.
        """
        length = require_size("length", length)
        read = np.concatenate([[self.boundary], self._text("prompt", prompt)])
        barred = require_ids("without", without, self.boundary)
        require_sampling(temperature, top_k, self.boundary - len(np.unique(barred)))
        rng = require_rng(rng)

        def symbols() -> Iterator[int]:
            following, state = read, None
            for _ in range(length):
                logits, state = self.finite_forward(following[None], None, state)
                scores = logits[0, -1].astype(np.float64)
                scores[barred] = -np.inf
                symbol = drawn(scores, rng, temperature, top_k)
                yield symbol
                following = np.array([symbol])

        return symbols()
