"""The rows reversed, not the steps.

A wrapper put the reverse direction's outputs back in order by reversing axis 1, which is time. A layer that was told
to take time first has rows there: the outputs of one row were joined with those of another.
"""

SOURCE = "tensorflow/tensorflow #39635"


def flip(x, lengths):
    turned = x[:, ::-1]
    return turned


MENDED = {
    "turned = x[:, ::-1]": (
        "turned = x.copy()\n    for n, length in enumerate(lengths):\n        turned[:length, n] = x[:length, n][::-1]"
    )
}
NAMED = "flip-reverses-rows"
SETTINGS = {"x": "(T,N,D)"}
