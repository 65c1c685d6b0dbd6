"""Every pass takes params of exactly the layer's names and shapes and of one precision, or says which one is not so."""

import collections
import re
import types

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import npbilstm as nb
from tests.cases import assert_all_close
from tests.layers.recurrent_cases import layers, make_inputs, make_layer

IDS = np.array([[1, 2, 0], [4, 0, 0]])


def model(make=nb.SequenceTagger, **options):
    return make(5, 3, embedding_size=2, hidden_size=3, dtype=np.float64, rng=0, **options)


def linear(dtype=np.float64):
    return nb.Linear(3, 4, dtype=dtype, rng=0)


MODELS = [
    model(cell=cell, num_layers=num_layers, bidirectional=bidirectional)
    for cell in ("lstm", "gru", "rnn")
    for num_layers, bidirectional in [(1, False), (2, True)]
]
OTHERS = [linear(), nb.Embedding(5, 3, dtype=np.float64, rng=0), *MODELS, model(nb.SequenceClassifier, pooling="max")]

any_layer = layers() | st.sampled_from(OTHERS).map(lambda layer: layer.with_params(layer.params))


def forward(layer):
    """What the layer's forward pass answers, its cache last."""
    if isinstance(layer, nb.layers.Recurrent):
        return layer.forward(np.ones((2, 3, layer.input_size)), training=True)
    if isinstance(layer, nb.Linear):
        return layer.forward(np.ones((2, layer.input_size)))
    return layer.forward(IDS) if isinstance(layer, nb.Embedding) else layer.forward(IDS, training=True)


def backward(layer, answer):
    return layer.backward(answer[0], answer[-1])


def held_by(layer, name):
    """The dict that holds this parameter, and its name in there: of a model, that of one of its parts."""
    if not isinstance(layer, nb.models.SequenceModel):
        return layer.params, name
    part, own = name.split(".", 1)
    return layer.parts[part].params, own


def assert_refused(layer, change, error, sentence):
    """Neither pass takes the params once they are changed, be the cache from before; nor does with_params."""
    answer = forward(layer)
    change()
    refused = pytest.raises(error, match=sentence)
    with refused:
        forward(layer)
    with refused:
        backward(layer, answer)
    with refused:
        layer.with_params(layer.params)


@st.composite
def wrong_shapes(draw):
    """A layer, one of its parameters, and a shape that is not its own: any, or one near it, or one that broadcasts."""
    layer = draw(any_layer)
    name = draw(st.sampled_from(sorted(layer.params)))
    right = layer.params[name].shape
    axis, size = draw(st.integers(0, len(right) - 1)), draw(st.integers(0, 40))
    near = [
        right[::-1],
        (1, *right),
        (*right, 1),
        right[1:],
        (*right[:axis], 1, *right[axis + 1 :]),
        (*right[:axis], size, *right[axis + 1 :]),
    ]
    shape = draw(st.sampled_from(near) | st.lists(st.integers(0, 20), max_size=3).map(tuple))
    return layer, name, shape


@given(wrong_shapes())
def test_any_wrong_shape_of_any_parameter_is_refused(case):
    layer, name, shape = case
    right = layer.params[name].shape
    if shape == right:
        return

    def change():
        held, own = held_by(layer, name)
        held[own] = np.ones(shape)

    assert_refused(layer, change, ValueError, re.escape(f"params[{name!r}] has shape {shape}; it needs {right}"))


@given(any_layer, st.data())
def test_any_missing_parameter_is_named_and_so_is_what_stands_in_its_place(layer, data):
    name = data.draw(st.sampled_from(sorted(layer.params)))
    held, own = held_by(layer, name)
    p = held[own]
    assert_refused(layer, lambda: held.pop(own), ValueError, re.escape(f"params lacks {name!r}"))
    held[own] = p
    misspelt = name.swapcase() if name.swapcase() != name else name + "_"
    prefix = name[: len(name) - len(own)]
    assert_refused(
        layer,
        lambda: held.update({misspelt[len(prefix) :]: held.pop(own)}),
        ValueError,
        re.escape(f"params lacks {name!r}; params has {prefix + misspelt[len(prefix) :]!r}, which is none of "),
    )


@given(any_layer)
def test_a_parameter_too_many_is_named(layer):
    held, _ = held_by(layer, sorted(layer.params)[0])
    sentence = r"params has '(embedding\.)?extra', which is none of "
    assert_refused(layer, lambda: held.update(extra=np.ones(3)), ValueError, sentence)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "GRU reset before", "RNN tanh", "RNN relu"])
def test_a_bias_that_the_layer_was_made_without_is_one_too_many(kind):
    layer = make_layer(bias=False, kind=kind)
    b = np.zeros(layer._weight_shapes(layer.input_size)["b"])
    assert_refused(
        layer, lambda: layer.params.update({"0.forward.b": b}), ValueError, "params has '0.forward.b', which"
    )


P = linear().params["W"]


