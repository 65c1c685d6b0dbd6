"""What goes wrong in a step of the plain RNN, with tanh or with the rectifier."""

from __future__ import annotations

from npbilstm.mistakes.planting import Bug

FORWARD, BACKWARD = "step_forward", "step_backward"
"""What the two RNNs share."""
A = "a = x @ params.Wx + h_in @ params.Wh + params.b"
DA = "return step_backward(tanh_derivative, dh, cache)"
"""The lines in which more than one thing goes wrong."""

BUGS = (
    Bug(
        "rnn-h-not-squashed",
        FORWARD,
        "h = activation(a)",
        "h = a",
        "h",
        "What a cell puts out is its pre-activation, passed through a function that is not linear.",
        (
            "Compare what is computed with what is returned.",
            "The equation of h: it has to be an activation's output; a linear network learns linear maps only.",
            "h = tanh(a), or relu(a): the pre-activation itself is not the state.",
        ),
    ),
    Bug(
        "rnn-a-wh-transposed",
        FORWARD,
        A,
        "a = x @ params.Wx + h_in @ params.Wh.T + params.b",
        "a",
        "A square matrix fits either way round, and only one of them is meant.",
        (
            "A shape that fits proves nothing where a matrix is square.",
            "The equation of a: row k of Wh holds the weights that lead away from unit k.",
            "a = x Wx + h_prev Wh + b: Wh as it is, with row vectors on its left.",
        ),
    ),
    Bug(
        "rnn-a-state-missing",
        FORWARD,
        A,
        "a = x @ params.Wx + params.b",
        "a",
        "A recurrent cell sees its input and its own past.",
        (
            "What would the cell remember of the step before?",
            "The equation of a: it must depend on the state before the step.",
            "a = x Wx + h_prev Wh + b.",
        ),
    ),
    Bug(
        "rnn-a-bias-missing",
        FORWARD,
        A,
        "a = x @ params.Wx + h_in @ params.Wh",
        "a",
        "The pre-activation is an affine function: linear, and moved.",
        (
            "Count the parameters that are handed over, and those that the equations use.",
            "The equation of a: with no input and no state it should not be 0.",
            "a = x Wx + h_prev Wh + b.",
        ),
    ),
    Bug(
        "rnn-da-derivative-missing",
        BACKWARD,
        "da = dh * derivative(h)",
        "da = dh",
        "da",
        "Between the state and the pre-activation stands the activation, which the chain rule does not skip.",
        (
            "Walk back from the state to the weights, function by function. Is one of them left out?",
            "The equation of da: it leads through the activation, so its slope must multiply.",
            "da = dh * (1 - h^2) for tanh, dh * (h > 0) for the rectifier.",
        ),
    ),
    Bug(
        "rnn-da-derivative-of-the-state-squashed-again",
        "rnn_step_backward",
        DA,
        "return step_backward(lambda h: tanh_derivative(tanh(h)), dh, cache)",
        "da",
        "A squashing function's slope can be written in terms of its input or of its output: know which is at hand.",
        (
            "The slope of the activation is a little off everywhere. Which number is it taken at?",
            "The equation of da: h is the output of tanh already, and the derivative must be written for an output.",
            "da = dh * (1 - h^2): not 1 - tanh(h)^2, which squashes twice.",
        ),
    ),
    Bug(
        "rnn-da-square-of-the-pre-activation",
        "rnn_step_backward",
        DA,
        "return step_backward(lambda h: tanh_derivative(np.arctanh(h)), dh, cache)",
        "da",
        "A squashing function's slope can be written in terms of its input or of its output: know which is at hand.",
        (
            "The slope of the activation may even be negative here. Which number is it taken at?",
            "The equation of da: the short form of tanh's derivative holds for its output, not for its input.",
            "da = dh * (1 - h^2): not 1 - a^2.",
        ),
    ),
    Bug(
        "rnn-da-sigmoid-derivative",
        "rnn_step_backward",
        DA,
        "return step_backward(lambda h: h * (1 - h), dh, cache)",
        "da",
        "Each squashing function has a derivative of its own.",
        (
            "Whose slope is it that multiplies the gradient?",
            "The equation of da: the slope must be 1 where the state is 0, and never negative.",
            "da = dh * (1 - h^2): the derivative of tanh, not the sigmoid's h * (1 - h).",
        ),
    ),
    Bug(
        "rnn-da-tanh-derivative-for-the-rectifier",
        "rnn_relu_step_backward",
        "return step_backward(relu_derivative, dh, cache)",
        "return step_backward(lambda h: 1 - h * h, dh, cache)",
        "da",
        "Each activation has a derivative of its own.",
        (
            "Whose slope is it that multiplies the gradient?",
            "The equation of da: the rectifier has but two slopes, one for each side of 0.",
            "da = dh * (h > 0): 1 where the unit is open, 0 where it is shut.",
        ),
    ),
    Bug(
        "rnn-dh-prev-wh-not-transposed",
        BACKWARD,
        "dh_prev = mask * (da @ params.Wh.T)",
        "dh_prev = mask * (da @ params.Wh)",
        "dh_prev",
        "The way back through a product is the product with the transpose; a square matrix does not complain.",
        (
            "A shape that fits proves nothing where a matrix is square.",
            "The equation of dh_prev: row k of Wh leads away from unit k, so unit k must collect along row k.",
            "dh_prev = da Wh^T.",
        ),
    ),
    Bug(
        "rnn-dh-prev-skips-the-activation",
        BACKWARD,
        "dh_prev = mask * (da @ params.Wh.T)",
        "dh_prev = mask * (dh @ params.Wh.T)",
        "dh_prev",
        "Every step back in time passes through the activation and through the recurrent weights.",
        (
            "Follow the gradient one step back in time. Through which functions does it have to go?",
            "The equation of dh_prev: it starts from the gradient of the pre-activation.",
            "dh_prev = da Wh^T: da, which has the activation's slope in it, not dh.",
        ),
    ),
    Bug(
        "rnn-dwh-new-state",
        BACKWARD,
        "dWh = h_in.T @ da",
        "dWh = h.T @ da",
        "dWh",
        "A weight's gradient is what came in times what comes back: at the time the product was made.",
        (
            "Which state did the recurrent weights multiply in this step?",
            "The equation of dWh: its left factor must be what Wh was multiplied with in the forward pass.",
            "dWh = h_prev^T da: the state before the step, not the one after it.",
        ),
    ),
    Bug(
        "rnn-dwx-mean-over-rows",
        BACKWARD,
        "dWx = x.T @ da",
        "dWx = x.T @ da / len(x)",
        "dWx",
        "All rows of a batch share the weights, and the loss already says how rows are weighed.",
        (
            "Try a batch of a single row: does the mistake go away?",
            "The equation of dWx: contributions of the rows add up; any mean over the batch is the loss's business.",
            "dWx = x^T da, not divided by N.",
        ),
    ),
    Bug(
        "rnn-db-mean-over-rows",
        BACKWARD,
        "db = da.sum(axis=0)",
        "db = da.mean(axis=0)",
        "db",
        "All rows of a batch share the bias, and the loss already says how rows are weighed.",
        (
            "Try a batch of a single row: does the mistake go away?",
            "The equation of db: contributions of the rows add up; any mean over the batch is the loss's business.",
            "db = sum over the rows n of da, not their mean.",
        ),
    ),
    Bug(
        "rnn-db-first-row",
        BACKWARD,
        "db = da.sum(axis=0)",
        "db = da[0]",
        "db",
        "The bias was added to every row of the batch.",
        (
            "Try a batch of a single row: does the mistake go away?",
            "The equation of db: every row used the bias, so every row has a part in its gradient.",
            "db = sum over the rows n of da.",
        ),
    ),
)
