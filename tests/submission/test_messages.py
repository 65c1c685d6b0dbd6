"""What comes from the process that runs submitted code: whatever it is, it is right or it is a sentence."""

import io
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npbilstm import textbook
from npbilstm.printable import one_line
from npbilstm.submission import process, replies
from npbilstm.submission.errors import Interfered, SubmissionError, TimedOut
from npbilstm.submission.layouts import Layout
from npbilstm.submission.messages import encode_message, receive
from npbilstm.submission.process import SubmissionProcess
from npbilstm.submission.runner import FRAME, HEAD
from npbilstm.submission.specs import SPECS
from tests.submission.submitted_files import drawn

ASKED = {"h": (2, 3), "loss": (), "none": (0, 4)}
ARRAYS = {name: np.arange(np.prod(shape)).reshape(shape) + 0.5 for name, shape in ASKED.items()}


class Pipe(io.BytesIO):
    """Bytes that end before as much as is wanted is there: EOFError, as from a process."""

    def read(self, count=-1):
        data = super().read(count)
        if len(data) < count:
            raise EOFError
        return data


def test_what_is_sent_arrives():
    facts, arrays = receive(Pipe(encode_message({"a": ["ü\ud800", 1]}, ARRAYS)).read, ASKED)
    assert facts == {"a": ["ü\ud800", 1]}
    for name in ASKED:
        np.testing.assert_array_equal(arrays[name], ARRAYS[name], strict=True)
    given = {"lengths": np.array([2, 0]), "mask": np.array([True]), "T": np.array(4, np.int32)}
    _, arrays = receive(Pipe(encode_message({}, given)).read)
    for name in given:
        np.testing.assert_array_equal(arrays[name], given[name], strict=True)


def test_what_is_received_is_never_unpickled():
    with pytest.raises(ValueError, match="cannot create an OBJECT array from memory buffer"):
        receive(Pipe(encode_message({}, {"array": np.array([print, None])})).read)


def test_facts_are_as_long_as_they_may_be():
    empty = len(encode_message({"a": ""})) - FRAME.size
    message = encode_message({"a": "x" * (HEAD - empty)})
    assert receive(Pipe(message).read, {})[0]["a"].count("x") == HEAD - empty
    with pytest.raises(ValueError, match=f"there are 65,537 bytes of facts to tell; a message has at most {HEAD:,}"):
        encode_message({"a": "x" * (HEAD - empty + 1)})


@pytest.mark.parametrize("lengths", [(HEAD + 1, 0), (2**64 - 1, 0), (2, 3 * 10**9), (2, 1)])
def test_no_more_is_read_than_was_asked_for(lengths):
    wanted = []

    def read(count):
        wanted.append(count)
        return (FRAME.pack(*lengths) + b'{"arrays": []}')[sum(wanted[:-1]) :][:count]

    with pytest.raises(ValueError, match="it announces|it sends what is no answer"):
        receive(read, {})
    assert sum(wanted) <= FRAME.size + HEAD


def framed(head, body=b""):
    """A message of any bytes."""
    return FRAME.pack(len(head), len(body)) + head + body


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(list(ASKED)),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FORMS = st.lists(
    st.sampled_from([["h", "<f8", [2, 3]], ["loss", "<f8", []], ["none", "<f8", [0, 4]], ["h", "<f4", [2, 3]]])
)


@settings(max_examples=2 * settings().max_examples)
@given(
    head=st.binary(max_size=40)
    | ANY_JSON.map(lambda value: json.dumps(value).encode())
    | (ANY_JSON | FORMS).map(lambda value: json.dumps({"arrays": value}).encode()),
    body=st.binary(max_size=60) | st.sampled_from([bytes(48), bytes(56), bytes(8)]),
    kept=st.integers(0, 200),
)
def test_any_message_is_an_answer_or_no_answer(head, body, kept):
    try:
        facts, arrays = receive(Pipe(framed(head, body)[:kept]).read, ASKED)
    except EOFError:
        return
    except ValueError as error:
        assert str(error).startswith("it ")
        return
    assert isinstance(facts, dict)
    assert {name: array.shape for name, array in arrays.items()}.items() <= ASKED.items()
    assert all(array.dtype == float for array in arrays.values())


