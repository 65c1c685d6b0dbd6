"""The catalogue's mistakes in one LSTM step, in the single step of columns.py: id -> (function, old, new)."""

from __future__ import annotations

from tests.diagnosis.columns_bugs import LOGIT, OWN_SIGMOID, Plants, plants

GATES = "forget, enter, cand, show = (Wx[k] @ x + Wh[k] @ h_prev + b[k] for k in range(4))"
FORGET, ENTER = "forget = 1 / (1 + np.exp(-forget))", "enter = 1 / (1 + np.exp(-enter))"
CAND, SHOW = "cand = np.tanh(cand)", "show = 1 / (1 + np.exp(-show))"
SQUASHED = f"{FORGET}\n    {ENTER}\n    {CAND}\n    {SHOW}"
CELL, OUT = "c = forget * c_prev + enter * cand", "h = show * np.tanh(c)"

FORWARD = plants(
    "lstm_step_forward",
    {
        GATES: {
            "bias-missing": GATES.replace(" + b[k]", ""),
            "bias-added-twice": GATES.replace("Wx[k] @ x", "Wx[k] @ x + b[k]"),
            "bias-of-i-copied-to-f": GATES.replace("b[k]", "b[[1, 1, 2, 3][k]]"),
            "bias-of-f-copied-to-o": GATES.replace("b[k]", "b[[0, 1, 2, 0][k]]"),
            "old-hidden-state-unread": GATES.replace(" + Wh[k] @ h_prev", ""),
            "gate-order-ifog": GATES.replace("forget, enter, cand, show", "forget, enter, show, cand"),
            "gate-order-figo": GATES.replace("forget, enter, cand, show", "enter, forget, cand, show"),
            "gate-order-igfo": GATES.replace("forget, enter, cand, show", "cand, enter, forget, show"),
            "gate-order-iofg": GATES.replace("forget, enter, cand, show", "show, enter, forget, cand"),
        },
        SQUASHED: {
            "sigmoid-too-steep": SQUASHED.replace("np.exp(-", "np.exp(-2 * "),
            "sigmoid-piecewise-linear": CAND
            + "\n    forget, enter, show = (np.clip(0.2 * z + 0.5, 0, 1) for z in (forget, enter, show))",
        },
        FORGET: {
            "forget-bias-added": "forget = 1 / (1 + np.exp(-forget - 1))",
            "forget-gate-inverted": "forget = 1 / (1 + np.exp(forget))",
        },
        CAND: {"candidate-sigmoid": "cand = 1 / (1 + np.exp(-cand))", "candidate-not-squashed": ""},
        SHOW: {"output-gate-tanh": "show = np.tanh(show)"},
        CELL: {
            "cell-without-input-gate": "c = forget * c_prev + cand",
            "cell-without-forget-gate": "c = c_prev + enter * cand",
            "cell-without-old-cell": "c = enter * cand",
            "cell-keeps-old-hidden-state": "c = forget * h_prev + enter * cand",
            "cell-gates-coupled": "c = forget * c_prev + (1 - forget) * cand",
        },
        OUT: {
            "output-shows-old-cell": "h = show * np.tanh(c_prev)",
            "output-without-gate": "h = np.tanh(c)",
            "output-without-tanh": "h = show * c",
            "output-squashed-after-gate": "h = np.tanh(show * c)",
        },
    },
)

DSHOW, DCELL = "dshow = dh * np.tanh(c) * show * (1 - show)", "dcell = dc + dh * show * (1 - np.tanh(c) ** 2)"
DFORGET, DENTER = "dforget = dcell * c_prev * forget * (1 - forget)", "denter = dcell * cand * enter * (1 - enter)"
DCAND, DC_PREV = "dcand = dcell * enter * (1 - cand**2)", "dc_prev = dcell * forget"
DX = "dx = Wx[0].T @ dforget + Wx[1].T @ denter + Wx[2].T @ dcand + Wx[3].T @ dshow"
DH_PREV = "dh_prev = Wh[0].T @ dforget + Wh[1].T @ denter + Wh[2].T @ dcand + Wh[3].T @ dshow"
DZ = "dz = np.stack([dforget, denter, dcand, dshow])"
GRADIENTS = f"{DSHOW}\n    {DCELL}\n    {DFORGET}\n    {DENTER}\n    {DCAND}"


