"""Right answers in the forms of courses and books are judged as they stand, and mistakes in them are found."""

import ast
import re
from pathlib import Path

import pytest

import npbilstm as nb
from npbilstm.cli import main
from npbilstm.submission.errors import SubmissionError
from npbilstm.submission.form import CallsRead
from npbilstm.submission.forms import FORMS, form_called

ANSWERS = {path.stem: path for path in sorted(Path(__file__).with_name("forms").glob("[a-z]*.py"))}
SHARED = Path(__file__).parents[3] / "shared" / "courses"
"""Right answers that others wrote, where they are at hand."""


def namespace(source):
    """What a source defines, as a notebook would hold it."""
    names = {"__name__": "__main__"}
    exec(compile(source, "<submitted>", "exec"), names)
    return names


@pytest.mark.few(2)
@pytest.mark.parametrize("name", ANSWERS)
def test_a_right_answer_is_right_and_all_of_it_is_judged(name):
    report = nb.diagnose(namespace(ANSWERS[name].read_text()))
    assert report.ok, report
    assert report.read_as[0].startswith("Read as ")
    assert len(report.read_as) == 1 or "layers" in name  # no layout needs to be found out


@pytest.mark.skipif(not SHARED.exists(), reason="they are kept elsewhere")
@pytest.mark.parametrize("path", sorted(SHARED.glob("*.py")), ids=lambda path: path.stem)
def test_right_answers_of_others_are_right_too(path):
    assert nb.diagnose(namespace(path.read_text())).ok


@pytest.mark.slow
@pytest.mark.parametrize("form", [name for name in FORMS if name != "layers"])
def test_every_subject_of_a_form_is_in_its_right_answer(form):
    answers = [path for name, path in ANSWERS.items() if name.startswith(form.replace("-", "_"))]
    reports = [nb.diagnose(namespace(path.read_text())) for path in answers]
    subjects = {diagnosis.subject for report in reports for diagnosis in report.diagnoses}
    assert {calls.subject for calls in FORMS[form].calls} <= subjects


@pytest.mark.parametrize("form", FORMS)
def test_a_form_says_which_arrays_it_takes_and_gives(form):
    for calls in FORMS[form].calls:
        read = CallsRead(FORMS[form], calls)
        assert read.inputs | read.absent >= set(read.spec.inputs)
        assert read.outputs
        assert set(read.gradients) <= read.inputs
        assert read.functions


OTHER_WAYS = [
    ("coursera", r"def rnn_cell_backward.*?(?=def lstm_cell_forward)", "", 5),
    ("coursera", r"def lstm_cell_backward.*", "", 5),
    ("coursera", r"return a_next, yt_pred, \(", "return a_next, (", 0),
    ("coursera", r", dtype=float", "", 5),
    ("saito", r"    def set_state\(.*?(?=\n\n)", "", 11),
    ("saito", r"np\.empty\(\(N, T, (H|Wh.shape\[0\])\)\)", r"np.empty((N, T, \1), dtype='f')", 11),
    ("saito", r"class TimeGRU.*?(?=class TimeLSTM)", "", 10),
    ("saito", r"dx = ys\.copy\(\)", "dx = ys", 11),
    ("min_char_rnn", "lossFun", "loss_func", 1),
    ("min_char_rnn", r"    for gradient in .*?out=gradient\)\n", "", 1),
    ("edinburgh", r"    def predict.*?(?=    def acc)", "", 3),
    ("cmu11785", r"class RNNCell.*?(?=def sigmoid)", "", 2),
    ("cmu11785", r"return dx, delta \* self.z(.*?)\n", r"return dx[None], (delta * self.z\1)[None]\n", 4),
    ("cs231n", r"def word_embedding_forward.*?(?=def temporal_affine_forward)", "", 7),
    ("cs231n", "prev_h", "h_prev", 8),
    ("holberton", r"def bi_rnn.*", "", 3),
]


@pytest.mark.few(2)
@pytest.mark.parametrize(("name", "pattern", "new", "count"), OTHER_WAYS)
def test_a_right_answer_that_is_written_in_another_way_or_in_part_is_right(name, pattern, new, count):
    source = re.sub(pattern, new, ANSWERS[name].read_text(), flags=re.DOTALL)
    report = nb.diagnose(namespace(source))
    assert report.verdict != "wrong", report
    unread = {each.name.partition(".")[0] for each in report.not_judged}
    assert not unread or count == 0 or unread <= {"softmax", "RNNPhonemeClassifier"}
    assert not count or sum(diagnosis.ok for diagnosis in report.diagnoses) == count, report


