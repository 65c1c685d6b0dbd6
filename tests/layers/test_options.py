"""What an option may be is checked when a layer is made, and by the next pass when it was set later."""

import copy

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.inspector import terminal_legend, terminal_text
from npbilstm.interop import from_keras, to_keras
from tests.cases import assert_all_close

X = np.ones((2, 5, 3), np.float32)
IDS = np.array([[1, 2, 0], [4, 0, 0]])
NOT_BOOLS = ["False", "no", 0, 1, 1.0, None, [], np.array([True])]


def tagger(**options):
    return nb.SequenceTagger(5, 3, embedding_size=2, hidden_size=3, rng=0, **options)


def classifier(**options):
    return nb.SequenceClassifier(5, 3, embedding_size=2, hidden_size=3, rng=0, **options)


TRACE = nb.trace(tagger(), IDS)
TAKES_A_BOOL = {
    "bidirectional": lambda value: nb.LSTM(3, 4, bidirectional=value),
    "bias": lambda value: nb.RNN(3, 4, bias=value),
    "peepholes": lambda value: nb.LSTM(3, 4, peepholes=value),
    "coupled": lambda value: nb.LSTM(3, 4, coupled=value),
    "reset_after": lambda value: nb.GRU(3, 4, reset_after=value),
    "reverse": lambda value: nb.LSTM(3, 4, reverse=value),
    "bidirectional of a BiLSTM": lambda value: nb.BiLSTM(3, 4, bidirectional=value),
    "bidirectional of a GRU": lambda value: nb.GRU(3, 4, bidirectional=value),
    "bidirectional of a model": lambda value: tagger(bidirectional=value),
    "training": lambda value: nb.LSTM(3, 4, rng=0).forward(X, training=value),
    "check_finite": lambda value: nb.LSTM(3, 4, rng=0).forward(X, check_finite=value),
    "training of a dropout": lambda value: nb.Dropout(0.5).forward(X, value),
    "training of a tagger": lambda value: tagger().forward(IDS, training=value),
    "training of a classifier": lambda value: classifier().forward(IDS, training=value),
    "show": lambda value: nb.Trainer(tagger()).train([(IDS[0], IDS[0] % 3)], show=value, should_stop=lambda: True),
    "colour": lambda value: TRACE.sparkline(0, colour=value),
    "colour of a text": lambda value: terminal_text("ab", [0, 1], colour=value),
    "colour of a legend": lambda value: terminal_legend("ab", colour=value),
    "gradients": lambda value: nb.trace(tagger(), IDS, target=IDS % 3).sparkline(0, gradients=value),
}


@pytest.mark.parametrize("called", TAKES_A_BOOL)
def test_what_is_no_bool_is_refused_where_a_bool_is_meant(called):
    for value in NOT_BOOLS:
        with pytest.raises(TypeError) as refused:
            TAKES_A_BOOL[called](value)
        assert str(refused.value) == f"{called.split()[0]} is {value!r}; it needs True or False"


@pytest.mark.parametrize("option", ["bidirectional", "bias"])
def test_what_keras_shapes_tell_may_be_none_or_a_bool(option):
    weights = to_keras(nb.BiLSTM(3, 4))
    assert from_keras(weights, **{option: None}).directions == from_keras(weights, **{option: np.True_}).directions
    for value in NOT_BOOLS:
        if value is not None:
            with pytest.raises(TypeError) as refused:
                from_keras(weights, **{option: value})
            assert str(refused.value) == f"{option} is {value!r}; it needs True or False"


@pytest.mark.parametrize("called", TAKES_A_BOOL)
def test_numpys_bools_are_bools(called):
    TAKES_A_BOOL[called](np.True_)


def test_false_means_false_everywhere():
    assert "0.forward.b" not in nb.LSTM(3, 4, bias=np.False_).params
    assert nb.GRU(3, 4, reset_after=np.False_).reset_after is False
    assert nb.LSTM(3, 4, bidirectional=np.False_).directions == ("forward",)
    assert repr(nb.LSTM(3, 4, peepholes=np.True_)) == "LSTM(3, 4, 1, peepholes=True)"


def test_a_bilstm_may_be_told_that_it_is_bidirectional():
    one, told = nb.BiLSTM(3, 4, rng=0), nb.BiLSTM(3, 4, rng=0, bidirectional=True)
    assert_all_close(told.params, one.params, 0)
    assert repr(told) == repr(one)
    with pytest.raises(ValueError, match="bidirectional is False; a BiLSTM has both directions, an LSTM may have one"):
        nb.BiLSTM(3, 4, bidirectional=False)


def test_the_options_that_there_are_are_listed_once_each():
    with pytest.raises(TypeError, match="BiLSTM has no option 'droput'; it has ") as refused:
        nb.BiLSTM(3, 4, droput=0.5)
    listed = str(refused.value).partition("it has ")[2].split(", ")
    assert len(set(listed)) == len(listed)
    assert {"bidirectional", "merge", "dropout", "peepholes"} <= set(listed)


