"""CMU 11-785, homework 3, part 1: cells that add up their gradients in attributes; an RNN's are divided by the rows."""

from npbilstm.submission.form import Calls, Form

RNN = "W_ih=Wx W_hh=Wh b_ih=b b_hh=b"
GRU = (
    "Wrx=Wx[r] Wzx=Wx[z] Wnx=Wx[n] Wrh=Wh[r] Wzh=Wh[z] Wnh=Wh[n] brx=b[r] bzx=b[z] bnx=b[n] brh=b[r] bzh=b[z] bnh=b_hn"
)

LAYERS = (
    "W_ih0=first.Wx W_hh0=first.Wh b_ih0=first.b b_hh0=first.b "
    "W_ih1=second.Wx W_hh1=second.Wh b_ih1=second.b b_hh1=second.b Wy=Wy by=by"
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
            adds=".*",
        ),
        Calls(
            "gru_step",
            """
            cell = GRUCell(D, H)
            vars(cell).update(weights)
            h = np.reshape(cell.forward(x, h_prev), -1)
            """,
            """
            dx, dh_prev = (np.reshape(d, -1) for d in cell.backward(dh))  # some have a row
            grads = cell
            """,
            weights=GRU,
            uses="Wrx Wnh",
            adds=".*",
            layout="x=(T,D)",
        ),
        Calls(
            "rnn_classifier",
            """
            model = RNNPhonemeClassifier(D, H, V)
            model.init_weights([[W_ih0, W_hh0, b_ih0, b_hh0], [W_ih1, W_hh1, b_ih1, b_hh1]], [Wy, by])
            logits = model.forward(x, h0)
            """,
            """
            dh0 = model.backward(dlogits) * N
            first, second = model.rnn
            dW_ih0, dW_hh0, db_ih0, db_hh0 = first.dW_ih * N, first.dW_hh * N, first.db_ih * N, first.db_hh * N
            dW_ih1, dW_hh1, db_ih1, db_hh1 = second.dW_ih * N, second.dW_hh * N, second.db_ih * N, second.db_hh * N
            output = vars(model.output_layer)
            dWy, dby = (output[f"dLd{k}"] if "dLdW" in output else output[f"d{k}"] * N for k in "Wb")
            dby = dby.reshape(V)
            """,
            weights=LAYERS,
            adds=r".*[01]",
        ),
    ),
)
