"""What is given for an array is an array of numbers that nothing is lost of on the way, or a sentence says why not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import npbilstm as nb
from npbilstm.textbook import (
    binary_cross_entropy_forward,
    check_lengths,
    max_over_steps_forward,
    mean_over_steps_forward,
    mean_squared_error_forward,
    softmax_cross_entropy_forward,
)
from tests.cases import assert_all_close
from tests.layers.recurrent_cases import KINDS, MERGES

LAYERS = {
    **{kind: make(3, 4, 2, bidirectional=True, rng=0, **own) for kind, (make, own) in KINDS.items()},
    **{f"merge {merge}": nb.BiLSTM(3, 4, merge=merge, rng=0) for merge in MERGES},
}
LINEAR, EMBEDDING, DROPOUT = nb.Linear(3, 4, rng=0), nb.Embedding(5, 3, rng=0), nb.Dropout(0.5, rng=0)
MODELS = [make(5, 3, hidden_size=4, rng=0) for make in (nb.SequenceTagger, nb.SequenceClassifier)]

X = np.random.default_rng(0).standard_normal((2, 5, 3)).astype(np.float32)
IDS = np.array([[1, 2, 0, 3, 4], [4, 0, 0, 0, 0]])
STATE = np.zeros((2, 2, 4), np.float32)


def floats():
    """What takes an array of floating numbers: (what sentences call it, a function of it, one that it takes)."""
    for name, layer in LAYERS.items():
        y, state, cache = layer.forward(X, training=True)
        yield "x", name, layer.forward, X
        if isinstance(y, tuple):
            yield "dy[0]", name, lambda d, layer=layer, cache=cache, y=y: layer.backward((d, y[1]), cache), y[0]
            yield "dy[1]", name, lambda d, layer=layer, cache=cache, y=y: layer.backward((y[0], d), cache), y[1]
        else:
            yield "dy", name, lambda d, layer=layer, cache=cache: layer.backward(d, cache), y
        if isinstance(state, tuple):
            h, c = state
            for part, pair in [("h", lambda a, c=c: (a, c)), ("c", lambda a, h=h: (h, a))]:
                run = lambda a, layer=layer, pair=pair: layer.forward(X, state=pair(a))  # noqa: E731
                yield f"state's {part}", name, run, h
                back = lambda a, layer=layer, pair=pair, y=y, cache=cache: layer.backward(y, cache, pair(a))  # noqa: E731
                yield f"dstate's {part}", name, back, h
        else:
            yield "state", name, lambda a, layer=layer: layer.forward(X, state=a), state
            yield "dstate", name, lambda a, layer=layer, y=y, cache=cache: layer.backward(y, cache, a), state
    alone, _, cache = LAYERS["LSTM"].forward(X[0], training=True)
    yield "x", "one sequence", LAYERS["LSTM"].forward, X[0]
    yield "dy", "one sequence", lambda d: LAYERS["LSTM"].backward(d, cache), alone
    pair = LAYERS["merge None"]
    (y_fwd, y_rev), _, cache_of_pair = pair.forward(X[0], training=True)
    yield "dy[1]", "one sequence", lambda d: pair.backward((y_fwd, d), cache_of_pair), y_rev
    for name, layer, x, options in [
        ("linear", LINEAR, X, {}),
        ("dropout", DROPOUT, X, {"training": True}),
        ("no dropout", DROPOUT, X, {}),
        ("embedding", EMBEDDING, IDS, {}),
    ]:
        y, kept = layer.forward(x, **options)
        if layer is not EMBEDDING:
            yield "x", name, lambda a, layer=layer, options=options: layer.forward(a, **options), x
        yield "dy", name, lambda d, layer=layer, kept=kept: layer.backward(d, kept), y
    for model in MODELS:
        logits, kept = model.forward(IDS, training=True)
        yield "dlogits", type(model).__name__, lambda d, model=model, kept=kept: model.backward(d, kept), logits


def integers():
    """What takes integers."""
    for model in MODELS:
        yield "ids", type(model).__name__, model.forward, IDS
        yield "lengths", type(model).__name__, lambda a, model=model: model.forward(IDS, a), np.array([5, 1])
    yield "ids", "embedding", EMBEDDING.forward, IDS
    yield "lengths", "LSTM", lambda a: LAYERS["LSTM"].forward(X, a), np.array([5, 1])
    yield "lengths", "textbook", lambda a: check_lengths(a, 2, 5), np.array([5, 1])
    yield "targets", "cross-entropy", lambda a: softmax_cross_entropy_forward(X, a), IDS % 3


def losses():
    """What else the textbook takes."""
    yield "logits", "cross-entropy", lambda a: softmax_cross_entropy_forward(a, IDS % 3), X
    for name, loss in [("logits", binary_cross_entropy_forward), ("predictions", mean_squared_error_forward)]:
        yield name, loss.__name__, lambda a, loss=loss: loss(a, np.abs(X) % 1), X
        yield "targets", loss.__name__, lambda a, loss=loss: loss(X, np.abs(a) % 1), X
    for pool in (mean_over_steps_forward, max_over_steps_forward):
        yield "y", pool.__name__, pool, X


def cases(*sources):
    return [
        pytest.param(name, run, array, id=f"{name} of {where}") for each in sources for name, where, run, array in each
    ]


FLOATS = cases(floats())
BOTH = cases(floats(), integers())
ALL = cases(floats(), integers(), losses())
LISTS = [case for case in BOTH if case.values[0] not in ("state", "dstate")]  # where a list is no array but a pair


@pytest.mark.few(24)
@pytest.mark.parametrize(("name", "run", "array"), ALL)
def test_a_masked_array_is_refused_by_name(name, run, array):
    run(array)
    for mask in (False, array == array.flat[0]):
        with pytest.raises(TypeError) as refused:
            run(np.ma.array(array, mask=mask))
        assert str(refused.value).startswith(
            f"{name} is a masked array, whose mask would be lost; it needs a plain one"
        )


@pytest.mark.few(24)
@pytest.mark.parametrize(("name", "run", "array"), LISTS)
def test_a_list_of_masked_arrays_is_refused_by_name(name, run, array):
    if array.ndim > 1:
        with pytest.raises(TypeError) as refused:
            run([np.ma.array(row) for row in array])
        assert str(refused.value).startswith(f"{name} is a masked array")


class Tensor:
    """As torch's where it requires a gradient."""

    shape, dtype = (2, 5, 3), "torch.float32"

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")