MISTAKES = [
    ("cs231n", "dc * f, x.T", "dc, x.T", "dc-prev-factor-missing"),
    ("cs231n", "np.add.at(dW, x, dout)", "dW[x] += dout", ""),
    ("cs231n", "flat.sum(axis=0)", "flat.mean(axis=0)", ""),
    ("cs231n", "dx * weight[:, None] / N", "dx / N", ""),
    ("coursera", "da[:, :, t] + carry, carry_c, caches", "da[:, :, t], carry_c, caches", "dh-carry-missing"),
    ("coursera", "dc * c_prev * ft * (1 - ft)", "dc * c_next * ft * (1 - ft)", "df-wrong-cell-state"),
    ("coursera", "dc * ft}", "dc * it}", "dc-prev-wrong-gate"),
    ("coursera", 'softmax(parameters["Wy"] @ a_next', 'sigmoid(parameters["Wy"] @ a_next', ""),
    ("cs231n", "i, f, o, g = sigmoid(a[:, :H])", "f, i, o, g = sigmoid(a[:, :H])", ""),
    (
        "coursera",
        "concat = np.concatenate((a_prev, xt), axis=0)\n    ft",
        "concat = np.concatenate((xt, a_prev))\n    ft",
        "",
    ),
    ("layers", "dh * (1 - z) + back * r", "dh * (1 - z) + back", "gru-before-dh-in-reset-missing"),
    ("layers", "dc * c_prev * f * (1 - f)", "dc * c * f * (1 - f)", "df-wrong-cell-state"),
    ("cmu11785", "self.dbrh += dr", "self.dbrh += dn", ""),
    ("cmu11785", "self.db_hh += dz.mean(axis=0)", "self.db_hh = dz.mean(axis=0)", ""),
    ("cmu11785", "self.dW_ih += dz.T @ h_prev_l / batch_size", "self.dW_ih += dz.T @ h_prev_l", ""),
    ("saito", "ds * c_prev * f * (1 - f)", "ds * c_next * f * (1 - f)", "df-wrong-cell-state"),
    ("saito", "z * h_hat\n", "z * h_hat * 2\n", ""),
    ("saito", "[:, ::-1, H:])[:, ::-1]", "[:, ::-1, H:])", ""),
    ("min_char_rnn", "+ dhnext)", ")", "recurrent-carry-missing"),
    ("min_char_rnn", "draw @ hs[t - 1].T", "draw @ hs[t].T", ""),
    ("edinburgh", "np.outer(delta_in, s[k - 1])", "np.outer(delta_in, s[k])", ""),
    ("edinburgh", "max(t - steps, 0) - 1", "-1", ""),
    ("holberton", "X[t - 1 - k])", "X[k])", ""),
    ("holberton", "np.concatenate((h_next, x_t), axis=1)", "np.concatenate((h_next, 2 * x_t), axis=1)", ""),
]


@pytest.mark.few(2)
@pytest.mark.parametrize(("name", "old", "new", "bug"), MISTAKES)
def test_a_mistake_in_a_form_is_found(name, old, new, bug):
    source = ANSWERS[name].read_text()
    assert old in source
    report = nb.diagnose(namespace(source.replace(old, new)))
    assert report.verdict == "wrong", report
    assert not any(said.startswith("Layout") for said in report.read_as) or name == "layers"
    named = {one.id for diagnosis in report.diagnoses for bugs in diagnosis.named for one in bugs}
    assert not bug or bug in named, report


@pytest.mark.few(1)
@pytest.mark.parametrize("name", ANSWERS)
def test_a_right_answer_is_right_in_a_process_of_its_own(name, capsys):
    assert main(["check", str(ANSWERS[name])]) == 0, capsys.readouterr().out


