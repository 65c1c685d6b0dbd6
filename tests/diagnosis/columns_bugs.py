"""The catalogue's mistakes as the author of columns.py would make them: id -> (function, old, new).

BUGS has those of the step in the equations that stand inside the sequence's loops, where all of time hides them; the
same in the single step are in columns_step_bugs.py. OTHER_NUMBERS has slips of the same name which, in arrays laid out
like these, are other mistakes in numbers: nobody can name them from the catalogue, and nobody may misname them.
"""

from __future__ import annotations

import inspect
from typing import TypeAlias

from tests.submission import columns

Plant: TypeAlias = tuple[str, str, str]
Plants: TypeAlias = dict[str, Plant]


def source_with(*changes: Plant) -> str:
    """The source of columns.py with these changes, each of something that stands once in its function."""
    source = inspect.getsource(columns)
    for function, old, new in changes:
        head, name, rest = source.partition(f"def {function}(")
        body, gap, tail = rest.partition("\n\n\n")
        assert body.count(old) == 1, f"{old!r} stands {body.count(old)} times in {function}; a plant needs one place"
        source = head + name + body.replace(old, new) + gap + tail
    return source


def plants(function: str, table: dict[str, dict[str, str]]) -> Plants:
    """{old: {id: new}} -> {id: (function, old, new)}."""
    return {id: (function, old, new) for old, changes in table.items() for id, new in changes.items()}


def gate(k: int, bias: str = " + b[{0}]", hidden: str = " + Wh[{0}] @ S[t]") -> str:
    """A gate's pre-activation in the forward loop."""
    return ("Wx[{0}] @ x[t]" + hidden + bias).format(k)


def gates(*preactivations: str, squashed: str = "1 / (1 + np.exp(-({})))") -> str:
    """The lines of the four gates in the forward loop, f, i, u, o, made of these pre-activations."""
    lines = [f"f = {squashed}", f"i = {squashed}", "u = np.tanh({})", f"o = {squashed}"]
    return "\n        ".join(line.format(a) for line, a in zip(lines, preactivations))


def slopes(gate: str = "{0} * (1 - {0})", tanh: str = "1 - {0}**2") -> str:
    """The lines of the backward loop from the cell's gradient to the gates', made of these slopes."""
    f, i, o = (gate.format(name) for name in "fio")
    return f"""dm = dm + ds * o * ({tanh.format("th")})
        zf = dm * M[t] * {f}
        zi = dm * u * {i}
        zu = dm * i * ({tanh.format("u")})
        zo = ds * th * {o}"""


def each_real_step(statement: str) -> str:
    """The two loops over the columns and their real steps, with this statement in them."""
    return f"for n, end in enumerate(ends):\n        for t in range(end):\n            {statement}"


RIGHT = [gate(k) for k in range(4)]
OWN_SIGMOID = "1 / (1 + np.exp(-{0})) * (1 - 1 / (1 + np.exp(-{0})))"
LOGIT = "np.log({0} / (1 - {0}))"

F_GATE, _, U_GATE, O_GATE = gates(*RIGHT).split("\n        ")
STARTS = "    S[0] = h0\n    M[0] = c0\n"
HELD = "M[t + 1] = np.where(live[t], m, M[t])\n        S[t + 1] = np.where(live[t], s, S[t])"
LIVE = "live = np.arange(T)[:, None] < (np.full(N, T) if lengths is None else np.asarray(lengths))"

