"""What people get wrong in the backward equations of one LSTM step, in the order of lstm_step_backward's docstring."""

from __future__ import annotations

from npbilstm.mistakes.catalogue.line import mistakes_in

BACKWARD = "lstm_step_backward"
THROUGH_H = "dh * o * tanh_derivative(tanh_c)"
"""The share of dc that comes through this step's h."""
CARRY = f"(dc - {THROUGH_H})"
"""The share that the next step hands back."""

BUGS = (
    *mistakes_in(
        BACKWARD,
        "do",
        "do = dh * tanh_c",
        "The output gate scales what the squashed cell shows, so its gradient is scaled by what it let through.",
        "Look at the output gate. In the forward pass, what is it multiplied by?",
        "in a product, each factor's gradient is the upstream gradient times the other factor, as it stood there.",
        {
            "do-uses-c": ("do = dh * np.arctanh(tanh_c)", "The cell itself stands where the squashed cell belongs."),
            "do-uses-dc": ("do = dc * tanh_c", "dc stands where dh belongs: o is seen through h alone."),
            "do-uses-total-dc": (
                "do = (dc + dh * o * tanh_derivative(tanh_c)) * tanh_c",
                "The cell's whole gradient stands where dh belongs: o is seen through h alone.",
            ),
            "do-factor-missing": ("do = dh", "The factor that o was multiplied by is missing."),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dc",
        "dc = dc + dh * o * tanh_derivative(tanh_c)",
        "The cell is seen twice: by the next step, and through this step's h.",
        "Look at the cell. On how many ways does it reach the loss, and through what does each of them go?",
        "a sum over two ways: one arrives as it is, the other passes h's product and the squashing, whose slope is "
        "that at c, written with the squashing's output.",
        {
            "dc-carry-lost": (
                "dc = dh * o * tanh_derivative(tanh_c)",
                "dc is set, not added to: what comes from the next step is lost.",
            ),
            "dc-path-through-h-missing": ("dc = 1 * dc", "What comes through this step's h is not added."),
            "dc-tanh-slope-missing": ("dc = dc + dh * o", "The slope of tanh is missing."),
            "dc-output-gate-missing": ("dc = dc + dh * tanh_derivative(tanh_c)", "The output gate is missing."),
            "dc-tanh-slope-of-c": (
                "dc = dc + dh * o * (1 - np.arctanh(tanh_c) ** 2)",
                "1 - c^2 stands where 1 - tanh(c)^2 belongs.",
            ),
            "dc-tanh-taken-twice": (
                "dc = dc + dh * o * tanh_derivative(tanh(tanh_c))",
                "1 - tanh(tanh(c))^2: tanh is taken of what is squashed already.",
            ),
            "dc-square-missing": ("dc = dc + dh * o * (1 - tanh_c)", "1 - tanh(c): the square is missing."),
            "dc-sigmoid-slope": (
                "dc = dc + dh * o * sigmoid_derivative(tanh_c)",
                "The slope of sigmoid stands where that of tanh belongs.",
            ),
            "dc-carry-through-tanh": (
                "dc = (dc + dh * o) * tanh_derivative(tanh_c)",
                "What comes from the next step is multiplied by tanh's slope, too; it never went through that tanh.",
            ),
            "dc-carry-through-output-gate": (
                "dc = (dc + dh) * o * tanh_derivative(tanh_c)",
                "What comes from the next step is sent through h's product, too; it never went through h.",
            ),
            "dc-sign": ("dc = dc - dh * o * tanh_derivative(tanh_c)", "The two ways are subtracted."),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "di",
        "di = dc * g",
        "The input gate scales the candidate.",
        "Look at the input gate. In the cell's update, what is it multiplied by?",
        "in a product, each factor's gradient is the upstream gradient times the other factor.",
        {
            "di-wrong-factor": ("di = dc * c_prev", "The old cell stands where the candidate belongs."),
            "di-uses-i": ("di = dc * i", "The gate itself stands where the other factor belongs."),
            "di-factor-missing": ("di = dc", "The other factor is missing."),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "df",
        "df = dc * c_prev",
        "The forget gate scales the cell as it was before the step.",
        "Look at the forget gate. In the cell's update, what is it multiplied by, and of which step is that?",
        "in a product, each factor's gradient is the upstream gradient times the other factor, as it was then.",
        {
            "df-wrong-cell-state": ("df = dc * (f * c_prev + i * g)", "The new cell stands where the old one belongs."),
            "df-wrong-factor": ("df = dc * g", "The candidate stands where the old cell belongs."),
            "df-hidden-state-for-cell": ("df = dc * h_prev", "The old h stands where the old c belongs."),
            "df-factor-missing": ("df = dc", "The other factor is missing."),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dg",
        "dg = dc * i",
        "The candidate is scaled by the input gate.",
        "Look at the candidate. In the cell's update, what is it multiplied by?",
        "in a product, each factor's gradient is the upstream gradient times the other factor.",
        {
            "dg-factor-missing": ("dg = dc", "The other factor is missing."),
            "dg-uses-g": ("dg = dc * g", "The candidate itself stands where the other factor belongs."),
            "dg-wrong-gate": ("dg = dc * f", "The forget gate stands where the input gate belongs."),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dc_prev",
        "dc_prev = dc * f",
        "The old cell reaches the loss through the new one alone, scaled by the gate that kept it.",
        "Look at the way back of the cell, from this step to the one before.",
        "all of the new cell's gradient, times what the old cell was multiplied by, and nothing else: no "
        "squashing, no matrix.",
        {
            "dc-prev-factor-missing": ("dc_prev = 1 * dc", "The factor is missing."),
            "dc-prev-wrong-gate": ("dc_prev = dc * i", "The input gate stands where the forget gate belongs."),
            "dc-prev-slope-for-gate": (
                "dc_prev = dc * sigmoid_derivative(f)",
                "The gate's slope stands where the gate belongs.",
            ),
            "dc-prev-path-through-h-missing": (
                "dc_prev = (dc - dh * o * tanh_derivative(tanh_c)) * f",
                "dc is taken before what comes through this step's h is added to it.",
            ),
        },
    ),
    *(
        bug
        for gate, name, own, other in [
            ("i", "input gate", "sigmoid", "tanh"),
            ("f", "forget gate", "sigmoid", "tanh"),
            ("g", "candidate", "tanh", "sigmoid"),
            ("o", "output gate", "sigmoid", "tanh"),
        ]
        for bug in mistakes_in(
            BACKWARD,
            f"da_{gate}",
            f"da_{gate} = d{gate} * {own}_derivative({gate})",
            f"The {name} is squashed, so on the way back its gradient is scaled by the slope of that squashing.",
            f"Look at the {name}, between the gate and its pre-activation.",
            f"it has the slope of the squashing that made {gate}, at the point where it was, as a factor.",
            {
                f"da-{gate}-slope-missing": (f"da_{gate} = 1 * d{gate}", "The slope is missing."),
                f"da-{gate}-squashed-again": (
                    f"da_{gate} = d{gate} * {own}({gate})",
                    f"The squashing stands where its slope belongs, and is taken of {gate}, which is squashed already.",
                ),
                f"da-{gate}-itself-for-slope": (
                    f"da_{gate} = d{gate} * {gate}",
                    f"{gate} itself stands where the slope belongs.",
                ),
                f"da-{gate}-{other}-slope": (
                    f"da_{gate} = d{gate} * {other}_derivative({gate})",
                    f"The slope of {other} stands where that of {own} belongs.",
                ),
            },
        )
    ),
    *(
        bug
        for gate, own, factor in [("i", "sigmoid", "g"), ("f", "sigmoid", "c_prev"), ("g", "tanh", "i")]
        for bug in mistakes_in(
            BACKWARD,
            f"da_{gate}",
            f"da_{gate} = d{gate} * {own}_derivative({gate})",
            "What comes to a gate comes on two ways, for the cell is seen twice; both end in one squashing.",
            f"Write out what {gate} gets from the next step and what it gets through h. How far does the slope reach?",
            "the slope scales all that comes, from wherever it comes: a sum in brackets.",
            {
                f"da-{gate}-slope-on-h-share-only": (
                    f"da_{gate} = d{gate} - {THROUGH_H} * {factor} * (1 - {own}_derivative({gate}))",
                    "The slope scales only what comes through this step's h; what the next step hands back has none.",
                ),
                f"da-{gate}-slope-on-carry-share-only": (
                    f"da_{gate} = d{gate} * {own}_derivative({gate})"
                    f" + {THROUGH_H} * {factor} * (1 - {own}_derivative({gate}))",
                    "The slope scales only what the next step hands back; what comes through this step's h has none.",
                ),
            },
        )
    ),
    *mistakes_in(
        BACKWARD,
        "da_i",
        "da = np.concatenate([da_i, da_f, da_g, da_o], axis=1)",
        "What comes to a gate comes on two ways, for the cell is seen twice; both end in one squashing.",
        "Write out what i, f and g get from the next step and what they get through h. How far do the slopes reach?",
        "in each of the blocks of i, f and g the slope scales all that comes, from wherever it comes.",
        {
            "slopes-on-h-share-only": (
                f"da = np.concatenate([da_i + {CARRY} * g * (1 - sigmoid_derivative(i)), "
                f"da_f + {CARRY} * c_prev * (1 - sigmoid_derivative(f)), "
                f"da_g + {CARRY} * i * (1 - tanh_derivative(g)), da_o], axis=1)",
                "The slopes scale only what comes through this step's h; what the next step hands back has none.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "da",
        "da = np.concatenate([da_i, da_f, da_g, da_o], axis=1)",
        "Clipping belongs to the update of the weights: what is cut off on the way back is lost for all before it.",
        "Multiply the upstream gradient by 1000. Do all gradients follow?",
        "linear in what comes from above, however large that is.",
        {
            f"da-clipped-to-{bound}": (
                f"da = np.concatenate([da_i, da_f, da_g, da_o], axis=1).clip(-{bound}, {bound})",
                f"The gradient of the pre-activations is clipped, here to {bound}.",
            )
            for bound in (1, 5)
        },
    ),
    *mistakes_in(
        BACKWARD,
        "da_g",
        "da_g = dg * tanh_derivative(g)",
        "The candidate is squashed, so on the way back its gradient is scaled by the slope of that squashing.",
        "Look at the candidate, between its squashing and its pre-activation.",
        "it has tanh's slope at a_g, written with the output g, as a factor.",
        {
            "da-g-square-missing": ("da_g = dg * (1 - g)", "1 - g: the square is missing."),
            "da-g-tanh-taken-twice": (
                "da_g = dg * tanh_derivative(tanh(g))",
                "1 - tanh(g)^2: tanh is taken of what is squashed already.",
            ),
            "da-g-slope-of-preactivation": (
                "da_g = dg * tanh_derivative(np.arctanh(g))",
                "1 - a_g^2: the formula for tanh's output is given its input.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "da_f",
        "da_f = df * sigmoid_derivative(f)",
        "The forget gate is squashed, so on the way back its gradient is scaled by the slope of that squashing.",
        "Look at the forget gate, between the gate and its pre-activation.",
        "it has the slope of the forget gate's own squashing as a factor.",
        {"da-f-slope-of-i": ("da_f = df * sigmoid_derivative(i)", "The slope is the input gate's.")},
    ),
    *mistakes_in(
        BACKWARD,
        "da_o",
        "da_o = do * sigmoid_derivative(o)",
        "The output gate is squashed, so on the way back its gradient is scaled by the slope of that squashing.",
        "Look at the output gate, between the gate and its pre-activation.",
        "it has the slope of the output gate's own squashing as a factor.",
        {"da-o-slope-of-f": ("da_o = do * sigmoid_derivative(f)", "The slope is the forget gate's.")},
    ),
)
