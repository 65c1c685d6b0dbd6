"""Classes of one's own, as in Neural Networks from Scratch or after Keras: forward(inputs), backward(dvalues).

What is a weight is found out from the attributes; the class's name says what the layer is.
"""

from npbilstm.submission.form import Calls, Form

FORWARD = """
layer = Layer(D, H)
set_weights(layer)
{given} = given_by(layer.forward({taken}), layer, "output")
"""
WEIGHTS = ("Wx=Wx Wh=Wh b=b", "Wx=Wx Wh=Wh")
"""With a bias, and without."""
BACKWARD = """
{given} = given_by(layer.backward({taken}), layer, "dinputs")
grads = gradients_of(layer)
"""


def sequence(subject: str, named: str, given: str, weights: str) -> Calls:
    """A layer over a sequence, which gives h at every step, or the last one alone."""
    forward, backward = FORWARD.format(given=given, taken="x"), BACKWARD.format(given="dx", taken=f"d{given}")
    return Calls(subject, forward, backward, weights=weights, named=named)


def step(subject: str, named: str, weights: str, *states: str) -> Calls:
    """A cell, one step."""
    before, after, upstream, back = (
        ", ".join(text.format(state) for state in states) for text in ("{}_prev", "{}", "d{}", "d{}_prev")
    )
    return Calls(
        subject,
        f"layer = Layer(D, H)\nset_weights(layer)\n{after} = layer.forward(x, {before})",
        f"dx, {back} = layer.backward({upstream})\ngrads = gradients_of(layer)",
        weights=weights,
        named=named,
    )


FORM = Form(
    name="layers",
    title="a layer class of one's own",
    words="inputs dvalues n_inputs n_neurons",
    calls=(
        *(
            sequence(subject, rf"(?i)(?!.*(bi|cell)).*({words}).*", given, weights)
            for weights in WEIGHTS
            for given in ("h", "h_T")
            for subject, words in (("lstm", "lstm"), ("gru", "gru"), ("rnn", "rnn|recurrent"))
        ),
        *(
            step(subject, rf"(?i).*({words}).*", weights, *states)
            for weights in WEIGHTS
            for subject, words, states in (
                ("lstm_step", "lstm", "hc"),
                ("gru_step", "gru", "h"),
                ("rnn_step", "rnn|recurrent", "h"),
            )
        ),
        Calls(
            "affine",
            """
            layer = Layer(D, V)
            set_weights(layer)
            scores = given_by(layer.forward(x.reshape(N * T, D)), layer, "output").reshape(N, T, V)
            """,
            """
            dx = given_by(layer.backward(dscores.reshape(N * T, V)), layer, "dinputs").reshape(N, T, D)
            grads = gradients_of(layer)
            """,
            named=r"(?i)(?!.*(activation|lstm|gru|rnn)).*(dense|linear|affine|connected).*",
        ),
        Calls(
            "embedding",
            'layer = Layer(V, D)\nset_weights(layer)\nx = given_by(layer.forward(ids), layer, "output")',
            "layer.backward(dx)\ngrads = gradients_of(layer)",
            named=r"(?i).*embed.*",
        ),
        Calls(
            "softmax_cross_entropy",
            """
            layer = Layer()
            loss = layer.forward(logits.reshape(N * T, V), targets.reshape(N * T))
            """,
            """
            returned = layer.backward(layer.output.copy(), targets.reshape(N * T))
            dlogits = dloss * given_by(returned, layer, "dinputs").reshape(N, T, V)
            """,
            named=r"(?i).*softmax.*loss.*",
        ),
    ),
)
