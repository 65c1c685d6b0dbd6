"""Recording a run of a Seq2Seq: its encoder as a layer's, and where the decoder looks at each step of the answer."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from npbilstm.inspector.arguments import checked_classes, checked_rows, copied_ids, require_steps
from npbilstm.inspector.attention_map import END
from npbilstm.inspector.recording import recorded_arrays
from npbilstm.inspector.step_map import Axis, StepMap
from npbilstm.inspector.trace_data import TraceData
from npbilstm.layers.checks import require_ids
from npbilstm.layers.padding import pad
from npbilstm.models import Seq2Seq
from npbilstm.models.attention_decoder import AttentionDecoderCache, Memory, State
from npbilstm.models.seq2seq import EncoderCache, Seq2SeqCache
from npbilstm.textbook.log_space import log_sum_exp
from npbilstm.textbook.sequences import check_lengths

ADDITIVE = ("z = tanh(q + k)", "score = z @ v", "alpha = exp(score - log_sum)")
DOT = ("score = query @ key", "alpha = exp(score - log_sum)")
"""textbook/attention.py for one output and one step, with q = query Wq and k = key Wk."""

WORDS = {
    "q": "query @ Wq; the query is the decoder's state h, once it has read the symbol before",
    "k": "key @ Wk; the key is what both directions of the encoder put out at this step",
    "query": "the decoder's state h, once it has read the symbol before",
    "key": "what both directions of the encoder put out at this step",
    "v": "the weights of the score",
    "log_sum": "the logarithm of the sum of exp(score) over all steps",
    "z": "how query and key go together",
    "score": "how well the step fits what the decoder asks",
    "alpha": "the softmax over the steps: the step's share of the context",
}


@np.errstate(all="ignore")
def seq2seq_run(model: Seq2Seq, ids: Any, lengths: Any, tokens: Any, target: Any, classes: Any) -> TraceData:
    """Arguments as trace has them."""
    model = copy.deepcopy(model)
    model.encoder.store_every = None
    ids = copied_ids(ids)
    alone = ids.ndim == 1
    if alone:
        ids = ids[None]
    require_steps(ids.shape)
    names = checked_classes(classes, model.boundary) or [str(k) for k in range(model.boundary)]
    if target is None:
        answers = model.predict(ids, lengths)
    else:
        answers = checked_answers(target, len(ids), model.boundary, alone)
    loss, cache = answers_forward(model, *model.encode(ids, lengths, training=True), answers)
    dy = dstate = None
    if target is not None:
        dy, dstate, _ = model.backward_to_encoder(1.0, cache)
    lengths = check_lengths(lengths, *ids.shape)
    x, _ = model.embedding.forward(np.where(cache.decoder.memory.valid, ids, 0))
    shown = ids.tolist() if tokens is None else tokens
    recurrent = recorded_arrays(model.encoder, x, lengths, cache.encoder.recurrent, dy, dstate, shown)
    return TraceData(
        **recurrent,
        model=None,
        output=model.encoder.forward(x, lengths)[0],
        target=None,
        classes=names,
        loss=None if target is None else float(loss),
        ids=ids,
        upstream=None if model.attention is None else dy,  # the final states are seen alone
        seq2seq=model,
        answers=answers,
        step_maps=attention_step_maps(model, cache, lengths, answers, names),
    )


def answers_forward(
    model: Seq2Seq, memory: Memory, state: State, encoder: EncoderCache, answers: Sequence[np.ndarray]
) -> tuple[np.floating, Seq2SeqCache]:
    """The loss of each row's answer (T_n,)."""
    padded, lengths = pad(answers)
    return model.answers_forward(memory, state, encoder, padded, lengths, training=True)


def attention_step_maps(
    model: Seq2Seq, cache: Seq2SeqCache, lengths: np.ndarray, answers: Sequence[np.ndarray], names: Sequence[str]
) -> list[StepMap] | None:
    """Where the decoder looks, for each row; None without attention."""
    if model.attention is None:
        return None
    return [attention_step_map(cache.decoder, n, int(lengths[n]), answer, names) for n, answer in enumerate(answers)]


def checked_answers(target: Any, N: int, symbols: int, alone: bool) -> list[np.ndarray]:
    """Each row's answer (T,), as integers. Raises TypeError or ValueError."""
    answers = checked_rows(target, N, alone)
    for n, answer in enumerate(answers):
        require_ids(f"target[{n}]", answer, symbols)
        if answer.ndim != 1:
            raise ValueError(f"target[{n}] has shape {answer.shape}; it needs one axis (T,)")
    return answers


def attention_step_map(
    cache: AttentionDecoderCache, n: int, steps: int, answer: np.ndarray, names: Sequence[str]
) -> StepMap:
    """Where the decoder looks in row n, a line per symbol of the answer and one for its end."""
    T = len(answer) + 1
    alpha, h = cache.alpha[:T, n, :steps], cache.h[:T, n]
    keys = cache.memory.keys[n, :steps]
    if cache.memory.projected is None:
        vectors: dict[str, tuple[tuple[Axis, ...], np.ndarray]] = {
            "query": (("line", "unit"), h),
            "key": (("step", "unit"), keys),
        }
        score = h @ keys.T
    else:
        q, k, v = h @ cache.params["Wq"], cache.memory.projected[n, :steps], cache.params["v"]
        vectors = {"q": (("line", "unit"), q), "k": (("step", "unit"), k), "v": (("unit",), v)}
        score = np.tanh(q[:, None] + k) @ v
    symbols = [names[k] for k in answer]
    whole = ("" if all(len(symbol) == 1 for symbol in symbols) else " ").join(symbols)
    arrays: Any = {"alpha": (("line", "step"), alpha), **vectors, "log_sum": (("line",), log_sum_exp(score, axis=1))}
    equations = DOT if cache.memory.projected is None else ADDITIVE
    return StepMap(
        name="alpha",
        title="Where the decoder looks",
        about="A line is a symbol of the answer, a column a step of the source: how much of the context is from there.",
        down="output",
        lines=[*symbols, END],
        fact=f"answer {whole}",
        by="line",
        equations=equations,
        words={
            name: words for name, words in WORDS.items() if name in (*arrays, *(e.split(" ")[0] for e in equations))
        },
        arrays=arrays,
    )