SEQUENCE_FORWARD = plants(
    "lstm_forward",
    {
        gates(*RIGHT): {
            "bias-missing": gates(*(gate(k, bias="") for k in range(4))),
            "bias-added-twice": gates(*(gate(k, bias=" + 2 * b[{0}]") for k in range(4))),
            "old-hidden-state-unread": gates(*(gate(k, hidden="") for k in range(4))),
            "gate-order-ifog": gates(*(gate(k) for k in (0, 1, 3, 2))),
            "gate-order-figo": gates(*(gate(k) for k in (1, 0, 2, 3))),
            "gate-order-igfo": gates(*(gate(k) for k in (2, 1, 0, 3))),
            "gate-order-iofg": gates(*(gate(k) for k in (2, 1, 3, 0))),
            "sigmoid-too-steep": gates(*RIGHT, squashed="1 / (1 + np.exp(-2 * ({})))"),
            "sigmoid-piecewise-linear": gates(*RIGHT, squashed="np.clip(0.2 * ({}) + 0.5, 0, 1)"),
            "hidden-state-reset-every-step": gates(*(gate(k, hidden=" + Wh[{0}] @ h0") for k in range(4))),
        },
        gates(*RIGHT) + "\n        m = f * M[t] + i * u": {
            "state-reset-every-step": gates(*(gate(k, hidden=" + Wh[{0}] @ h0") for k in range(4)))
            + "\n        m = f * c0 + i * u",
        },
        F_GATE: {
            "bias-of-i-copied-to-f": F_GATE.replace("b[0]", "b[1]"),
            "forget-bias-added": F_GATE.replace("b[0]", "b[0] + 1"),
            "forget-gate-inverted": F_GATE.replace("np.exp(-(", "np.exp(+("),
        },
        U_GATE: {
            "candidate-sigmoid": "u = 1 / (1 + np.exp(-(Wx[2] @ x[t] + Wh[2] @ S[t] + b[2])))",
            "candidate-not-squashed": "u = Wx[2] @ x[t] + Wh[2] @ S[t] + b[2]",
        },
        O_GATE: {
            "bias-of-f-copied-to-o": O_GATE.replace("b[3]", "b[0]"),
            "output-gate-tanh": "o = np.tanh(Wx[3] @ x[t] + Wh[3] @ S[t] + b[3])",
        },
        "m = f * M[t] + i * u": {
            "cell-without-input-gate": "m = f * M[t] + u",
            "cell-without-forget-gate": "m = M[t] + i * u",
            "cell-without-old-cell": "m = i * u",
            "cell-keeps-old-hidden-state": "m = f * S[t] + i * u",
            "cell-gates-coupled": "m = f * M[t] + (1 - f) * u",
            "cell-state-reset-every-step": "m = f * c0 + i * u",
        },
        "s = o * np.tanh(m)": {
            "output-shows-old-cell": "s = o * np.tanh(M[t])",
            "output-without-gate": "s = np.tanh(m)",
            "output-without-tanh": "s = o * m",
            "output-squashed-after-gate": "s = np.tanh(o * m)",
        },
        STARTS: {
            "initial-state-ignored": "",
            "initial-c-is-h0": "    S[0] = M[0] = h0\n",
            "initial-states-swapped": "    M[0] = h0\n    S[0] = c0\n",
        },
        HELD: {"padding-updates-state": "M[t + 1] = m\n        S[t + 1] = s"},
        "S[t + 1] = np.where(live[t], s, S[t])": {"padding-updates-hidden-state": "S[t + 1] = s"},
        "M[t + 1] = np.where(live[t], m, M[t])": {
            "padding-updates-cell-state": "M[t + 1] = m",
            "padding-clears-cell-state": "M[t + 1] = m * live[t]",
        },
        LIVE: {
            "lengths-ignored": "live = np.ones((T, N), dtype=bool)",
            "valid-one-step-too-many": LIVE.replace("<", "<="),
            "valid-one-step-too-few": LIVE.replace("<", "+ 1 <"),
            "valid-padding-in-front": LIVE.replace("np.arange(T)[:, None] <", "T - 1 - np.arange(T)[:, None] <"),
        },
        "h[t] = np.where(live[t], s, 0)": {
            "padding-output-held": "h[t] = S[t + 1]",
            "padding-output-computed": "h[t] = s",
            "output-one-step-late": "h[t] = np.where(live[t], S[t], 0)",
            "output-is-cell-state": "h[t] = np.where(live[t], m, 0)",
            "output-overwritten-at-every-step": "h[:] = np.where(live[t], s, 0)",
        },
        "return h, S[T], M[T],": {
            "h-final-is-last-column": "return h, h[-1], M[T],",
            "final-states-swapped": "return h, M[T], S[T],",
            "final-state-is-initial": "return h, h0, c0,",
        },
    },
)