NOTHING = "next_h, cache = None, None\nreturn next_h, cache"
STUBS = [
    ("cs231n", "rnn_step_forward", NOTHING),
    ("cs231n", "rnn_step_backward", "dx, dprev_h, dWx, dWh, db = [None] * 5\nreturn dx, dprev_h, dWx, dWh, db"),
    ("cs231n", "word_embedding_backward", "pass"),
    ("cs231n", "temporal_softmax_loss", "return None, None"),
    (
        "coursera",
        "rnn_cell_backward",
        "(a_next, a_prev, xt, parameters) = cache\nreturn {'dxt': None, 'da_prev': None}",
    ),
    ("coursera", "lstm_cell_forward", NOTHING.replace("next_h, cache", "a_next, c_next, yt_pred, cache")),
    ("coursera", "lstm_backward", "raise NotImplementedError"),
    ("cmu11785", "forward", "return NotImplemented"),
    ("cmu11785", "backward", "raise NotImplementedError('to do')"),
    ("saito", "backward", "..."),
    ("holberton", "output", "return None"),
    ("min_char_rnn", "lossFun", "return None, None, None, None, None, None, None"),
    ("edinburgh", "acc_deltas_bptt", "pass"),
    ("layers", "forward", "pass"),
    ("layers_gru", "backward", "return None"),
]


@pytest.mark.few(2)
@pytest.mark.parametrize(("name", "function", "body"), STUBS)
def test_a_stub_in_a_form_is_not_yet_written_and_what_calls_it_is_not_called_wrong(name, function, body):
    tree = ast.parse(ANSWERS[name].read_text())
    found = next(each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef) and each.name == function)
    found.body = ast.parse(body).body
    report = nb.diagnose(namespace(ast.unparse(tree)))
    assert report.verdict == "not judged", report
    reasons = [each.reason for each in report.not_judged if each.name.endswith(function)]
    assert any(reason.startswith("it is not written yet") for reason in reasons), report
    assert not any("has numbers that are not finite" in each.reason for each in report.not_judged)


TEACHERS = """
from npbilstm.submission.form import Calls, Form

FORM = Form(
    name="mine",
    title="my own course",
    layout="gates=fico weights=(4H,D+H) x=(T,N,D)",
    calls=(
        Calls(
            "lstm_step",
            "layer = Memory(D, H)\\nlayer.M, layer.bias = W, b\\nh, c = layer.step(x, (h_prev, c_prev))",
            "dx, (dh_prev, dc_prev) = layer.back((dh, dc))\\ndW, db = layer.slopes['M'], layer.slopes['bias']",
            weights="W=W b=b",
        ),
    ),
)
"""
MEMORY = """
import numpy as np

class Memory:
    def __init__(self, n_in, n_units):
        self.M, self.bias, self.slopes = None, None, {}

    def step(self, x, state):
        h, c = state
        self.z = np.hstack([x, h])
        f, i, g, o = np.split(self.z @ self.M.T + self.bias, 4, axis=1)
        self.f, self.i, self.o = (1 / (1 + np.exp(-a)) for a in (f, i, o))
        self.g, self.c, self.D = np.tanh(g), c, x.shape[1]
        self.t = np.tanh(self.f * c + self.i * self.g)
        return self.o * self.t, self.f * c + self.i * self.g

    def back(self, dstate):
        dh, dc = dstate
        dc = dc + dh * self.o * (1 - self.t**2)
        da = np.hstack([dc * self.c * self.f * (1 - self.f), dc * self.g * self.i * (1 - self.i),
                        dc * self.i * (1 - self.g**2), dh * self.t * self.o * (1 - self.o)])
        self.slopes = {"M": da.T @ self.z, "bias": da.sum(0)}
        dz = da @ self.M
        return dz[:, : self.D], (dz[:, self.D :], dc * self.f)
"""


def test_a_teachers_own_form_is_a_file(tmp_path, capsys):
    (tmp_path / "mycourse.py").write_text(TEACHERS)
    (tmp_path / "memory.py").write_text(MEMORY)
    assert [each.name for each in nb.diagnose(namespace(MEMORY)).not_judged] == ["Memory"]
    assert main(["check", str(tmp_path / "memory.py"), "--form", str(tmp_path / "mycourse.py")]) == 0
    assert "Read as my own course has it, by Memory.step, Memory.back." in capsys.readouterr().out
    wrong = MEMORY.replace("dc * self.f)", "dc)")
    report = nb.diagnose(namespace(wrong), form=str(tmp_path / "mycourse.py"))
    assert [bugs[0].id for bugs in report.diagnoses[0].named] == ["dc-prev-factor-missing"]