NO_FRACTION = "it needs a number from 0 up to, but not including, 1"
SIZE_NAMES = [("input_size", 2), ("hidden_size", 5), ("num_layers", 2)]


def recurrent(**options):
    return nb.LSTM(3, 4, rng=0, **options)


SET_LATER = [
    *(
        (recurrent, "dropout", value, f"dropout is {value!r}; {NO_FRACTION}")
        for value in (1, 1.5, -0.1, "0.5", None, False)
    ),
    *((recurrent, "input_dropout", value, f"input_dropout is {value!r}; {NO_FRACTION}") for value in (1, "0.5")),
    *((recurrent, "recurrent_dropout", value, f"recurrent_dropout is {value!r}; ") for value in (1, np.nan, True, 1j)),
    *((lambda: nb.Dropout(0.5), "p", value, f"p is {value!r}; {NO_FRACTION}") for value in (1, -0.1, None, [0.5])),
    (recurrent, "merge", "max", "merge is 'max'; it needs one of 'concat', 'sum', 'mul', 'ave', None"),
    (recurrent, "merge", ["sum"], "merge is ['sum']; it needs one of"),
    (recurrent, "merge", np.array([1, 2]), "merge is array([1, 2]); it needs one of"),
    (recurrent, "store_every", 0, "store_every is 0; it needs to be at least 1"),
    (recurrent, "store_every", 2.5, "store_every is 2.5; it needs a whole number"),
    *((recurrent, name, 0, f"{name} is 0; it needs to be at least 1") for name, _ in SIZE_NAMES),
    *((recurrent, name, "3", f"{name} is '3'; it needs a whole number") for name, _ in SIZE_NAMES),
    (recurrent, "input_size", 2, "params['0.forward.Wx'] has shape (3, 16); it needs (2, 16)"),
    (recurrent, "hidden_size", 5, "params['0.forward.Wx'] has shape (3, 16); it needs (3, 20)"),
    (recurrent, "num_layers", 2, "params lacks '1.forward.Wx'"),
    (recurrent, "directions", ("forward", "reverse"), "params lacks '0.reverse.Wx'"),
    (recurrent, "directions", ("reverse",), "params lacks '0.reverse.Wx'"),
    (recurrent, "directions", ("both",), "directions is ('both',); it needs one of ('forward',), ('forward', 'r"),
    (recurrent, "bias", False, "params has '0.forward.b', which is none of"),
    (recurrent, "bias", "no", "bias is 'no'; it needs True or False"),
    (recurrent, "peepholes", True, "params lacks '0.forward.p'"),
    (recurrent, "peepholes", "no", "peepholes is 'no'; it needs True or False"),
    (recurrent, "coupled", True, "params['0.forward.Wx'] has shape (3, 16); it needs (3, 12)"),
    (recurrent, "coupled", 1, "coupled is 1; it needs True or False"),
    (recurrent, "projection_size", 2, "params lacks '0.forward.Wp'"),
    (recurrent, "projection_size", 0, "projection_size is 0; it needs to be at least 1"),
    (recurrent, "rng", 5, "rng is 5; a layer needs a generator, e.g. np.random.default_rng(5)"),
    (lambda: nb.GRU(3, 4), "reset_after", False, "params has '0.forward.b_hn', which is none of"),
    (lambda: nb.GRU(3, 4), "reset_after", "before", "reset_after is 'before'; it needs True or False"),
    (lambda: nb.GRU(3, 4), "dropout", 1, "dropout is 1; "),
    (lambda: nb.RNN(3, 4), "dropout", 1, "dropout is 1; "),
    (lambda: nb.RNN(3, 4), "nonlinearity", ["relu"], "nonlinearity is ['relu']; it needs one of 'tanh', 'sigmoid'"),
    (lambda: nb.RNN(3, 4), "nonlinearity", "elu", "nonlinearity is 'elu'; it needs one of 'tanh', 'sigmoid'"),
    (recurrent, "activation", "linear", "activation is 'linear'; it needs one of 'tanh', 'sigmoid', 'relu', 'hard_s"),
    (recurrent, "recurrent_activation", None, "recurrent_activation is None; it needs one of 'tanh', 'sigmoid'"),
    (lambda: nb.GRU(3, 4), "activation", "elu", "activation is 'elu'; it needs one of 'tanh', 'sigmoid'"),
    (
        lambda: nb.LSTM(3, 4, coupled=True),
        *("recurrent_activation", "relu", "recurrent_activation is 'relu'; coupled gates, f = 1 - i, need one of 'sig"),
    ),
    (lambda: nb.Dropout(0.5), "rng", None, "rng is None; a layer needs a generator"),
    (lambda: nb.Linear(3, 4), "input_size", 2, "params['W'] has shape (3, 4); it needs (2, 4)"),
    (lambda: nb.Linear(3, 4), "output_size", 5, "params['W'] has shape (3, 4); it needs (3, 5)"),
    (lambda: nb.Embedding(5, 4), "num_embeddings", 9, "params['W'] has shape (5, 4); it needs (9, 4)"),
    (lambda: nb.Embedding(5, 4), "embedding_size", 3, "params['W'] has shape (5, 4); it needs (5, 3)"),
    (classifier, "pooling", "sum", "pooling is 'sum'; it needs one of 'final', 'mean', 'max'"),
    (classifier, "pooling", None, "pooling is None; it needs one of"),
    (tagger, "cell", "gru", "recurrent is LSTM(2, 3, 1, bidirectional=True); it needs to be of the class GRU"),
    (tagger, "cell", "cnn", "cell is 'cnn'; it needs one of 'lstm', 'gru', 'rnn'"),
    (tagger, "dropout", 0.5, "dropout is 0.5; it needs to be of the class Dropout"),
    (tagger, "linear", None, "linear is None; it needs to be of the class Linear"),
    (tagger, "linear", nb.Linear(3, 3), "x has 6 features at its last axis; this layer was made with input_size=3"),
    (tagger, "rng", 5, "rng is 5; a layer needs a generator"),
]


