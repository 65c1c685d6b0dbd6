"""What people get wrong in the squashing functions and in their derivatives, which every gate of a kind shares."""

from __future__ import annotations

from npbilstm.mistakes.catalogue.line import mistakes_in

BUGS = (
    *mistakes_in(
        "sigmoid",
        "sigmoid",
        "return 0.5 + 0.5 * np.tanh(0.5 * a)",
        "The logistic function opens a gate between 0 and 1.",
        "Look at the gates' squashing: its range, its value at 0, its slope there.",
        "it goes from 0 to 1, is 1/2 at 0 with a slope of 1/4, and is smooth.",
        {
            "sigmoid-too-steep": ("return 0.5 + 0.5 * np.tanh(a)", "tanh is taken of a, where it needs half of it."),
            "sigmoid-piecewise-linear": (
                "return np.clip(0.5 + 0.2 * a, 0, 1)",
                "This is the hard sigmoid, three straight lines, as old Keras had it.",
            ),
        },
    ),
    *mistakes_in(
        "sigmoid_derivative",
        "sigmoid'",
        "return s * (1 - s)",
        "The logistic function's slope can be written with its output alone.",
        "Look at the slope of the logistic function: is it given what it expects?",
        "it is written for the function's output, and is given that, as it is.",
        {
            "sigmoid-slope-of-preactivation": (
                "return np.log(s / (1 - s)) * (1 - np.log(s / (1 - s)))",
                "a (1 - a): the formula for the gate is given its pre-activation.",
            ),
            "sigmoid-taken-twice": (
                "return sigmoid(s) * (1 - sigmoid(s))",
                "sigmoid is taken of what is squashed already.",
            ),
        },
    ),
    *mistakes_in(
        "sigmoid_derivative",
        "sigmoid'",
        "return s * (1 - s)",
        "The logistic function's slope can be written with its output alone.",
        "Look at the slope of the logistic function: what is it at 0, and at either end?",
        "written with the function's output, it has two factors, of which one goes to 0 at either end.",
        {
            "sigmoid-slope-factor-missing": ("return 1 - s", "The factor s is missing."),
            "sigmoid-slope-is-tanh-slope": ("return 1 - s * s", "This is the slope of tanh."),
        },
    ),
    *mistakes_in(
        "tanh_derivative",
        "tanh'",
        "return 1 - y * y",
        "The slope of tanh can be written with its output alone.",
        "Look at the slope of tanh: is it given what it expects?",
        "it is written for the function's output, and is given that, as it is.",
        {
            "tanh-taken-twice": ("return 1 - np.tanh(y) ** 2", "tanh is taken of what is squashed already."),
            "tanh-slope-of-preactivation": (
                "return 1 - np.arctanh(y) ** 2",
                "The formula for tanh's output is given its input.",
            ),
        },
    ),
    *mistakes_in(
        "tanh_derivative",
        "tanh'",
        "return 1 - y * y",
        "The slope of tanh can be written with its output alone.",
        "Look at the slope of tanh: what is it at 0, and at either end?",
        "written with the function's output, it is the same for y and -y.",
        {
            "tanh-slope-square-missing": ("return 1 - y", "The square is missing."),
            "tanh-slope-is-sigmoid-slope": ("return y * (1 - y)", "This is the slope of sigmoid."),
        },
    ),
)