SUMS = """dWx[k] += z @ x[t].T
            dWh[k] += z @ S[t].T
        db += np.stack([zf, zi, zu, zo]).sum(axis=2, keepdims=True)"""
DS, DM = "ds = np.where(live[t], dh[t] + sbar, 0)", "dm = np.where(live[t], mbar, 0)"
DM_WHOLE = "dm = dm + ds * o * (1 - th**2)"
ZF, ZI, ZU = "zf = dm * M[t] * f * (1 - f)", "zi = dm * u * i * (1 - i)", "zu = dm * i * (1 - u**2)"
ZO = "zo = ds * th * o * (1 - o)"
EACH = "for k, z in enumerate((zf, zi, zu, zo)):"
DX = "dx[t] = Wx[0].T @ zf + Wx[1].T @ zi + Wx[2].T @ zu + Wx[3].T @ zo"
BACK = "back = Wh[0].T @ zf + Wh[1].T @ zi + Wh[2].T @ zu + Wh[3].T @ zo"
SBAR, MBAR = "sbar = np.where(live[t], back, sbar)", "mbar = np.where(live[t], dm * f, mbar)"
DB = "db += np.stack([zf, zi, zu, zo]).sum(axis=2, keepdims=True)"
WALK = "for t in range(len(x) - 1, -1, -1):"
GIVEN_BACK = "return dx, sbar, mbar, dWx, dWh, db"