def forward(layer):
    if isinstance(layer, nb.Dropout):
        return layer.forward(X, training=True)
    if isinstance(layer, nb.Linear):
        return layer.forward(X)
    if isinstance(layer, nb.Embedding):
        return layer.forward(IDS)
    return layer.forward(X if isinstance(layer, nb.layers.Recurrent) else IDS, training=True)


@pytest.mark.parametrize(("make", "name", "value", "sentence"), SET_LATER)
def test_an_option_set_later_to_what_it_cannot_be_is_named_by_the_next_pass(make, name, value, sentence):
    layer = make()
    forward(layer)
    setattr(layer, name, value)
    for _ in range(2):  # not only once
        with pytest.raises((TypeError, ValueError)) as refused:
            forward(layer)
        assert str(refused.value).startswith(sentence)


@pytest.mark.parametrize(("make", "name", "value", "sentence"), SET_LATER)
def test_a_copy_is_told_the_same_and_the_layer_itself_goes_on(make, name, value, sentence):
    layer = make()
    forward(layer)
    other = copy.deepcopy(layer)
    setattr(other, name, value)
    with pytest.raises((TypeError, ValueError)):
        forward(other)
    forward(layer)


def test_a_model_that_lacks_a_part_takes_no_params_either():
    model = tagger()
    params = dict(model.params)
    model.linear = None
    with pytest.raises(TypeError, match="linear is None; it needs to be of the class Linear"):
        model.with_params(params)


def test_a_merge_of_two_layers_changes_what_the_upper_one_needs():
    layer = nb.BiLSTM(3, 4, 2, rng=0)
    layer.merge = "sum"
    with pytest.raises(ValueError, match=r"params\['1.forward.Wx'\] has shape \(8, 16\); it needs \(4, 16\)"):
        layer.forward(X)


def test_options_set_later_to_what_they_may_be_act():
    changed = {"dropout": 0.5, "recurrent_dropout": np.float32(0.25), "store_every": np.int64(2), "merge": None}
    layer, made_so = nb.BiLSTM(3, 4, 2, rng=0), nb.BiLSTM(3, 4, 2, rng=0, **changed)
    for name, value in changed.items():
        setattr(layer, name, value)
    for got, expected in zip(layer.forward(X, training=True, rng=1)[:2], made_so.forward(X, training=True, rng=1)[:2]):
        assert_all_close(got, expected, 0)


@pytest.mark.parametrize("rng", ["seed", -1, 2.5])
def test_a_seed_that_is_none_is_named(rng):
    for make in (nb.LSTM, nb.Linear, nb.Embedding, nb.SequenceTagger):
        with pytest.raises(TypeError, match=f"rng is {rng!r}; it needs a seed, a generator or None"):
            make(3, 4, rng=rng)
    with pytest.raises(TypeError, match=f"rng is {rng!r}; it needs a seed, a generator or None"):
        nb.Dropout(rng=rng)
    for forward_of in (nb.LSTM(3, 4).forward, nb.Dropout(0.5).forward):
        with pytest.raises(TypeError, match=f"rng is {rng!r}; it needs a seed, a generator or None"):
            forward_of(X, training=True, rng=rng)


@pytest.mark.parametrize(("before", "after"), [("mul", "ave"), ("sum", "mul"), ("concat", None), (None, "concat")])
def test_backward_joins_the_directions_as_its_own_forward_did(before, after):
    for x in (X, X[0]):
        layer = nb.BiLSTM(3, 4, merge=before, rng=0)
        y, _, cache = layer.forward(x, training=True)
        expected = layer.backward(y, cache)
        layer.merge = after
        assert_all_close(layer.backward(y, cache), expected, 0)


@pytest.mark.parametrize("before", ["final", "mean", "max"])
@pytest.mark.parametrize("after", ["final", "mean", "max"])
def test_backward_pools_as_its_own_forward_did(before, after):
    model = classifier(pooling=before)
    logits, cache = model.forward(IDS, training=True)
    _, expected = model.backward(logits, cache)
    model.pooling = after
    assert_all_close(model.backward(logits, cache)[1], expected, 0)