def slopes(gate: str = "{0} * (1 - {0})", tanh: str | None = None) -> str:
    """The lines of the gates' gradients, made of these slopes; that of tanh is written with the output, {0}."""
    changed = GRADIENTS
    for name in ("forget", "enter", "show"):
        changed = changed.replace(f"{name} * (1 - {name})", gate.format(name))
    if tanh is None:
        return changed
    changed = changed.replace("1 - np.tanh(c) ** 2", tanh.format("np.tanh(c)"))
    return changed.replace("1 - cand**2", tanh.format("cand"))


BACKWARD = plants(
    "lstm_step_backward",
    {
        DSHOW: {
            "do-uses-c": "dshow = dh * c * show * (1 - show)",
            "do-uses-dc": "dshow = dc * np.tanh(c) * show * (1 - show)",
            "do-factor-missing": "dshow = dh * show * (1 - show)",
            "da-o-slope-missing": "dshow = dh * np.tanh(c)",
            "da-o-tanh-slope": "dshow = dh * np.tanh(c) * (1 - show**2)",
            "da-o-slope-of-f": "dshow = dh * np.tanh(c) * forget * (1 - forget)",
        },
        DCELL: {
            "dc-carry-lost": "dcell = dh * show * (1 - np.tanh(c) ** 2)",
            "dc-path-through-h-missing": "dcell = dc",
            "dc-tanh-slope-missing": "dcell = dc + dh * show",
            "dc-output-gate-missing": "dcell = dc + dh * (1 - np.tanh(c) ** 2)",
            "dc-tanh-slope-of-c": "dcell = dc + dh * show * (1 - c**2)",
            "dc-tanh-taken-twice": "dcell = dc + dh * show * (1 - np.tanh(np.tanh(c)) ** 2)",
            "dc-square-missing": "dcell = dc + dh * show * (1 - np.tanh(c))",
            "dc-sigmoid-slope": "dcell = dc + dh * show * np.tanh(c) * (1 - np.tanh(c))",
            "dc-carry-through-tanh": "dcell = (dc + dh * show) * (1 - np.tanh(c) ** 2)",
            "dc-carry-through-output-gate": "dcell = (dc + dh) * show * (1 - np.tanh(c) ** 2)",
            "dc-sign": "dcell = dc - dh * show * (1 - np.tanh(c) ** 2)",
            "dc-changed-in-place": "dc += dh * show * (1 - np.tanh(c) ** 2)\n    dcell = dc",
        },
        DENTER: {
            "di-wrong-factor": "denter = dcell * c_prev * enter * (1 - enter)",
            "di-uses-i": "denter = dcell * enter * enter * (1 - enter)",
            "di-factor-missing": "denter = dcell * enter * (1 - enter)",
            "da-i-slope-missing": "denter = dcell * cand",
            "da-i-tanh-slope": "denter = dcell * cand * (1 - enter**2)",
        },
        DFORGET: {
            "df-wrong-cell-state": "dforget = dcell * c * forget * (1 - forget)",
            "df-wrong-factor": "dforget = dcell * cand * forget * (1 - forget)",
            "df-hidden-state-for-cell": "dforget = dcell * h_prev * forget * (1 - forget)",
            "df-factor-missing": "dforget = dcell * forget * (1 - forget)",
            "da-f-slope-missing": "dforget = dcell * c_prev",
            "da-f-tanh-slope": "dforget = dcell * c_prev * (1 - forget**2)",
            "da-f-slope-of-i": "dforget = dcell * c_prev * enter * (1 - enter)",
        },
        DCAND: {
            "dg-factor-missing": "dcand = dcell * (1 - cand**2)",
            "dg-uses-g": "dcand = dcell * cand * (1 - cand**2)",
            "dg-wrong-gate": "dcand = dcell * forget * (1 - cand**2)",
            "da-g-slope-missing": "dcand = dcell * enter",
            "da-g-sigmoid-slope": "dcand = dcell * enter * cand * (1 - cand)",
            "da-g-square-missing": "dcand = dcell * enter * (1 - cand)",
            "da-g-tanh-taken-twice": "dcand = dcell * enter * (1 - np.tanh(cand) ** 2)",
            "da-g-slope-of-preactivation": "dcand = dcell * enter * (1 - np.arctanh(cand) ** 2)",
        },
        GRADIENTS: {
            "sigmoid-slope-of-preactivation": slopes(gate=f"{LOGIT} * (1 - {LOGIT})"),
            "sigmoid-taken-twice": slopes(gate=OWN_SIGMOID),
            "sigmoid-slope-factor-missing": slopes(gate="(1 - {0})"),
            "sigmoid-slope-is-tanh-slope": slopes(gate="(1 - {0}**2)"),
            "tanh-taken-twice": slopes(tanh="1 - np.tanh({0}) ** 2"),
            "tanh-slope-of-preactivation": slopes(tanh="1 - np.arctanh({0}) ** 2"),
            "tanh-slope-square-missing": slopes(tanh="1 - {0}"),
            "tanh-slope-is-sigmoid-slope": slopes(tanh="{0} * (1 - {0})"),
        },
        DC_PREV: {
            "dc-prev-factor-missing": "dc_prev = dcell",
            "dc-prev-wrong-gate": "dc_prev = dcell * enter",
            "dc-prev-slope-for-gate": "dc_prev = dcell * forget * (1 - forget)",
            "dc-prev-path-through-h-missing": "dc_prev = dc * forget",
            "da-f-g-blocks-swapped": DC_PREV + "\n    dforget, dcand = dcand, dforget",
            "da-g-o-blocks-swapped": DC_PREV + "\n    dcand, dshow = dshow, dcand",
            "da-i-f-blocks-swapped": DC_PREV + "\n    denter, dforget = dforget, denter",
            "da-i-o-blocks-swapped": DC_PREV + "\n    denter, dshow = dshow, denter",
            "da-sign": DC_PREV + "\n    dforget, denter, dcand, dshow = -dforget, -denter, -dcand, -dshow",
        },
        DX: {
            "dx-sign": DX.replace("= Wx[0].T @ dforget + ", "= -(Wx[0].T @ dforget + ") + ")",
            "dx-lacks-i": DX.replace(" + Wx[1].T @ denter", ""),
            "dx-lacks-f": DX.replace("Wx[0].T @ dforget + ", ""),
            "dx-lacks-g": DX.replace(" + Wx[2].T @ dcand", ""),
            "dx-lacks-o": DX.replace(" + Wx[3].T @ dshow", ""),
        },
        DH_PREV: {
            "dh-prev-wh-not-transposed": DH_PREV.replace(".T", ""),
            "dh-prev-adds-dh": DH_PREV + " + dh",
            "dh-prev-sign": DH_PREV.replace("= Wh[0].T @ dforget + ", "= -(Wh[0].T @ dforget + ") + ")",
            "dh-prev-lacks-i": DH_PREV.replace(" + Wh[1].T @ denter", ""),
            "dh-prev-lacks-f": DH_PREV.replace("Wh[0].T @ dforget + ", ""),
            "dh-prev-lacks-g": DH_PREV.replace(" + Wh[2].T @ dcand", ""),
            "dh-prev-lacks-o": DH_PREV.replace(" + Wh[3].T @ dshow", ""),
        },
        "dWx = np.stack([d @ x.T for d in dz])": {
            "dwx-mean-over-batch": "dWx = np.stack([d @ x.T for d in dz]) / x.shape[1]",
            "dwx-first-row-only": "dWx = np.stack([d[:, :1] @ x[:, :1].T for d in dz])",
        },
        "dWh = np.stack([d @ h_prev.T for d in dz])": {
            "dwh-wrong-hidden-state": "dWh = np.stack([d @ (show * np.tanh(c)).T for d in dz])",
            "dwh-cell-for-hidden-state": "dWh = np.stack([d @ c_prev.T for d in dz])",
            "dwh-blocks-transposed": "dWh = np.stack([h_prev @ d.T for d in dz])",
            "dwh-mean-over-batch": "dWh = np.stack([d @ h_prev.T for d in dz]) / x.shape[1]",
            "dwh-first-row-only": "dWh = np.stack([d[:, :1] @ h_prev[:, :1].T for d in dz])",
        },
        "db = dz.sum(axis=2, keepdims=True)": {
            "db-mean-over-batch": "db = dz.mean(axis=2, keepdims=True)",
            "db-first-row-only": "db = dz[:, :, :1]",
            "db-summed-over-everything": "db = np.full((4, len(c), 1), dz.sum())",
            "db-summed-over-units": "db = dz.sum(axis=(1, 2), keepdims=True) * np.ones((4, len(c), 1))",
            "db-f-gets-gradient-of-i": "db = dz[[1, 1, 2, 3]].sum(axis=2, keepdims=True)",
            "db-o-gets-gradient-of-f": "db = dz[[0, 1, 2, 0]].sum(axis=2, keepdims=True)",
            "db-g-gets-gradient-of-i": "db = dz[[0, 1, 1, 3]].sum(axis=2, keepdims=True)",
        },
    },
)

STEP_BUGS: Plants = FORWARD | BACKWARD
