"""What people get wrong in an embedding: symbols that occur more than once."""

from __future__ import annotations

from npbilstm.mistakes.catalogue.line import mistakes_in

BUGS = (
    *mistakes_in(
        "embedding_forward",
        "x",
        "x = W[ids]",
        "Each symbol has a vector of its own, which is a row of the table.",
        "Look up symbol 0, and compare with the table.",
        "it holds a row of the table for each symbol, counted from 0.",
        {
            "embedding-counted-from-one": (
                "x = W[ids - 1]",
                "The symbols are counted from 1; for symbol 0 the index wraps round to the last row.",
            ),
        },
    ),
    *mistakes_in(
        "embedding_backward",
        "dW",
        "np.add.at(dW, ids, dx)",
        "One symbol may be looked up at many places, and each of them has a part in its gradient.",
        "Take a row in which one symbol occurs twice. What does its vector get from either place?",
        "a sum over the places, in which none is lost where two name one symbol.",
        {
            "embedding-repeats-lost": (
                "dW[ids] = dx",
                "Of the places of one symbol the last one alone counts. dW[ids] += dx does the same: it reads all, "
                "adds, and writes all back.",
            ),
            "embedding-repeats-in-a-row-lost": (
                "for row, d in zip(ids, dx): dW[row] += d",
                "Within one row of ids, of the places of one symbol the last one alone counts: dW[row] += d reads all, "
                "adds, and writes all back.",
            ),
            "embedding-repeats-at-a-step-lost": (
                "for row, d in zip(ids.T, dx.swapaxes(0, 1)): dW[row] += d",
                "Within one step of all rows, of the places of one symbol the last one alone counts: dW[ids_t] += d "
                "reads all, adds, and writes all back.",
            ),
            "embedding-mean-over-places": (
                "np.add.at(dW, ids, dx / np.bincount(ids.ravel(), minlength=len(W))[ids][..., None])",
                "The places of a symbol are averaged, not summed.",
            ),
        },
    ),
)
