"""What goes wrong in a decoder with attention: what is fed, which state asks, and what is carried back."""

from __future__ import annotations

from npbilstm.mistakes.catalogue.line import mistakes_in

STEP, STEP_BACK = "decoder_step_forward", "decoder_step_backward"
LOOP, LOOP_BACK = "decoder_forward", "decoder_backward"

BUGS = (
    *mistakes_in(
        STEP,
        "h, c",
        "both = np.concatenate([x, context_prev], axis=1)",
        "The cell reads the symbol before and what the last look gave, side by side.",
        "What does the cell read besides the symbol? Does its state change when only the old context does?",
        "the rows of Wx for x come first, then those for the context.",
        {
            "decoder-context-not-fed": (
                "both = np.concatenate([x, 0 * context_prev], axis=1)",
                "The context is not fed to the cell.",
            ),
            "decoder-context-before-x": (
                "both = np.concatenate([context_prev, x], axis=1)",
                "The context stands before x, and meets the rows of Wx that are for x.",
            ),
        },
    ),
    *mistakes_in(
        STEP,
        "context, alpha",
        "context, alpha, attention = additive_attention_forward(h, keys, params.attention, lengths)",
        "Which state asks is what the papers differ in; here it is the one that has read the last symbol.",
        "Which state is the query? Which steps of the source may it look at?",
        "the new hidden state asks, and the padding is not looked at.",
        {
            "decoder-old-state-asks": (
                "context, alpha, attention = additive_attention_forward(h_prev, keys, params.attention, lengths)",
                "The state before the step asks, as in Bahdanau et al. 2015; here it is the one after.",
            ),
            "decoder-cell-state-asks": (
                "context, alpha, attention = additive_attention_forward(c, keys, params.attention, lengths)",
                "The cell state asks; it is the hidden state that others see.",
            ),
            "decoder-step-source-lengths-ignored": (
                "context, alpha, attention = additive_attention_forward(h, keys, params.attention, None)",
                "The lengths are not handed on: the padding of the source is looked at.",
            ),
        },
    ),
    *mistakes_in(
        STEP_BACK,
        "dh",
        "dh = dh + dquery",
        "What is seen twice has two shares of its gradient.",
        "Who sees the new state within this step?",
        "the state's gradient has the share of who reads it, and that of the attention it asked.",
        {
            "decoder-dquery-not-added": ("dh = dh + 0", "The share of the attention, dquery, is left out."),
            "decoder-dh-overwritten-by-dquery": (
                "dh = dquery",
                "dquery is set, not added to what came from above.",
            ),
        },
    ),
    *mistakes_in(
        STEP_BACK,
        "dx, dcontext_prev",
        "dx, dcontext_prev = np.split(dboth, [cache.D], axis=1)",
        "What was put side by side is taken apart in the same places.",
        "In which order did x and the context stand when the cell read them?",
        "the first D columns are those of x, the others those of the context.",
        {
            "decoder-dx-and-dcontext-exchanged": (
                "dcontext_prev, dx = np.split(dboth, [dboth.shape[1] - cache.D], axis=1)",
                "Taken apart as if the context stood first.",
            ),
            "decoder-dcontext-prev-lost": (
                "dx, dcontext_prev = dboth[:, : cache.D], 0 * dboth[:, cache.D :]",
                "The gradient of the context that was fed is not handed back.",
            ),
        },
    ),
    *mistakes_in(
        LOOP,
        "context",
        "context_t = np.where(v, context_new, context_t)",
        "Each step reads what the look before it gave.",
        "Change the keys. Does the second step's state change?",
        "the context is carried from step to step, as the state is.",
        {
            "decoder-context-not-carried": (
                "context_t = np.zeros_like(context_t)",
                "Every step reads a context of 0: what was seen is not handed on.",
            )
        },
    ),
    *mistakes_in(
        LOOP,
        "alpha",
        "keys = np.where(looked_at[:, :, None], keys, 0)",
        "What stands in the padding never matters, of the source as of the target.",
        "Give one row a shorter source than the others. Do its weights take notice?",
        "a padded step of the source has a weight of 0 at every step.",
        {
            "decoder-source-lengths-ignored": (
                "source_lengths = None",
                "The padding of the source is looked at like the rest.",
            )
        },
    ),
    *mistakes_in(
        LOOP,
        "alpha",
        "alpha[:, t] = np.where(v, alpha_new, 0)",
        "At a padded step nothing comes out.",
        "What are the weights at steps behind a row's length?",
        "0 at padded steps, as all outputs are.",
        {"decoder-weights-in-padding": ("alpha[:, t] = alpha_new", "The weights of padded steps are put out.")},
    ),
    *mistakes_in(
        LOOP,
        "h",
        "h_t = np.where(v, h_new, h_t)",
        "Each step starts in the state in which the step before it ended.",
        "From which state does the second step start?",
        "the state is carried from step to step.",
        {"decoder-state-not-carried": ("h_t = h0", "Every step starts in the initial hidden state.")},
    ),
    *mistakes_in(
        LOOP_BACK,
        "dcontext",
        "dcontext_t = np.where(v, dcontext[:, t] + dcontext_next, 0)",
        "What is seen twice has two shares of its gradient.",
        "Who sees the context of a step? Right for one step, wrong from two?",
        "the loss sees it, and so does the next step, which reads it.",
        {
            "decoder-dcontext-carry-missing": (
                "dcontext_t = np.where(v, dcontext[:, t], 0)",
                "What the next step says of the context is left out.",
            ),
            "decoder-dcontext-from-above-missing": (
                "dcontext_t = np.where(v, dcontext_next, 0)",
                "What the loss says of the context is left out.",
            ),
        },
    ),
    *mistakes_in(
        LOOP_BACK,
        "dh",
        "dh_t = np.where(v, dh[:, t] + dh_next, 0)",
        "What is seen twice has two shares of its gradient.",
        "Who sees the state of a step? Right for one step, wrong from two?",
        "the loss sees it, and so does the next step.",
        {
            "decoder-dh-carry-missing": (
                "dh_t = np.where(v, dh[:, t], 0)",
                "What the next step says of the state is left out.",
            )
        },
    ),
    *mistakes_in(
        LOOP_BACK,
        "dc",
        "dc_t = np.where(v, dc_next, 0)",
        "The cell state goes to the next step, and to nobody else.",
        "Where does the cell's gradient come from? Right for one step, wrong from two?",
        "it comes from the next step.",
        {"decoder-dc-carry-missing": ("dc_t = np.zeros_like(dc_next)", "What the next step says of the cell is lost.")},
    ),
    *mistakes_in(
        LOOP_BACK,
        "dalpha",
        "dh_t, dc_t, dcontext_t, dalpha[:, t], steps[t]",
        "What the loss sees has a gradient of its own.",
        "Let the loss see the weights alone. Does any gradient come back?",
        "each step's dalpha goes to that step.",
        {
            "decoder-dalpha-ignored": (
                "dh_t, dc_t, dcontext_t, 0 * dalpha[:, t], steps[t]",
                "The gradient of the weights is not handed to the steps.",
            )
        },
    ),
    *mistakes_in(
        LOOP_BACK,
        "dh, dcontext, dalpha",
        "dh, dcontext, dalpha = (np.where(valid[:, :, None], d, 0) for d in (dh, dcontext, dalpha))",
        "A mask in the forward pass needs its twin in the backward pass.",
        "What does the loss say of padded steps, and who listens?",
        "what comes from above at padded steps is 0.",
        {
            "decoder-upstream-not-masked": (
                "dh, dcontext, dalpha = (1 * d for d in (dh, dcontext, dalpha))",
                "What comes from above is not masked: padded steps send gradients to the keys.",
            )
        },
    ),
    *mistakes_in(
        LOOP_BACK,
        "dkeys",
        "dkeys = dkeys + dkeys_t",
        "What every step uses hears from every step.",
        "How often are the keys looked at? Right for one step, wrong from two?",
        "what all steps say of the keys is added up.",
        {
            "decoder-dkeys-overwritten-over-time": (
                "dkeys = dkeys_t",
                "It is set at each step, not added: the first step's alone is left.",
            )
        },
    ),
    *mistakes_in(
        LOOP_BACK,
        "dWq, dWk, dv",
        "dattention = AdditiveAttentionParams(*(total + here for total, here in zip(dattention, grads_t.attention)))",
        "The params are used at every step, and hear from every step.",
        "How often are Wq, Wk and v used? Right for one step, wrong from two?",
        "what all steps say of them is added up.",
        {
            "decoder-attention-grads-overwritten-over-time": (
                "dattention = AdditiveAttentionParams(*(0 * d + here for d, here in zip(dattention, grads_t[1])))",
                "They are set at each step, not added: the first step's alone are left.",
            )
        },
    ),
    *mistakes_in(
        LOOP_BACK,
        "dWx, dWh, db",
        "dcell = LSTMParams(*(total + here for total, here in zip(dcell, grads_t.cell)))",
        "The params are used at every step, and hear from every step.",
        "How often are Wx, Wh and b used? Right for one step, wrong from two?",
        "what all steps say of them is added up.",
        {
            "decoder-cell-grads-overwritten-over-time": (
                "dcell = LSTMParams(*(0 * total + here for total, here in zip(dcell, grads_t.cell)))",
                "They are set at each step, not added: the first step's alone are left.",
            )
        },
    ),
)