@pytest.mark.few(24)
@pytest.mark.parametrize(("name", "run", "array"), BOTH)
def test_a_tensor_that_requires_a_gradient_is_told_how_to_become_an_array(name, run, array):
    with pytest.raises(TypeError) as refused:
        run(Tensor())
    code = name.split()[-1]
    assert str(refused.value) == (
        f"{name} cannot be read as an array: Can't call numpy() on Tensor that requires grad. Use "
        f"tensor.detach().numpy() instead; of a torch tensor it needs {code}.detach().numpy()"
    )


def test_what_cannot_be_read_within_a_list_or_for_another_reason_is_not_called_ragged():
    class Broken:
        def __array__(self, dtype=None, copy=None):
            raise ValueError("NA is no number.")

    with pytest.raises(TypeError, match="x cannot be read as an array: NA is no number; of a torch tensor it needs"):
        LINEAR.forward(Broken())
    with pytest.raises(TypeError, match="x cannot be read as an array: Can't call numpy"):
        LINEAR.forward([Tensor(), Tensor()])


def ragged_of(array):
    """The array's numbers, as lists of unequal lengths at the first axis, at the last, and with NumPy's objects."""
    rows = array.tolist()
    yield [*rows[:-1], rows[-1] * 2] if array.ndim > 1 else [rows, rows[0]]
    yield [[1, 2], [1]]
    yield [np.zeros((2, 3)), np.zeros((3, 3))]
    for kind in (list, np.array):
        objects = np.empty(2, object)
        objects[:] = [kind([1, 2]), kind([1])]
        yield objects


@pytest.mark.few(24)
@pytest.mark.parametrize(("name", "run", "array"), LISTS)
def test_rows_of_unequal_lengths_are_sent_to_pad(name, run, array):
    for ragged in ragged_of(array):
        with pytest.raises(ValueError) as refused:  # noqa: PT011
            run(ragged)
        sentence = f"{name} has rows of unequal lengths; nb.pad makes of them one array, padded, and lengths"
        assert str(refused.value) == sentence


