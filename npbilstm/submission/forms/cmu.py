"""CMU 11-785, homework 3, part 1: cells that add up their gradients in attributes; an RNN's are divided by the rows."""

from npbilstm.submission.form import Calls, Form

RNN = "W_ih=Wx W_hh=Wh b_ih=b b_hh=b"
GRU = (
    "Wrx=Wx[r] Wzx=Wx[z] Wnx=Wx[n] Wrh=Wh[r] Wzh=Wh[z] Wnh=Wh[n] brx=b[r] bzx=b[z] bnx=b[n] brh=b[r] bzh=b[z] bnh=b_hn"
)

FORM = Form(
    name="cmu11785",
    title="CMU 11-785",
    layout="weights=(H,D)",
    words="h_prev_t h_prev_l delta",
    calls=(
        Calls(
            "rnn_step",
            """
            cell = RNNCell(D, H)
            cell.init_weights(W_ih, W_hh, b_ih, b_hh)
            h = cell.forward(x, h_prev)
            """,
            """
            dx, dh_prev = cell.backward(dh, h, x, h_prev)
            grads = {name: N * grad for name, grad in vars(cell).items() if name.startswith("d")}
            """,
            weights=RNN,
            adds=True,
        ),
        Calls(
            "gru_step",
            """
            cell = GRUCell(D, H)
            vars(cell).update(weights)
            h = cell.forward(x, h_prev)
            """,
            """
            dx, dh_prev = cell.backward(dh)
            grads = cell
            """,
            weights=GRU,
            adds=True,
            layout="x=(T,D)",
        ),
    ),
)