@pytest.mark.parametrize(
    "head", [b"[" * 60_000, b'{"a":' * 10_000, b"9" * 60_000, b"\xff\xfe", b'{"arrays": 1}', b"null"]
)
def test_a_message_that_json_chokes_on_is_no_answer(head):
    with pytest.raises(ValueError, match="^it sends "):
        receive(Pipe(framed(head)).read, ASKED)


H, LOSS = ["h", "<f8", [2, 3]], ["loss", "<f8", []]


@pytest.mark.parametrize(
    ("listed", "body", "sentence"),
    [
        ([H], 47, "it announces arrays of one length and sends them in another"),
        ([H, LOSS], 48, "it announces arrays of one length and sends them in another"),
        ([H, H], 96, "it sends one array twice"),
        ([["y", "<f8", [2, 3]]], 48, "it sends arrays that were not asked for"),
        ([["h", "<f8", [3, 2]]], 48, "or of another shape or dtype"),
        ([["h", "<f8", [-2, -3]]], 48, "or of another shape or dtype"),
        ([["h", "<f4", [2, 3]]], 24, "or of another shape or dtype"),
        ([["h", "|O", [2, 3]]], 48, "or of another shape or dtype"),
        ([["h", "<f8"]], 48, "or of another shape or dtype"),
        ({"h": H}, 48, "it sends arrays that were not asked for"),
    ],
)
def test_arrays_that_were_not_asked_for_are_no_answer(listed, body, sentence):
    message = framed(json.dumps({"arrays": listed}).encode(), bytes(body))
    with pytest.raises(ValueError, match=sentence):
        receive(Pipe(message).read, ASKED)


def test_where_no_arrays_were_asked_for_none_may_come():
    with pytest.raises(ValueError, match="it sends arrays that were not asked for"):
        receive(Pipe(encode_message({}, {"h": np.zeros((2, 3))})).read, {})


def test_a_size_is_a_whole_number_whatever_it_is_written_as():
    message = framed(json.dumps({"arrays": [["h", "<f8", [2.0, 3]]]}).encode(), bytes(48))
    assert receive(Pipe(message).read, ASKED)[1]["h"].shape == (2, 3)


class Forger:
    """In the place of the other process: it answers what it likes."""

    inner = 0

    def __init__(self, answer):
        self.answer, self.coming = answer, Pipe()

    def allow(self, seconds):
        pass

    def spent(self):
        return 0.0

    def send(self, message):
        facts, _ = receive(Pipe(message).read)
        self.coming = Pipe(self.answer(facts))

    def read(self, count):
        return self.coming.read(count)

    def exit_code(self):
        return 0

    def end(self):
        pass


def forged(answer, tmp_path, monkeypatch):
    """A file's process, answered for by `answer`, which is given each request, begin but for the first."""

    def numbered(request):
        told = {} if request["do"] == "begin" else answer(request)
        if told is EOFError:
            return b""
        facts, arrays = told if isinstance(told, tuple) else (told, {})
        return encode_message({"number": request["number"], **facts}, arrays)

    monkeypatch.setattr(process, "FORKS", False)  # so that no first process is asked for a copy
    monkeypatch.setattr(process, "PipedProcess", lambda *_: Forger(numbered))
    return SubmissionProcess(tmp_path / "own.py")


OPENED = {"functions": ["rnn_step_forward", "rnn_step_backward"], "others": [], "layout": Layout(), "pinned": []}
OPENED |= {"form": "textbook", "subjects": []}
PAIR: dict[str, list[str]] = {"uses": [], "absent": []}
ANSWERED = {"pair": PAIR, "findings": [], "changed": []}


SIZES = {"x": (3, 3), "h_prev": (3, 4), "Wx": (3, 4), "Wh": (4, 4), "b": (4,)}