@pytest.mark.few(24)
@pytest.mark.parametrize(("name", "run", "array"), BOTH)
@pytest.mark.parametrize("dtype", [object, str, bool, "M8[s]"])
def test_what_holds_no_numbers_is_refused_by_name(name, run, array, dtype):
    with pytest.raises(TypeError) as refused:
        run(array.astype(int).astype(dtype))
    assert str(refused.value).startswith(f"{name} has dtype {array.astype(int).astype(dtype).dtype}; it needs ")


@pytest.mark.few(24)
@pytest.mark.parametrize(("name", "run", "array"), FLOATS)
def test_integers_are_no_floating_numbers(name, run, array):
    with pytest.raises(TypeError) as refused:
        run(array.astype(int))
    code = name.split()[-1]
    sentence = f"{name} has dtype int64; it needs floating numbers, e.g. {code}.astype(np.float32)"
    assert str(refused.value) == sentence


@pytest.mark.parametrize("options", [{}, {"merge": None}, {"bidirectional": True}])
def test_the_gradient_of_one_sequence_may_be_a_list_of_rows(options):
    layer = nb.LSTM(3, 4, rng=0, **options)
    for T in (2, 5):
        y, _, cache = layer.forward(X[0, :T], training=True)
        assert_all_close(layer.backward(y.tolist(), cache), layer.backward(y, cache), 0)


@pytest.mark.few(24)
@pytest.mark.parametrize(("name", "run", "array"), LISTS)
def test_a_list_of_lists_of_numbers_is_an_array(name, run, array):
    first, again = run(array), run(array.tolist())
    if not isinstance(first, np.ndarray):
        first, again = first[0], again[0]
    if first is not None:
        assert np.shape(again) == np.shape(first)


LAYER_FLOATS = [case for case in FLOATS if case.id not in ("x of dropout", "x of no dropout")]


@pytest.mark.few(24)
@pytest.mark.parametrize(("name", "run", "array"), LAYER_FLOATS)
@pytest.mark.parametrize("number", [1e300, -1e300, 3.5e38, 1e300j, 1 + 1e300j, np.longdouble(1e300)])
def test_a_finite_number_that_float32_has_not_is_named(name, run, array, number):
    wide = array.astype(np.result_type(number, np.float64))
    wide.flat[-1] = number
    with pytest.raises(ValueError) as refused:  # noqa: PT011
        run(wide)
    dtype = "complex64" if np.iscomplexobj(wide) else "float32"
    sentence = f"{name} holds {wide.flat[-1]!s}; in {dtype}, which the layer works in, it would be infinite"
    assert str(refused.value) == sentence


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_finite_number_that_float64_has_not_is_named(kind):
    make, own = KINDS[kind]
    layer = make(3, 4, rng=0, dtype=np.float64, **own)
    with np.errstate(all="ignore"):
        layer.forward(np.full((2, 5, 3), 1e300))
    if np.finfo(np.longdouble).max > np.finfo(np.float64).max:
        with pytest.raises(ValueError, match=r"x holds 1e\+400; in float64, which the layer works in, it would be inf"):
            layer.forward(np.full((2, 5, 3), np.longdouble("1e400")))


@pytest.mark.parametrize("number", [3e38, 1e-300, 0.1, -0.0, np.inf, np.nan])
def test_all_other_numbers_are_rounded_to_the_dtype_of_the_params(number):
    linear = nb.Linear(1, 1)
    linear.params["W"][...] = 1
    y, _ = linear.forward(np.full((1, 1), number))
    dx, _ = linear.backward(np.full((1, 1), number), linear.forward(np.ones((1, 1)))[1])
    for rounded in (y, dx):
        assert rounded.dtype == np.float32
        assert np.array_equal(rounded, np.full((1, 1), number, np.float32), equal_nan=True)


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.longdouble, ">f4", ">f8"])
@pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS)
def test_input_of_any_precision_is_computed_in_the_dtype_of_the_params(layer, dtype):
    x = X.astype(np.float16)
    y, final, _ = layer.forward(x.astype(np.float32))
    assert_all_close(layer.forward(x.astype(dtype))[:2], (y, final), 0)
    assert all(part.dtype == np.float32 for part in (y if isinstance(y, tuple) else [y]))


