"""Mistakes in forward passes that the catalogue has not, planted by hand in the forms: what was written, what is
written instead, and whose equation that is."""

from pathlib import Path
from typing import NamedTuple

FORMS = Path(__file__).parents[1] / "submission" / "forms"


class Plant(NamedTuple):
    """A mistake in the file of a form. equations: where it is, in the textbook's names."""

    form: str
    old: str
    new: str
    equations: tuple[str, ...]

    @property
    def source(self) -> str:
        """The file with the mistake."""
        right = (FORMS / f"{self.form}.py").read_text()
        assert right.count(self.old) >= 1, self
        return right.replace(self.old, self.new, 1)


CS231N = "sigmoid(a[:, :H]), sigmoid(a[:, H : 2 * H]), sigmoid(a[:, 2 * H : 3 * H]), np.tanh(a[:, 3 * H :])"
SAITO_Z = "z = sigmoid(np.dot(x, Wx[:, :H]) + np.dot(h_prev, Wh[:, :H]) + b[:H])"
SAITO_R = "np.dot(h_prev, Wh[:, H : 2 * H]) + b[H : 2 * H])"
SAITO_N = "np.tanh(np.dot(x, Wx[:, 2 * H :]) + np.dot(r * h_prev, Wh[:, 2 * H :]) + b[2 * H :])"
CMU_R = "self.r = sigmoid(self.Wrx @ x + self.brx + self.Wrh @ h_prev_t + self.brh)"
CMU_N = "self.n = np.tanh(self.Wnx @ x + self.bnx + self.r * self.inner)"
CMU_H = "(1 - self.z) * self.n + self.z * h_prev_t"

GATES_O = 'o = sig(p["Wo"] @ z + p["bo"])'

PLANTS = (
    Plant("cs231n", CS231N, CS231N.replace("a[:, H : 2 * H]", "a[:, :H]"), ("f",)),
    Plant("cs231n", CS231N, CS231N.replace("a[:, 3 * H :]", "1.1 * a[:, 3 * H :]"), ("g",)),
    Plant("cs231n", CS231N, CS231N.replace("a[:, 2 * H : 3 * H]", "a[:, 2 * H : 3 * H] - b[:H]"), ("o",)),
    Plant("cs231n", "next_c = f * prev_c + i * g", "next_c = f * prev_c + 0.9 * i * g", ("c",)),
    Plant("cs231n", "next_c = f * prev_c + i * g", "next_c = f * prev_c + i * f", ("c",)),
    Plant("cs231n", "next_h = o * np.tanh(next_c)", "next_h = o * np.tanh(next_c) ** 2", ("h", "tanh_c")),
    Plant("cs231n", "next_h = o * np.tanh(next_c)", "next_h = o * np.tanh(next_c + 0.1 * prev_c)", ("h", "tanh_c")),
    Plant("cs231n", "x.dot(Wx) + prev_h.dot(Wh) + b)", "x.dot(Wx) + prev_h.dot(Wh) - b)", ("a",)),
    Plant("cs231n", "np.tanh(x.dot(Wx)", "0.5 * np.tanh(x.dot(Wx)", ("h",)),
    Plant("saito", "sigmoid(A[:, 3 * H :])", "sigmoid(A[:, 3 * H :] - b[3 * H :])", ("o",)),
    Plant("saito", "c_next = f * c_prev + g * i", "c_next = f * c_prev + g * i * o", ("c",)),
    Plant("saito", "(1 - z) * h_prev + z * h_hat", "(1 - z) * h_prev + z * h_hat * r", ("h",)),
    Plant("saito", "(1 - z) * h_prev + z * h_hat", "(1 - r) * h_prev + z * h_hat", ("h",)),
    Plant("saito", SAITO_Z, SAITO_Z.replace(" + b[:H]", ""), ("z",)),
    Plant("saito", SAITO_R, SAITO_R.replace("h_prev", "1.5 * h_prev"), ("r",)),
    Plant("saito", SAITO_N, SAITO_N.replace("r * h_prev", "(1 - r) * h_prev"), ("n",)),
    Plant("cmu11785", CMU_R, CMU_R.replace("Wrh", "Wzh"), ("r",)),
    Plant("cmu11785", CMU_N, CMU_N.replace("self.r * self.inner", "self.z * self.inner"), ("n",)),
    Plant("cmu11785", CMU_N, CMU_N.replace(" + self.bnx", ""), ("n",)),
    Plant("cmu11785", CMU_H, CMU_H.replace("self.z * h_prev_t", "self.z * self.r * h_prev_t"), ("h",)),
    Plant("cmu11785", "self.Wnh @ h_prev_t + self.bnh", "self.Wnh @ h_prev_t - self.bnh", ("q",)),
    Plant("coursera", 'it = sigmoid(parameters["Wi"]', 'it = 0.9 * sigmoid(parameters["Wi"]', ("i",)),
    Plant("coursera", 'np.tanh(parameters["Wc"] @ concat', 'np.tanh(parameters["Wi"] @ concat', ("g",)),
    Plant("coursera", "c_next = ft * c_prev + it * cct", "c_next = ft * (c_prev + it * cct)", ("c",)),
    Plant("coursera", "a_next = ot * np.tanh(c_next)", "a_next = ft * np.tanh(c_next)", ("h",)),
    Plant("layers_of_gates", GATES_O, GATES_O.replace('p["bo"]', '2 * p["bo"]'), ("o",)),
    Plant("layers_of_gates", "c = f * c + i * g", "c = f * c + i * g * 0.5", ("c",)),
    Plant("layers_of_gates", "h = o * np.tanh(c)", "h = o * np.tanh(c + cp)", ("h", "tanh_c")),
    Plant("layers_gru", "h = z * h + (1 - z) * n", "h = z * h + (1 - z) * n * r", ("h",)),
    Plant("layers_gru", "h @ self.Ur + self.br)", "h @ self.Uz + self.br)", ("r",)),
    Plant("min_char_rnn", "hs[t] = np.tanh(", "hs[t] = 0.9 * np.tanh(", ("h", "a")),
    Plant("holberton_cells", "f * c_prev + u *", "f * c_prev + o *", ("c",)),
    Plant("holberton_cells", "h_next = (1 - z) * h_prev + z *", "h_next = (1 - z) * h_prev + r *", ("h",)),
    Plant("holberton_cells", "h_next = o * np.tanh(c_next)", "h_next = o * np.tanh(c_next + 1)", ("h", "tanh_c")),
    Plant("holberton_cells", "np.hstack((r * h_prev, x_t))", "np.hstack((z * h_prev, x_t))", ("n",)),
)