def right_answers(request):
    """What a right file's process answers, but for the numbers."""
    if request["do"] == "open":
        return OPENED
    shapes = {"pair": {}, "forward": {"h": (3, 4)}, "backward": SIZES}[request["do"]]
    return ANSWERED, {name: np.zeros(shape) for name, shape in shapes.items()}


def run(submission):
    """Open a file and run both passes of its step."""
    with submission:
        pair = submission.pair("rnn_step")
        if pair is None or pair.backward is None:
            raise LookupError
        _, inputs, upstream = drawn("rnn_step", pair)
        outputs, run_number = pair.forward(inputs)
        return pair, outputs, pair.backward(upstream, run_number)


def test_right_answers_are_believed(tmp_path, monkeypatch):
    pair, outputs, gradients = run(forged(right_answers, tmp_path, monkeypatch))
    assert pair.functions == ("rnn_step_forward", "rnn_step_backward")
    assert outputs["h"].shape == (3, 4)
    assert list(gradients) == ["x", "h_prev", "Wx", "Wh", "b"]


FIELDS = [(OPENED, key) for key in OPENED] + [(PAIR, key) for key in PAIR] + [(ANSWERED, key) for key in ANSWERED]


@pytest.mark.few(2)
@settings(max_examples=25)
@pytest.mark.parametrize(("where", "key"), FIELDS, ids=[key for _, key in FIELDS])
@given(value=ANY_JSON | st.lists(st.text(max_size=9), max_size=5))
def test_any_field_is_believed_or_a_sentence(where, key, value, tmp_path_factory):
    def answer(request):
        answered = right_answers(request)
        facts, arrays = answered if isinstance(answered, tuple) else (answered, {})
        facts = json.loads(json.dumps(facts))
        place = facts.get("pair", {}) if where is PAIR else facts
        if key in place:
            place[key] = value
        return facts, arrays

    with pytest.MonkeyPatch.context() as patch:
        submission = forged(answer, tmp_path_factory.getbasetemp(), patch)
        try:
            pair, *_ = run(submission)
        except Interfered as error:
            assert "own.py interfered with the process that runs it: " in str(error)
            assert "\n" not in str(error)
        except LookupError:  # it says that the file has no such functions
            assert submission.functions <= set(textbook.__all__)
        else:
            for text in (*submission.others, *pair.findings, *pair.changed):
                assert text == one_line(text, 1000)


def test_what_interferes_once_is_never_believed_again(tmp_path, monkeypatch):
    wrong = [{}]

    def answer(request):
        return wrong.pop() if wrong and request["do"] == "forward" else right_answers(request)

    with forged(answer, tmp_path, monkeypatch) as submission:
        pair = submission.pair("rnn_step")
        inputs = {name: np.zeros(shape) for name, shape in SIZES.items()}
        for _ in range(2):
            with pytest.raises(
                Interfered, match="own.py interfered with the process that runs it: asked for rnn_step_f"
            ):
                pair.forward(inputs)


@pytest.mark.parametrize("number", [-1, None, "0", float("nan")])
def test_an_answer_to_what_nobody_has_asked_is_a_sentence(number, tmp_path, monkeypatch):
    submission = forged(lambda request: {**OPENED, "number": number}, tmp_path, monkeypatch)
    with pytest.raises(Interfered, match="own.py interfered with the process that runs it: it answers what nobody has"):
        run(submission)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (0, "^own.py ended the process that it runs in, with exit code 0$"),
        (-11, "^own.py ended the process that it runs in, by signal SIGSEGV$"),
        (-40, "^own.py ended the process that it runs in, by signal 40$"),
        (None, "^own.py interfered with the process that runs it: it closed the pipe that its answers come by$"),
    ],
)
def test_the_end_of_the_answers_is_a_sentence(code, sentence, tmp_path, monkeypatch):
    monkeypatch.setattr(Forger, "exit_code", lambda self: code)
    with pytest.raises(SubmissionError, match=sentence):
        run(forged(lambda request: EOFError, tmp_path, monkeypatch))