def test_a_form_may_be_pinned():
    source = ANSWERS["cs231n"].read_text().partition("def lstm_forward")[0]
    assert not any(said.startswith("Read as") for said in nb.diagnose(namespace(source), form="textbook").read_as)
    assert nb.diagnose(namespace(source), form="cs231n", strict=True).ok
    assert nb.diagnose(namespace(source), form="textbook", strict=True).verdict == "wrong"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "form is cs224n; it needs one of textbook, cs231n, coursera"),
        ("", "is no form: TypeError: it sets no FORM"),
        ("x = (", "is no form: SyntaxError"),
        (TEACHERS.replace('"lstm_step"', '"lstm_stop"'), "is no form: there is no subject 'lstm_stop'"),
        (TEACHERS.replace("h, c = layer", "h, c = (layer"), "is no form: SyntaxError"),
    ],
)
def test_what_is_no_form_is_a_sentence(text, sentence, tmp_path):
    name = "cs224n"
    if text is not None:
        name = str(tmp_path / "mycourse.py")
        Path(name).write_text(text)
    with pytest.raises(SubmissionError) as error:
        form_called(name)
    assert sentence in str(error.value)


def test_a_call_that_the_form_has_otherwise_is_a_sentence():
    source = ANSWERS["coursera"].read_text().replace("    return a_next, c_next, yt_pred, (a", "    return 2, (a")
    (stopped,) = nb.diagnose({"lstm_cell_forward": namespace(source)["lstm_cell_forward"]}).not_judged
    assert stopped.name == "lstm_cell_forward"
    assert "the Deep Learning Specialization calls it so, h, c, *y, cache = lstm_cell_forward" in stopped.reason


def test_the_guides_form_judges_the_guides_class(tmp_path):
    guide = (Path(__file__).parents[2] / "tutorials" / "guides" / "forms.md").read_text()
    for block in re.findall(r"```python\n(.*?)```", guide, re.DOTALL):
        (tmp_path / block.partition("\n")[0].removeprefix("# ")).write_text(block)
    source = (tmp_path / "memory.py").read_text()
    report = nb.diagnose(namespace(source), form=str(tmp_path / "mycourse.py"))
    assert report.ok
    assert report.read_as == ("Read as my course has it, by Memory.step, Memory.back",)


def test_every_form_is_in_the_guide():
    guide = (Path(__file__).parents[2] / "tutorials" / "guides" / "forms.md").read_text()
    assert all(f"| `{name}` |" in guide for name in ["textbook", *FORMS])


@pytest.mark.slow
def test_an_endless_loop_in_a_forms_function_is_a_sentence_and_the_rest_is_judged(tmp_path, capsys):
    path = tmp_path / "loops.py"
    source = ANSWERS["coursera"].read_text()
    path.write_text(
        source.replace(
            '    caches = []\n    n_x, m, T_x = x.shape\n    n_y, n_a = parameters["Wy"]',
            '    while True: pass\n    n_y, n_a = parameters["Wy"]',
        )
    )
    assert main(["check", str(path), "--seconds", "0.5"]) == 3
    out = " ".join(capsys.readouterr().out.split())
    assert "not judged lstm_forward, lstm_backward: lstm_forward had not ended after 0.5 s (an endless loop?)" in out
    assert "ok rnn_forward, rnn_backward" in out


def test_globals_that_a_form_sets_are_as_they_were_afterwards():
    names = namespace(ANSWERS["min_char_rnn"].read_text())
    before = {name: names[name] for name in ("Wxh", "by", "vocab_size", "hidden_size")}
    assert nb.diagnose(names).ok
    assert all(names[name] is value for name, value in before.items())


@pytest.mark.slow
def test_a_place_is_said_in_the_submissions_own_names():
    source = ANSWERS["coursera"].read_text().replace("da_next * ot * (1 - tanh_c**2)", "da_next * ot * 1.7")
    names = namespace(source)
    cell = {name: names[name] for name in ("lstm_cell_forward", "lstm_cell_backward")}
    assert nb.diagnose(cell).diagnoses[0].located == ("dc in lstm_cell_backward",)
    source = ANSWERS["edinburgh"].read_text().replace("* grad(s[k])", "* s[k]")
    places = nb.diagnose(namespace(source)).diagnoses[1].located
    assert all(place.endswith(" in RNN.acc_deltas_bptt") for place in places)


@pytest.mark.slow
def test_an_unknown_mistake_in_a_form_without_a_batch_has_a_place():
    source = ANSWERS["cmu11785"].read_text().replace("dn * self.inner * self.r * (1", "dn * self.inner * (1")
    (found,) = nb.diagnose({"GRUCell": namespace(source)["GRUCell"]}).diagnoses
    assert found.verdict == "wrong"
    assert found.located or found.perhaps
