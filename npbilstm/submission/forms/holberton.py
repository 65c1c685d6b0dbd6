"""Holberton: cells and a plain RNN in both directions, forward alone; rows of h and x side by side, time first."""

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
OUTPUT = "Y = softmax(y @ cell.Wy + cell.by, -1)"
CELL_OUTPUT = "y = softmax(h @ cell.Wy + cell.by, -1)"
SET_OUTPUT = "cell.Wy, cell.by = np.cos(np.arange(3 * H)).reshape(H, 3), np.array([[0.1, -0.2, 0.3]])"
GATES = "vars(cell).update({name: array if array.ndim == 2 else array[None] for name, array in weights.items()})"
BOTH = "Whf=forward.W bhf=forward.b Whb=reverse.W bhb=reverse.b"

FORM = Form(
    name="holberton",
    title="Holberton",
    layout="weights=(H+D,H) x=(T,N,D) b=(H) update=writes",
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
        Calls(
            "rnn_step",
            f"""
            cell = RNNCell(D, H, 3)
            cell.Wh, cell.bh = W, b[None]
            {SET_OUTPUT}
            h, y = cell.forward(h_prev, x)
            """,
            weights="W=W b=b",
            also=CELL_OUTPUT,
        ),
        Calls(
            "gru_reset_before_step",
            f"""
            cell = GRUCell(D, H, 3)
            {GATES}
            {SET_OUTPUT}
            h, y = cell.forward(h_prev, x)
            """,
            weights="Wz=W[z] bz=b[z] Wr=W[r] br=b[r] Wh=W[n] bh=b[n]",
            also=CELL_OUTPUT,
        ),
        Calls(
            "lstm_step",
            f"""
            cell = LSTMCell(D, H, 3)
            {GATES}
            {SET_OUTPUT}
            h, c, y = cell.forward(h_prev, c_prev, x)
            """,
            weights="Wf=W[f] bf=b[f] Wu=W[i] bu=b[i] Wc=W[g] bc=b[g] Wo=W[o] bo=b[o]",
            also=CELL_OUTPUT,
        ),
        Calls(
            "rnn",
            f"""
            cell = RNNCell(D, H, 3)
            cell.Wh, cell.bh = W, b[None]
            {SET_OUTPUT}
            states, y = rnn(cell, x, h0)
            h = states[1:]
            """,
            weights="W=W b=b",
            also=CELL_OUTPUT,
        ),
        Calls("birnn", CELL + "y, Y = bi_rnn(cell, x, h0[0], h0[1])", weights=BOTH, also=OUTPUT),
        Calls("birnn", STAND_IN + "y, Y = bi_rnn(cell, x, h0[0], h0[1])", weights=BOTH, also=OUTPUT),
    ),
)
