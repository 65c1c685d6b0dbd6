"""What people get wrong with dropout's mask, which shows only where a mask is given."""

from __future__ import annotations

from npbilstm.mistakes.catalogue.line import mistakes_in

CONCEPT = "Dropout multiplies by a mask: what was dropped on the way out has no part in the gradient on the way back."

BUGS = (
    *mistakes_in(
        "lstm_variant_step_forward",
        "m",
        "m = 1.0 if mask is None else mask",
        "What is kept is made larger, so that the mean stays what it is without dropout.",
        "Compare the mean of what goes into the gates with and without dropout.",
        "an entry is 0 or 1/(1-p), not 0 or 1.",
        {"dropout-not-scaled": ("m = 1.0 if mask is None else mask != 0", "The mask's scale 1/(1-p) is lost.")},
    ),
    *mistakes_in(
        "lstm_variant_step_forward",
        "dWh",
        "LSTMVariantStepCache(x, h_in, m,",
        CONCEPT,
        "What did the recurrent weights multiply in the forward pass?",
        "the sum, over the rows, of an outer product of what went into the gates and da.",
        {
            "dropout-mask-missing-in-dwh": (
                "LSTMVariantStepCache(x, h_prev, m,",
                "The cache keeps h before its dropout.",
            )
        },
    ),
    *mistakes_in(
        "lstm_variant_step_backward",
        "dh_prev",
        "dh_prev = mask * (da @ params.Wh.T)",
        CONCEPT,
        "Follow the old hidden state into the gates. What is it multiplied by first?",
        "what was multiplied by something in the forward pass is multiplied by the same on the way back.",
        {"dropout-mask-missing-in-backward": ("dh_prev = da @ params.Wh.T", "The mask is missing.")},
    ),
    *mistakes_in(
        "mask_from_uniform",
        "mask",
        "return (u >= rate) / (1 - rate)",
        "What is kept is made larger, so that the mean stays what it is without dropout.",
        "What is the mean of a mask, and how much of it is 0?",
        "its mean is 1, and as much of it is 0 as is to be dropped.",
        {
            "mask-not-scaled": ("return (u >= rate) * 1.0", "The scale 1/(1 - rate) is missing."),
            "mask-keeps-what-it-should-drop": ("return (u < rate) / (1 - rate)", "It keeps as much as it should drop."),
            "mask-scaled-by-the-rate": ("return (u >= rate) / rate", "It is divided by what is dropped."),
        },
    ),
    *mistakes_in(
        "dropout_over_time_forward",
        "dropped",
        "dropped = mask[:, None] * x",
        "One mask serves all steps of a row.",
        "Is the same feature dropped at every step?",
        "every step of a row is multiplied by the row's mask.",
        {
            "dropout-first-step-only": (
                "dropped = np.concatenate([mask[:, None] * x[:, :1], x[:, 1:]], axis=1)",
                "The first step alone is masked.",
            )
        },
    ),
    *mistakes_in(
        "dropout_over_time_backward",
        "dx",
        "return cache.mask[:, None] * ddropped",
        CONCEPT,
        "What was a feature multiplied by on its way out?",
        "the same mask as in the forward pass, scale and all.",
        {
            "dropout-backward-without-mask": ("return 1.0 * ddropped", "The mask is missing."),
            "dropout-backward-not-scaled": ("return (cache.mask[:, None] != 0) * ddropped", "The scale is missing."),
        },
    ),
)