SEQUENCE_BACKWARD = plants(
    "lstm_backward",
    {
        ZO: {
            "do-uses-c": "zo = ds * M[t + 1] * o * (1 - o)",
            "do-uses-total-dc": "zo = dm * th * o * (1 - o)",
            "do-factor-missing": "zo = ds * o * (1 - o)",
            "do-before-carry": "zo = np.where(live[t], dh[t], 0) * th * o * (1 - o)",
            "da-o-slope-missing": "zo = ds * th",
            "da-o-tanh-slope": "zo = ds * th * (1 - o**2)",
            "da-o-slope-of-f": "zo = ds * th * f * (1 - f)",
        },
        DM_WHOLE: {
            "dc-carry-lost": "dm = ds * o * (1 - th**2)",
            "dc-path-through-h-missing": "",
            "dc-tanh-slope-missing": "dm = dm + ds * o",
            "dc-output-gate-missing": "dm = dm + ds * (1 - th**2)",
            "dc-tanh-slope-of-c": "dm = dm + ds * o * (1 - M[t + 1] ** 2)",
            "dc-tanh-taken-twice": "dm = dm + ds * o * (1 - np.tanh(th) ** 2)",
            "dc-square-missing": "dm = dm + ds * o * (1 - th)",
            "dc-sigmoid-slope": "dm = dm + ds * o * th * (1 - th)",
            "dc-carry-through-tanh": "dm = (dm + ds * o) * (1 - th**2)",
            "dc-carry-through-output-gate": "dm = (dm + ds) * o * (1 - th**2)",
            "dc-sign": "dm = dm - ds * o * (1 - th**2)",
            "dc-before-carry": "dm = dm + np.where(live[t], dh[t], 0) * o * (1 - th**2)",
        },
        ZI: {
            "di-wrong-factor": "zi = dm * M[t] * i * (1 - i)",
            "di-uses-i": "zi = dm * i * i * (1 - i)",
            "di-factor-missing": "zi = dm * i * (1 - i)",
            "da-i-slope-missing": "zi = dm * u",
            "da-i-tanh-slope": "zi = dm * u * (1 - i**2)",
        },
        ZF: {
            "df-wrong-cell-state": "zf = dm * M[t + 1] * f * (1 - f)",
            "df-wrong-factor": "zf = dm * u * f * (1 - f)",
            "df-hidden-state-for-cell": "zf = dm * S[t] * f * (1 - f)",
            "df-factor-missing": "zf = dm * f * (1 - f)",
            "da-f-slope-missing": "zf = dm * M[t]",
            "da-f-tanh-slope": "zf = dm * M[t] * (1 - f**2)",
            "da-f-slope-of-i": "zf = dm * M[t] * i * (1 - i)",
        },
        ZU: {
            "dg-factor-missing": "zu = dm * (1 - u**2)",
            "dg-uses-g": "zu = dm * u * (1 - u**2)",
            "dg-wrong-gate": "zu = dm * f * (1 - u**2)",
            "da-g-slope-missing": "zu = dm * i",
            "da-g-sigmoid-slope": "zu = dm * i * u * (1 - u)",
            "da-g-square-missing": "zu = dm * i * (1 - u)",
            "da-g-tanh-taken-twice": "zu = dm * i * (1 - np.tanh(u) ** 2)",
            "da-g-slope-of-preactivation": "zu = dm * i * (1 - np.arctanh(u) ** 2)",
        },
        slopes(): {
            "sigmoid-slope-of-preactivation": slopes(gate=f"{LOGIT} * (1 - {LOGIT})"),
            "sigmoid-taken-twice": slopes(gate=OWN_SIGMOID),
            "sigmoid-slope-factor-missing": slopes(gate="(1 - {0})"),
            "sigmoid-slope-is-tanh-slope": slopes(gate="(1 - {0}**2)"),
            "tanh-taken-twice": slopes(tanh="1 - np.tanh({0}) ** 2"),
            "tanh-slope-of-preactivation": slopes(tanh="1 - np.arctanh({0}) ** 2"),
            "tanh-slope-square-missing": slopes(tanh="1 - {0}"),
            "tanh-slope-is-sigmoid-slope": slopes(tanh="{0} * (1 - {0})"),
        },
        EACH: {"da-sign": "zf, zi, zu, zo = -zf, -zi, -zu, -zo\n        " + EACH},
        ZO + "\n": {
            "da-f-g-blocks-swapped": ZO + "\n        zf, zu = zu, zf\n",
            "da-g-o-blocks-swapped": ZO + "\n        zu, zo = zo, zu\n",
            "da-i-f-blocks-swapped": ZO + "\n        zf, zi = zi, zf\n",
            "da-i-o-blocks-swapped": ZO + "\n        zi, zo = zo, zi\n",
        },
        DX: {
            "dx-sign": DX.replace("= Wx[0].T @ zf +", "-= Wx[0].T @ zf +"),
            "dx-lacks-i": DX.replace(" + Wx[1].T @ zi", ""),
            "dx-lacks-f": DX.replace("Wx[0].T @ zf + ", ""),
            "dx-lacks-g": DX.replace(" + Wx[2].T @ zu", ""),
            "dx-lacks-o": DX.replace(" + Wx[3].T @ zo", ""),
            "dx-in-order-of-the-walk": DX.replace("dx[t]", "dx[len(x) - 1 - t]"),
        },
        BACK: {
            "dh-prev-wh-not-transposed": BACK.replace(".T", ""),
            "dh-prev-adds-dh": BACK + " + ds",
            "dh-prev-sign": "back = -(" + BACK.removeprefix("back = ") + ")",
            "dh-prev-lacks-i": BACK.replace(" + Wh[1].T @ zi", ""),
            "dh-prev-lacks-f": BACK.replace("Wh[0].T @ zf + ", ""),
            "dh-prev-lacks-g": BACK.replace(" + Wh[2].T @ zu", ""),
            "dh-prev-lacks-o": BACK.replace(" + Wh[3].T @ zo", ""),
        },
        "dWx[k] += z @ x[t].T": {
            "dwx-mean-over-batch": "dWx[k] += z @ x[t].T / z.shape[1]",
            "dwx-first-row-only": "dWx[k] += np.outer(z[:, 0], x[t, :, 0])",
            "dwx-overwritten-over-time": "dWx[k] = z @ x[t].T",
        },
        "dWh[k] += z @ S[t].T": {
            "dwh-wrong-hidden-state": "dWh[k] += z @ S[t + 1].T",
            "dwh-cell-for-hidden-state": "dWh[k] += z @ M[t].T",
            "dwh-blocks-transposed": "dWh[k] += S[t] @ z.T",
            "dwh-mean-over-batch": "dWh[k] += z @ S[t].T / z.shape[1]",
            "dwh-first-row-only": "dWh[k] += np.outer(z[:, 0], S[t, :, 0])",
            "dwh-overwritten-over-time": "dWh[k] = z @ S[t].T",
        },
        DB: {
            "db-mean-over-batch": DB.replace("sum", "mean"),
            "db-first-row-only": "db += np.stack([zf, zi, zu, zo])[:, :, :1]",
            "db-summed-over-everything": "db += np.stack([zf, zi, zu, zo]).sum()",
            "db-summed-over-units": DB.replace("axis=2", "axis=(1, 2)"),
            "db-f-gets-gradient-of-i": DB.replace("[zf, zi, zu, zo]", "[zi, zi, zu, zo]"),
            "db-o-gets-gradient-of-f": DB.replace("[zf, zi, zu, zo]", "[zf, zi, zu, zf]"),
            "db-g-gets-gradient-of-i": DB.replace("[zf, zi, zu, zo]", "[zf, zi, zi, zo]"),
            "db-overwritten-over-time": DB.replace("+=", "="),
        },
        SUMS: {
            "grads-overwritten-over-time": SUMS.replace("+=", "="),
            "grads-clipped-at-each-step": """dWx[k] += np.clip(z @ x[t].T, -0.1, 0.1)
            dWh[k] += np.clip(z @ S[t].T, -0.1, 0.1)
        db += np.clip(np.stack([zf, zi, zu, zo]).sum(axis=2, keepdims=True), -0.1, 0.1)""",
        },
        DS: {
            "dh-carry-and-final-missing": "ds = np.where(live[t], dh[t], 0)",
            "dh-output-missing": "ds = np.where(live[t], sbar, 0)",
            "dh-changed-in-place": "dh[t] *= live[t]\n        " + DS,
        },
        DM: {
            "dc-not-masked": "dm = mbar",
            "dc-gets-dh-carry": "dm = np.where(live[t], mbar + sbar, 0)",
        },
        SBAR: {
            "dh-next-zeroed": "sbar = np.where(live[t], 0, sbar)",
            "dh-next-accumulated": "sbar = sbar + back",
            "dh-next-clipped": "sbar = np.where(live[t], np.clip(back, -0.1, 0.1), sbar)",
            "dh-next-averaged-over-batch": "sbar = np.where(live[t], back / back.shape[1], sbar)",
            "dh-carry-dropped-over-padding": "sbar = back",
            "dh-final-changed-in-place": "sbar[...] = np.where(live[t], back, sbar)",
        },
        MBAR: {
            "dc-prev-factor-missing": "mbar = np.where(live[t], dm, mbar)",
            "dc-prev-wrong-gate": "mbar = np.where(live[t], dm * i, mbar)",
            "dc-prev-slope-for-gate": "mbar = np.where(live[t], dm * f * (1 - f), mbar)",
            "dc-prev-path-through-h-missing": "mbar = np.where(live[t], mbar * f, mbar)",
            "dc-next-zeroed": "mbar = np.where(live[t], 0, mbar)",
            "dc-next-accumulated": "mbar = mbar + dm * f",
            "dc-next-clipped": "mbar = np.where(live[t], np.clip(dm * f, -0.1, 0.1), mbar)",
            "dc-carry-dropped-over-padding": "mbar = dm * f",
            "carry-cut-after-two-steps": MBAR
            + "\n        if t == len(x) - 2:\n            sbar, mbar = 0 * sbar, 0 * mbar",
            "dc-final-changed-in-place": "mbar[...] = np.where(live[t], dm * f, mbar)",
        },
        f"{SBAR}\n        {MBAR}": {
            "carries-swapped": "sbar, mbar = np.where(live[t], dm * f, sbar), np.where(live[t], back, mbar)",
        },
        "sbar = dh_T\n": {
            "dh-final-ignored": "sbar = np.zeros_like(dh_T)\n",
            "dh-final-counted-twice": "sbar = dh_T + dh_T\n",
        },
        "mbar = dc_T\n": {"dc-final-ignored": "mbar = np.zeros_like(dc_T)\n"},
        "sbar = dh_T\n    mbar = dc_T\n": {"final-gradients-swapped": "sbar = dc_T\n    mbar = dh_T\n"},
        WALK: {
            "loop-runs-forward": "for t in range(len(x)):",
            "loop-stops-before-step-0": "for t in range(len(x) - 1, 0, -1):",
            "loop-starts-before-last-step": "for t in range(len(x) - 2, -1, -1):",
            "loop-truncated-early": "for t in range(len(x) - 1, max(len(x) - 3, -1), -1):",
        },
        GIVEN_BACK: {
            "grads-mean-over-time": "return dx, sbar, mbar, dWx / len(x), dWh / len(x), db / len(x)",
            "dh0-not-returned": "return dx, np.zeros_like(sbar), mbar, dWx, dWh, db",
            "dc0-not-returned": "return dx, sbar, np.zeros_like(mbar), dWx, dWh, db",
            "initial-gradients-swapped": "return dx, mbar, sbar, dWx, dWh, db",
            "dh0-one-step-early": "return dx, ds, mbar, dWx, dWh, db",
        },
    },
)