@pytest.mark.parametrize("lacking", ["x", "h_prev", "Wx", "Wh", "b"])
def test_every_gradient_is_asked_for(lacking, tmp_path, monkeypatch):
    def answer(request):
        answered = right_answers(request)
        if request["do"] == "backward":
            del answered[1][lacking]
        return answered

    with pytest.raises(Interfered, match=f"asked for rnn_step_backward, it gives no {lacking}$"):
        run(forged(answer, tmp_path, monkeypatch))


def test_gradients_of_what_a_function_does_not_take_are_not_asked_for(tmp_path, monkeypatch):
    def answer(request):
        if request["do"] == "open":
            return OPENED
        facts, arrays = right_answers(request)
        arrays.pop("b", None)
        return {**facts, "pair": {**PAIR, "absent": ["b"]}}, arrays

    pair, _, gradients = run(forged(answer, tmp_path, monkeypatch))
    assert pair.absent == {"b"}
    assert list(gradients) == ["x", "h_prev", "Wx", "Wh"]


def test_a_forward_pass_gives_all_outputs_or_the_first_and_always_the_same(tmp_path, monkeypatch):
    gives = []

    def answer(request):
        if request["do"] == "open":
            return {**OPENED, "functions": ["lstm_forward"]}
        shapes = {"h": (3, 5, 4), "h_T": (3, 4), "c_T": (3, 4)}
        return ANSWERED, {name: np.zeros(shapes[name]) for name in (gives if request["do"] == "forward" else [])}

    def given(*names):
        gives[:] = names
        return list(pair.forward(inputs)[0])

    spec = SPECS["lstm"]
    sizes = {"N": 3, "T": 5, "D": 2, "H": 4}
    inputs = {name: np.zeros(replies.shape_of(axes, sizes)) for name, axes in spec.inputs.items()}
    with forged(answer, tmp_path, monkeypatch) as submission:
        pair = submission.pair("lstm")
        assert given("c_T", "h", "h_T") == ["h", "h_T", "c_T"]
        with pytest.raises(
            SubmissionError, match="lstm_forward returned h, h_T, c_T at one call, h at another; it needs to c"
        ):
            given("h")
        pair = submission.pair("lstm")
        assert given("h") == ["h"]
        with pytest.raises(Interfered, match="it gives no c_T$"):
            given("h", "h_T")


def test_an_error_is_bounded_and_printable(tmp_path, monkeypatch):
    submission = forged(lambda request: {"error": "\x1b[31m" + "x" * 50_000}, tmp_path, monkeypatch)
    with pytest.raises(SubmissionError) as caught:
        run(submission)
    assert str(caught.value).startswith("\ufffd[31mxxx")
    assert str(caught.value).endswith(f"x ... ({50_005 - replies.ERROR:,} more characters)")


@pytest.mark.parametrize("error", [None, 7, [], {}, True, 1e400])
def test_an_error_that_is_no_text_is_a_sentence(error, tmp_path, monkeypatch):
    with pytest.raises(Interfered, match="own.py interfered with the process that runs it: it says what cannot be so"):
        run(forged(lambda request: {"error": error}, tmp_path, monkeypatch))


def test_findings_are_bounded_and_on_one_line(tmp_path, monkeypatch):
    def answer(request):
        answered = right_answers(request)
        if request["do"] == "open":
            return answered
        return {**answered[0], "findings": ["a\nb\x1b" + "x" * 5000]}, answered[1]

    pair, *_ = run(forged(answer, tmp_path, monkeypatch))
    (finding,) = pair.findings
    assert finding.startswith("a b\ufffdxxx")
    assert len(finding) < 600


def test_time_that_is_used_up_is_a_sentence_for_all_that_was_not_reached(tmp_path, monkeypatch):
    with forged(right_answers, tmp_path, monkeypatch) as submission:
        pair = submission.pair("rnn_step")
        submission.left = 0.0
        inputs = {name: np.zeros(shape) for name, shape in SIZES.items()}
        for function in (lambda: submission.pair("rnn_step"), lambda: pair.forward(inputs)):
            with pytest.raises(TimedOut, match="^rnn_step_forward was not reached: own.py had taken 60 s in all$"):
                function()
