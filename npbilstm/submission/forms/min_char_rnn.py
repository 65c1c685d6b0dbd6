"""min-char-rnn (Karpathy): one function gives the loss and all gradients; weights are globals, vectors columns."""

from npbilstm.submission.form import Calls, Form

FORM = Form(
    name="min-char-rnn",
    title="min-char-rnn",
    layout="weights=(H,D) x=(T,D) b=(H,1)",
    words="hprev",
    calls=(
        Calls(
            "char_rnn",
            """
            file.Wxh, file.Whh, file.Why, file.bh, file.by = Wxh, Whh, Why, bh, by
            file.vocab_size, file.hidden_size = V, H
            inputs, outputs = [int(k) for k in ids], [int(k) for k in targets]
            loss, dWxh, dWhh, dWhy, dbh, dby, hidden = Layer(inputs, outputs, h0[:, None])
            h_T = hidden[:, 0]
            """,
            weights="Wxh=Wx Whh=Wh Why=Wy bh=b by=by",
            named=r"(?i)loss_?fun(c|ction)?",
        ),
    ),
)