@pytest.mark.parametrize(
    ("W", "error", "sentence"),
    [
        (P.astype(np.float16), TypeError, "has dtype float16; it needs float32 or float64, or for a complex step"),
        (P.astype(np.longdouble), TypeError, r"has dtype (float128|float96); it needs float32 or float64"),
        (P.astype(">f8"), TypeError, "has dtype >f8; it needs float32 or float64"),
        (P.astype(int), TypeError, "has dtype int64; it needs floating numbers"),
        (P.astype(bool), TypeError, "has dtype bool; it needs floating numbers"),
        (P.astype(object), TypeError, "has dtype object; it needs floating numbers"),
        (P.astype(str), TypeError, "has dtype <U32; it needs floating numbers"),
        (
            P.astype(np.float32),
            TypeError,
            r"has dtype float64 and params\['W'\] has float32; all need to have the same",
        ),
        (P.astype(np.complex64), TypeError, r"has dtype float64 and params\['W'\] has complex64; all need to have"),
        (P.tolist(), TypeError, "is a list; it needs a NumPy array"),
        (None, TypeError, "is a NoneType; it needs a NumPy array"),
        (1.0, TypeError, "is a float; it needs a NumPy array"),
        (np.ma.array(P, mask=P > 0), TypeError, "is a masked array, whose mask would be lost"),
    ],
)
def test_a_parameter_of_other_numbers_is_refused(W, error, sentence):
    layer = linear()
    assert_refused(layer, lambda: layer.params.update(W=W), error, rf"params\['[Wb]'\] {sentence}")


def test_a_matrix_which_multiplies_in_another_way_is_refused():
    layer = linear()
    with pytest.warns(PendingDeprecationWarning):
        W = np.matrix(P)
    assert_refused(layer, lambda: layer.params.update(W=W), TypeError, r"params\['W'\] is a matrix; it needs a NumPy")


def test_what_is_like_an_array_and_is_none_is_refused():
    class Tensor:
        shape, dtype = P.shape, P.dtype

    layer = linear()
    assert_refused(layer, lambda: layer.params.update(W=Tensor()), TypeError, r"params\['W'\] is a Tensor; it needs a")


@pytest.mark.parametrize("dtype", [np.float16, np.longdouble, ">f4", int])
def test_numbers_that_no_layer_works_in_are_refused_where_all_are_such(dtype):
    for layer in (make_layer(bidirectional=True), *OTHERS):
        odd = {name: p.astype(dtype) for name, p in layer.params.items()}
        with pytest.raises(TypeError, match=rf"params\['.*'\] has dtype {np.dtype(dtype)}; it needs float"):
            layer.with_params(odd)


@pytest.mark.parametrize("make", [nb.LSTM, nb.GRU, nb.RNN])
def test_one_float64_among_float32_is_refused(make):
    layer = make(3, 4, rng=0)
    sentence = (
        r"params\['0.forward.b'\] has dtype float64 and params\['0.forward.Wx'\] has float32; all need to have the same"
    )
    b = np.zeros(layer.params["0.forward.b"].shape)
    assert_refused(layer, lambda: layer.params.update({"0.forward.b": b}), TypeError, sentence)


def test_a_models_parts_are_of_one_precision():
    tagger = model()

    def change():
        tagger.linear = tagger.linear.with_params({n: p.astype(np.float32) for n, p in tagger.linear.params.items()})

    sentence = (
        r"params\['linear.W'\] has dtype float32 and params\['embedding.W'\] has float64; all need to have the same"
    )
    assert_refused(tagger, change, TypeError, sentence)


@given(layers(), st.data())
def test_any_parameters_may_be_complex_for_the_complex_step(layer, data):
    names = data.draw(st.sets(st.sampled_from(sorted(layer.params)), min_size=1))
    mixed = {n: p.astype(np.complex128) if n in names else p for n, p in layer.params.items()}
    whole = {n: p.astype(np.complex128) for n, p in layer.params.items()}
    inputs = make_inputs(layer)
    y, _, _ = layer.with_params(mixed).forward(inputs[0], inputs[1], inputs[2])
    again, _, _ = layer.with_params(whole).forward(inputs[0], inputs[1], inputs[2])
    assert_all_close(y, again, 0)
    assert all(part.dtype == np.complex128 for part in (y if isinstance(y, tuple) else [y]))


@pytest.mark.parametrize(("real", "both"), [(np.float32, np.complex64), (np.float64, np.complex128)])
def test_a_complex_parameter_makes_the_work_complex_and_no_more_precise(real, both):
    layer = linear(real)
    layer.params["b"] = layer.params["b"].astype(both)
    assert layer.forward(np.ones((2, 3), np.float64))[0].dtype == both


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
def test_params_of_another_precision_set_the_precision_of_the_work(dtype):
    for layer in (make_layer(2, bidirectional=True), *OTHERS):
        other = layer.with_params({name: p.astype(dtype) for name, p in layer.params.items()})
        assert forward(other)[0].dtype == dtype


