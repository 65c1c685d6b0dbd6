"""What people get wrong in clipping by the global norm: one norm of all, one factor for all."""

from __future__ import annotations

from npbilstm.mistakes.catalogue.line import mistakes_in

CLIPPED = "clipped_gradients"

BUGS = (
    *mistakes_in(
        "clipping_factor",
        "factor",
        "return 1.0 if norm <= max_norm else max_norm / norm",
        "Gradients are made shorter where they are too long, and never longer.",
        "What becomes of gradients that are shorter than max_norm?",
        "it is never above 1.",
        {
            "clipping-always-scales": ("return max_norm / norm", "Short gradients are made longer."),
            "clipping-factor-inverted": ("return 1.0 if norm <= max_norm else norm / max_norm", "It is upside down."),
            "clipping-to-norm-one": ("return 1.0 if norm <= max_norm else 1 / norm", "The norm becomes 1."),
        },
    ),
    *mistakes_in(
        CLIPPED,
        "norm",
        "norm = float(np.sqrt((dtable * dtable).sum() + (dW * dW).sum() + (db * db).sum()))",
        "The norm is that of one long vector, in which all gradients stand one after another.",
        "Compute by hand the norm of three arrays of one entry each, 1, 2 and 2.",
        "the square root of one sum, over every entry of every array.",
        {
            "clipping-norms-added": (
                "norm = float(sum(np.sqrt((g * g).sum()) for g in (dtable, dW, db)))",
                "The norms of the arrays are added.",
            ),
            "clipping-norm-not-rooted": (
                "norm = float((dtable * dtable).sum() + (dW * dW).sum() + (db * db).sum())",
                "The root is missing.",
            ),
            "clipping-norm-largest-entry": (
                "norm = float(max(np.abs(g).max() for g in (dtable, dW, db)))",
                "It is the largest entry.",
            ),
            "clipping-norm-without-bias": (
                "norm = float(np.sqrt((dtable * dtable).sum() + (dW * dW).sum()))",
                "The bias is left out.",
            ),
        },
    ),
    *mistakes_in(
        CLIPPED,
        "g",
        "return factor * dtable, factor * dW, factor * db, norm",
        "A clipped gradient points where it pointed: it is only shorter.",
        "Is every array of the gradient made shorter by as much?",
        "every entry is multiplied by the same.",
        {
            "clipping-entry-by-entry": (
                "return *(np.clip(g, -max_norm, max_norm) for g in (dtable, dW, db)), norm",
                "Entries are cut off one by one, which turns the direction.",
            ),
            "clipping-bias-left-as-it-is": (
                "return factor * dtable, factor * dW, db, norm",
                "The bias is not clipped.",
            ),
            "clipping-norm-after": (
                "return factor * dtable, factor * dW, factor * db, factor * norm",
                "The norm after clipping is given back, which tells nothing.",
            ),
        },
    ),
)