MIRROR = "mirror = np.zeros_like(x)\n    " + each_real_step("mirror[t, :, n] = x[end - 1 - t, :, n]")
RIGHT_OUT = each_real_step("y[t, H:, n] = right[end - 1 - t, :, n]")
DRIGHT = each_real_step("dright[t, :, n] = dy[end - 1 - t, H:, n]")
DX_BOTH = each_real_step("dx[t, :, n] += dmirror[end - 1 - t, :, n]")

BILSTM_FORWARD = plants(
    "bilstm_forward",
    {
        "ends = [T] * N if lengths is None else [int(length) for length in lengths]": {
            "flip-ignores-lengths": "ends = [T] * N",
        },
        "mirror[t, :, n] = x[end - 1 - t, :, n]": {"reverse-input-not-flipped": "mirror[t, :, n] = x[t, :, n]"},
        MIRROR: {"reverse-input-flip-ignores-lengths": "mirror = x[::-1]"},
        "lstm_forward(mirror, h0[1], c0[1], *reverse, lengths)": {
            "reverse-uses-forward-weights": "lstm_forward(mirror, h0[1], c0[1], *forward, lengths)",
            "reverse-starts-in-forward-initial-state": "lstm_forward(mirror, h0[0], c0[0], *reverse, lengths)",
            "reverse-starts-in-forward-final-state": "lstm_forward(mirror, left_h, left_c, *reverse, lengths)",
        },
        "lstm_forward(x, h0[0], c0[0], *forward, lengths)": {
            "forward-not-given-lengths": "lstm_forward(x, h0[0], c0[0], *forward)",
            "forward-starts-in-reverse-initial-state": "lstm_forward(x, h0[1], c0[1], *forward, lengths)",
        },
        "y[t, H:, n] = right[end - 1 - t, :, n]": {"reverse-output-not-flipped": "y[t, H:, n] = right[t, :, n]"},
        RIGHT_OUT: {"reverse-output-flip-ignores-lengths": "y[:, H:] = right[::-1]"},
        "y[:, :H] = left\n    " + RIGHT_OUT: {
            "output-halves-swapped": "y[:, H:] = left\n    " + RIGHT_OUT.replace("H:", ":H"),
            "wrong-half-flipped": "y[:, H:] = right\n    " + each_real_step("y[t, :H, n] = left[end - 1 - t, :, n]"),
        },
        "np.array([left_h, right_h])": {
            "h-final-reverse-from-last-column": "np.array([left_h, y[-1, H:]])",
            "h-final-reverse-from-last-valid-step": "np.array([left_h, y[np.array(ends) - 1, H:, np.arange(N)].T])",
            "h-final-both-from-last-column": "np.array([y[-1, :H], y[-1, H:]])",
            "h-final-directions-swapped": "np.array([right_h, left_h])",
        },
        "np.array([left_c, right_c])": {"c-final-directions-swapped": "np.array([right_c, left_c])"},
    },
)

