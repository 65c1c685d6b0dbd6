"""Padding first.

The whole row was reversed, as far as the longest goes. The reverse direction of a short row began in its padding, and
what it had made of that it carried into the row.
"""

SOURCE = "deeplearning4j/deeplearning4j #1030, keras-team/keras #4192"


def flip(x, lengths):
    turned = x[:, ::-1]
    return turned


MENDED = {
    "turned = x[:, ::-1]": (
        "turned = x.copy()\n    for n, length in enumerate(lengths):\n        turned[n, :length] = x[n, :length][::-1]"
    )
}
NAMED = "flip-ignores-lengths"