@given(
    st.sampled_from(sorted(LAYERS)),
    st.lists(st.integers(0, 5), min_size=2, max_size=2),
    st.sampled_from([1e300, -4e38]),
)
def test_what_float32_has_not_never_matters_in_the_padding(name, lengths, number):
    layer = LAYERS[name]
    padding = np.arange(5) >= np.array(lengths)[:, None]
    x = X.astype(np.float64)
    x[padding] = number
    y, state, cache = layer.forward(x, lengths, training=True)
    assert_all_close((y, state), layer.forward(X, lengths)[:2], 0)
    dy = [part.astype(np.float64) for part in (y if isinstance(y, tuple) else [y])]
    expected = layer.backward(y, cache)
    for part in dy:
        part[padding] = number
    assert_all_close(layer.backward(tuple(dy) if isinstance(y, tuple) else dy[0], cache), expected, 0)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: type(model).__name__)
def test_what_float32_has_not_never_matters_in_the_padding_of_a_model(model):
    logits, cache = model.forward(IDS, [5, 1], training=True)
    dlogits = np.ones_like(logits, np.float64)
    expected = model.backward(dlogits, cache)
    if model.label_per_step:
        dlogits[1, 1:] = 1e300
    assert_all_close(model.backward(dlogits, cache)[1], expected[1], 0)


def test_no_warning_comes_before_the_sentence():
    with pytest.raises(ValueError, match="x holds"), np.errstate(all="raise"):
        LINEAR.forward(np.full((1, 3), 1e300))


@pytest.mark.parametrize("shape", [(1, 5, 3), (2, 1, 3), (2, 5, 1), (5, 3), (2, 5, 3, 1), ()])
def test_a_gradient_that_would_broadcast_is_refused_by_dropout(shape):
    for training in (True, False):
        _, cache = DROPOUT.forward(X, training)
        with pytest.raises(ValueError, match=r"dy has shape \(.*\); it needs \(2, 5, 3\)"):
            DROPOUT.backward(np.ones(shape, np.float32), cache)


def test_dropouts_gradient_has_the_dtype_of_its_input():
    for training in (True, False):
        for dtype in (np.float32, np.float64):
            _, cache = DROPOUT.forward(X.astype(dtype), training)
            assert DROPOUT.backward(np.ones(X.shape), cache)[0].dtype == dtype


def test_pandas_and_other_holders_of_numbers_are_read():
    class Frame:
        def __array__(self, dtype=None, copy=None):
            return X.astype(np.float64)

    assert_all_close(LAYERS["LSTM"].forward(Frame())[0], LAYERS["LSTM"].forward(X)[0], 0)


def test_a_trace_refuses_what_its_layer_refuses():
    layer, model = LAYERS["LSTM"], MODELS[0]
    for run in (
        lambda a: nb.trace(layer, a),
        lambda a: nb.trace(model, a),
        lambda a: nb.trace(layer, X, upstream=a),
        lambda a: nb.trace(model, IDS, target=a),
    ):
        with pytest.raises(TypeError, match="is a masked array, whose mask would be lost"):
            run(np.ma.array(X))
        with pytest.raises(TypeError, match="cannot be read as an array"):
            run(Tensor())


@pytest.mark.parametrize("what", ["ids", "labels"])
def test_a_trainer_refuses_masked_sequences(what):
    sequence = {"ids": IDS[0], "labels": IDS[0] % 3}
    sequence[what] = np.ma.array(sequence[what])
    with pytest.raises(TypeError, match=rf"train\[0\]'s {what} is a masked array, whose mask would be lost"):
        nb.Trainer(MODELS[0]).train([tuple(sequence.values())], show=False)


def test_weights_are_read_as_carefully():
    state = nb.to_pytorch(nb.LSTM(3, 4, rng=0))
    for w, sentence in [(np.ma.array(state["weight_ih_l0"]), "is a masked array"), (Tensor(), "cannot be read as an")]:
        with pytest.raises(TypeError, match=rf"state\['weight_ih_l0'\] {sentence}"):
            nb.from_pytorch({**state, "weight_ih_l0": w})