@pytest.mark.parametrize("params", [None, [], "params", 3, np.zeros(3), {1, 2}])
def test_params_that_are_no_dict_are_refused(params):
    layer = linear()
    sentence = f"params is a {type(params).__name__}; it needs a dict of arrays"
    assert_refused(layer, lambda: setattr(layer, "params", params), TypeError, sentence)
    tagger = model()
    tagger.linear.params = params
    with pytest.raises(TypeError, match=sentence):
        tagger.forward(IDS)
    with pytest.raises(TypeError, match=sentence):
        tagger.with_params(params)


def test_a_dict_that_makes_up_what_it_lacks_lacks_it_all_the_same():
    layer = linear()
    layer.params = collections.defaultdict(lambda: np.zeros(4), {"W": P})
    with pytest.raises(ValueError, match="params lacks 'b'"):
        forward(layer)
    assert list(layer.params) == ["W"]


@given(any_layer, st.randoms(use_true_random=False))
def test_any_mapping_in_any_order_will_do(layer, random):
    names = list(layer.params)
    random.shuffle(names)
    shuffled = {name: layer.params[name] for name in names}
    for params in (shuffled, collections.OrderedDict(shuffled), types.MappingProxyType(shuffled)):
        assert_all_close(forward(layer.with_params(params))[0], forward(layer)[0], 0)
    if not isinstance(layer, nb.models.SequenceModel):
        expected = forward(layer)[0]
        layer.params = types.MappingProxyType(shuffled)
        assert_all_close(forward(layer)[0], expected, 0)


@given(any_layer)
def test_numbers_may_change_in_place_and_arrays_be_views(layer):
    doubled = forward(layer.with_params({name: 2 * p for name, p in layer.params.items()}))[0]
    for p in layer.params.values():
        p *= 2
    assert_all_close(forward(layer)[0], doubled, 0)
    room = {name: np.repeat(p, 2, axis=0) for name, p in layer.params.items()}
    views = {name: p[::2] for name, p in room.items()}
    assert_all_close(forward(layer.with_params(views))[0], doubled, 0)


def test_arrays_mapped_from_a_file_will_do(tmp_path):
    layer = linear()
    for name, p in layer.params.items():
        np.save(tmp_path / f"{name}.npy", p)
    mapped = {name: np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in layer.params}
    assert isinstance(mapped["W"], np.memmap)
    assert_all_close(forward(layer.with_params(mapped))[0], forward(layer)[0], 0)


def test_an_optimizer_that_writes_wrong_shapes_is_found_at_the_next_pass():
    class Careless(nb.SGD):
        def step(self, params, grads, scale=1.0):
            for name, g in grads.items():
                params[name] = params[name] - 0.1 * g[None]

    layer = make_layer(bidirectional=True)
    _, grads, _ = backward(layer, forward(layer))
    Careless().step(layer.params, grads)
    with pytest.raises(ValueError, match=r"params\['0.forward.Wx'\] has shape \(1, 3, 16\); it needs \(3, 16\)"):
        forward(layer)


def test_params_are_checked_before_they_are_written(tmp_path):
    tagger = model()
    tagger.recurrent.params["0.reverse.Wh"] = np.zeros((1, 12))
    sentence = r"params\['lstm.0.reverse.Wh'\] has shape \(1, 12\); it needs \(3, 12\)"
    with pytest.raises(ValueError, match=sentence):
        nb.save_model(tmp_path / "m.npz", tagger)
    with pytest.raises(ValueError, match=sentence):
        nb.to_pytorch(tagger)
    assert not list(tmp_path.iterdir())


def test_params_are_checked_before_they_are_traced():
    tagger = model()
    tagger.recurrent.params.pop("0.reverse.b")
    with pytest.raises(ValueError, match="params lacks 'lstm.0.reverse.b'"):
        nb.trace(tagger, IDS)
    layer = make_layer()
    layer.params = None
    with pytest.raises(TypeError, match="params is a NoneType; it needs a dict of arrays"):
        nb.trace(layer, np.ones((2, 3, 3)))


def test_setting_a_models_params_takes_all_of_them_and_no_more():
    tagger = model()
    whole = {name: p + 1 for name, p in tagger.params.items()}
    for params, sentence in [
        ({**whole, "lstm2.b": np.zeros(3)}, "params has 'lstm2.b', which is none of "),
        ({name: p for name, p in whole.items() if name != "linear.b"}, "params lacks 'linear.b'"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            tagger.params = params
    tagger.params = whole
    assert_all_close(dict(tagger.params), whole, 0)


def test_a_gradient_check_of_a_whole_layer_still_runs_through_the_complex_step():
    layer = make_layer(bidirectional=True)
    x, lengths, state, dy, _ = make_inputs(layer)
    _, grads, _ = layer.backward(dy, layer.forward(x, lengths, state, training=True)[2])
    report = nb.check_gradients(
        lambda p: (layer.with_params(p).forward(x, lengths, state)[0] * dy).sum(), layer.params, grads, "complex"
    )
    assert report.ok, report
