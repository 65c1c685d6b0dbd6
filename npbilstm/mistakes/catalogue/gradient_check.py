"""What people get wrong in a gradient check, so that it accepts what is wrong, or rejects what is right."""

from __future__ import annotations

from npbilstm.mistakes.catalogue.line import mistakes_in

CHECK, DIFFERENCES = "backward_is_right", "numerical_gradient"

BUGS = (
    *mistakes_in(
        DIFFERENCES,
        "grad",
        "grad[k] = (loss(x + e) - loss(x - e)) / (2 * STEP)",
        "A central difference takes a step to either side: its error falls with the square of the step.",
        "How far apart are the two points, and how much does the difference of a square differ from its slope?",
        "the distance of the two points is what is divided by.",
        {
            "checker-difference-not-halved": (
                "grad[k] = (loss(x + e) - loss(x - e)) / STEP",
                "The two points are two steps apart.",
            ),
            "checker-one-sided": (
                "grad[k] = (loss(x + e) - loss(x)) / STEP",
                "A step to one side alone has an error as large as the step.",
            ),
        },
    ),
    *mistakes_in(
        CHECK,
        "dy",
        "dy = np.random.default_rng(0).standard_normal(y.shape)",
        "The upstream gradient says which outputs the loss looks at, and how much.",
        "For which upstream gradients does it make no difference that a sum is a mean, or that rows changed places?",
        "no two of its entries are alike.",
        {
            "checker-upstream-of-ones": ("dy = np.ones(y.shape)", "With ones, much that is wrong is right."),
            "checker-upstream-of-zeros": ("dy = np.zeros(y.shape)", "With zeros the loss sees nothing."),
        },
    ),
    *mistakes_in(
        CHECK,
        "x",
        "x = np.array(x, dtype=np.float64)",
        "Differences of nearly equal numbers lose digits, and float32 has only seven.",
        "In which precision are the two losses computed?",
        "it is taken in float64, whatever it came as.",
        {"checker-in-float32": ("x = np.array(x)", "It is as it came, float32 even.")},
    ),
    *mistakes_in(
        CHECK,
        "error",
        "error = np.abs(dx - expected).max() / max(np.abs(expected).max(), 1e-12)",
        "A gradient is right where every entry is.",
        "Which entries take part in the verdict, and may one make up for another?",
        "the largest difference of all entries decides.",
        {
            "checker-first-entry-alone": (
                "error = np.abs(dx - expected).flat[0] / max(np.abs(expected).max(), 1e-12)",
                "Nothing but the first entry is compared.",
            ),
            "checker-signs-ignored": (
                "error = np.abs(np.abs(dx) - np.abs(expected)).max() / max(np.abs(expected).max(), 1e-12)",
                "Sizes are compared, without signs.",
            ),
        },
    ),
    *mistakes_in(
        CHECK,
        "error",
        "return bool(error < 1e-6)",
        "Central differences in float64 are right to some nine digits.",
        "How many digits may a right gradient lack?",
        "the bound is far below what a mistake makes, and above round-off.",
        {
            "checker-too-loose": ("return bool(error < 1e-2)", "A mistake of a thousandth passes."),
            "checker-too-strict": ("return bool(error < 1e-15)", "Round-off fails."),
        },
    ),
)