BILSTM_BACKWARD = plants(
    "bilstm_backward",
    {
        "dleft = dy[:, :H]\n    dright = np.zeros_like(dleft)\n    " + DRIGHT: {
            "dy-halves-swapped": "dleft = dy[:, H:]\n    dright = np.zeros_like(dleft)\n    "
            + DRIGHT.replace("H:", ":H"),
        },
        "lstm_backward(dleft, dh_T[0], dc_T[0], left_cache)": {
            "forward-gets-reverse-final-gradients": "lstm_backward(dleft, dh_T[1], dc_T[1], left_cache)",
            "forward-final-gradients-ignored": "lstm_backward(dleft, 0 * dh_T[0], 0 * dc_T[0], left_cache)",
        },
        "dright[t, :, n] = dy[end - 1 - t, H:, n]": {
            "dh-rev-not-flipped": "dright[t, :, n] = dy[t, H:, n]",
            "reverse-gets-forward-half": "dright[t, :, n] = dy[end - 1 - t, :H, n]",
        },
        DRIGHT: {"dh-rev-flip-ignores-lengths": "dright = dy[::-1, H:]"},
        "lstm_backward(dright, dh_T[1], dc_T[1], right_cache)": {
            "reverse-gets-forward-final-gradients": "lstm_backward(dright, dh_T[0], dc_T[0], right_cache)",
            "reverse-final-gradients-ignored": "lstm_backward(dright, 0 * dh_T[1], 0 * dc_T[1], right_cache)",
            "reverse-gets-forward-cache": "lstm_backward(dright, dh_T[1], dc_T[1], left_cache)",
        },
        "dx[t, :, n] += dmirror[end - 1 - t, :, n]": {
            "dx-rev-not-flipped-back": "dx[t, :, n] += dmirror[t, :, n]",
            "dx-from-reverse-only": "dx[t, :, n] = dmirror[end - 1 - t, :, n]",
        },
        DX_BOTH: {
            "dx-rev-flip-ignores-lengths": "dx = dx + dmirror[::-1]",
            "dx-from-forward-only": "",
            "dx-averaged-over-directions": DX_BOTH + "\n    dx = dx / 2",
            "dx-wrong-half-flipped": each_real_step("dmirror[t, :, n] += dx[end - 1 - t, :, n]") + "\n    dx = dmirror",
        },
        "np.array([dh0_left, dh0_right])": {"dh0-directions-swapped": "np.array([dh0_right, dh0_left])"},
        "np.array([dc0_left, dc0_right])": {"dc0-directions-swapped": "np.array([dc0_right, dc0_left])"},
        "tuple(dforward), tuple(dreverse)": {
            "direction-grads-swapped": "tuple(dreverse), tuple(dforward)",
            "direction-grads-summed": "*2 * (tuple(p + q for p, q in zip(dforward, dreverse)),)",
        },
    },
)

BUGS: Plants = SEQUENCE_FORWARD | SEQUENCE_BACKWARD | BILSTM_FORWARD | BILSTM_BACKWARD

OTHER_NUMBERS: Plants = (
    plants(
        "lstm_forward",
        {
            "for t in range(T):": {"steps-read-from-the-end": "for t in reversed(range(T)):"},
        },
    )
    | plants(
        "lstm_backward",
        {
            "f, i, u, o = A[t]": {
                "cache-of-last-step": "f, i, u, o = A[-1]",
                "cache-one-step-off": "f, i, u, o = A[t - 1]",
            },
            DS: {"dh-not-masked": "ds = dh[t] + sbar"},
            "x, S, M, A, live, Wx, Wh = cache": {
                "padding-not-masked": "x, S, M, A, live, Wx, Wh = cache\n    live = np.ones_like(live)",
            },
        },
    )
    | plants(
        "bilstm_forward",
        {
            "lstm_forward(mirror, h0[1], c0[1], *reverse, lengths)": {
                "reverse-not-given-lengths": "lstm_forward(mirror, h0[1], c0[1], *reverse)",
            },
        },
    )
)
