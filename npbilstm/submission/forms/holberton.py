"""Holberton: a plain RNN in both directions, forward alone; rows of h and x side by side, time first."""

from npbilstm.submission.form import Calls, Form

CELL = """
cell = BidirectionalCell(D, H, 3)
cell.Whf, cell.bhf, cell.Whb, cell.bhb = Whf, bhf[None], Whb, bhb[None]
cell.Wy, cell.by = np.cos(np.arange(6 * H)).reshape(2 * H, 3), np.array([[0.1, -0.2, 0.3]])
"""
STAND_IN = """
class Cell:
    def forward(self, h_prev, x_t):
        return np.tanh(np.hstack([h_prev, x_t]) @ Whf + bhf)
    def backward(self, h_next, x_t):
        return np.tanh(np.hstack([h_next, x_t]) @ Whb + bhb)
    def output(self, H):
        return np.exp(H @ self.Wy + self.by) / np.exp(H @ self.Wy + self.by).sum(axis=-1, keepdims=True)
cell = Cell()
cell.Wy, cell.by = np.cos(np.arange(6 * H)).reshape(2 * H, 3), np.array([[0.1, -0.2, 0.3]])
"""
OUTPUT = "Y = np.exp(y @ cell.Wy + cell.by) / np.exp(y @ cell.Wy + cell.by).sum(axis=-1, keepdims=True)"
BOTH = "Whf=forward.W bhf=forward.b Whb=reverse.W bhb=reverse.b"

FORM = Form(
    name="holberton",
    title="Holberton",
    layout="weights=(H+D,H) x=(T,N,D) b=(H)",
    words="bi_cell h_t h_next x_t",
    calls=(
        Calls(
            "rnn_step",
            """
            cell = BidirectionalCell(D, H, 3)
            cell.Whf, cell.bhf = W, b[None]
            h = cell.forward(h_prev, x)
            """,
            weights="W=W b=b",
        ),
        Calls(
            "rnn_reverse_step",
            """
            cell = BidirectionalCell(D, H, 3)
            cell.Whb, cell.bhb = W, b[None]
            h = cell.backward(h_prev, x)
            """,
            weights="W=W b=b",
        ),
        Calls(
            "softmax_output",
            """
            cell = BidirectionalCell(D, D // 2, V)
            cell.Wy, cell.by = Wy, by[None]
            probabilities = cell.output(x)
            """,
            weights="Wy=Wy by=by",
        ),
        Calls("birnn", CELL + "y, Y = bi_rnn(cell, x, h0[0], h0[1])", weights=BOTH, also=OUTPUT),
        Calls("birnn", STAND_IN + "y, Y = bi_rnn(cell, x, h0[0], h0[1])", weights=BOTH, also=OUTPUT),
    ),
)
