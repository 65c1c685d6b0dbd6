"""What people get wrong with lengths: which steps are real, and how a row is turned round."""

from __future__ import annotations

from npbilstm.mistakes.catalogue.line import mistakes_in

BUGS = (
    *mistakes_in(
        "valid_steps",
        "valid",
        "return np.arange(T) < np.asarray(lengths)[:, None]",
        "A row's length says how many of its steps are real; they come first.",
        "Take a row of length 2 and count its valid steps.",
        "as many true entries in a row as its length says, all of them at its beginning.",
        {
            "valid-one-step-too-many": (
                "return np.arange(T) <= np.asarray(lengths)[:, None]",
                "Counted from 0, step t = length is valid, too.",
            ),
            "valid-one-step-too-few": (
                "return np.arange(T) < np.asarray(lengths)[:, None] - 1",
                "The last real step counts as padding.",
            ),
            "valid-padding-in-front": (
                "return np.arange(T)[::-1] < np.asarray(lengths)[:, None]",
                "The padding is taken to stand in front.",
            ),
        },
    ),
    *mistakes_in(
        "flip",
        "flip",
        "last = check_lengths(lengths, N, T)[:, None] - 1",
        "The reverse direction starts at each row's own last real step.",
        "Take a row that is shorter than the batch, and write down its flip.",
        "it moves a row's valid steps among themselves; its padding stays where it is.",
        {
            "flip-ignores-lengths": (
                "last = check_lengths(None, N, T)[:, None] - 1",
                "Every row is reversed whole, as x[:, ::-1] does, so that its padding comes first.",
            ),
        },
    ),
    *mistakes_in(
        "flip",
        "flip",
        "return x[np.arange(N)[:, None], source]",
        "The reverse direction reads the same numbers, the last step first.",
        "Look at which axes are reversed.",
        "it changes the order of time, in each row by itself, and of nothing else.",
        {
            "flip-reverses-rows": ("return x[::-1]", "The first axis is reversed, which is the batch, not time."),
            "flip-reverses-every-axis": ("return np.flip(x)", "All axes are reversed: rows, time and features."),
            "flip-reverses-features-too": (
                "return x[np.arange(N)[:, None], source][:, :, ::-1]",
                "The features are reversed, too.",
            ),
            "flip-does-nothing": ("return x.copy()", "Nothing is reversed: both directions read forward."),
        },
    ),
)
