"""What goes wrong in the backward equations of a step of the GRU, reset after the product, from h to the gates."""

from __future__ import annotations

from npbilstm.mistakes.planting import Bug

BACKWARD = "gru_step_backward"
DA_N = "da_n = dn * tanh_derivative(n)"
DR = "dr = da_n * q"
"""The lines in which more than one thing goes wrong."""

BUGS = (
    Bug(
        "gru-dz-sign",
        BACKWARD,
        "dz = dh * (h_prev - n)",
        "dz = dh * (n - h_prev)",
        "dz",
        "The update gate moves the new state along the line from the candidate to the old state.",
        (
            "Look at the update gate. When it opens a little, which way does the new state move?",
            "The equation of dz: differentiate h by z, both of its terms, and mind their signs.",
            "dz = dh * (h_prev - n): opening z adds h_prev and takes n away.",
        ),
    ),
    Bug(
        "gru-dz-candidate-forgotten",
        BACKWARD,
        "dz = dh * (h_prev - n)",
        "dz = dh * h_prev",
        "dz",
        "The update gate stands twice in the equation of the new state.",
        (
            "Look at the update gate. In how many places does it act on the new state?",
            "The equation of dz: h has z in two terms, and each of them gives one to the derivative.",
            "dz = dh * (h_prev - n): the term (1 - z) * n gives -n.",
        ),
    ),
    Bug(
        "gru-dz-state-forgotten",
        BACKWARD,
        "dz = dh * (h_prev - n)",
        "dz = -dh * n",
        "dz",
        "The update gate stands twice in the equation of the new state.",
        (
            "Look at the update gate. In how many places does it act on the new state?",
            "The equation of dz: h has z in two terms, and each of them gives one to the derivative.",
            "dz = dh * (h_prev - n): the term z * h_prev gives h_prev.",
        ),
    ),
    Bug(
        "gru-dn-kept-share",
        BACKWARD,
        "dn = dh * (1 - z)",
        "dn = dh * z",
        "dn",
        "The candidate gets the gradient in the proportion in which it was written into the new state.",
        (
            "What share of the candidate is written into the new state?",
            "The equation of dn: its factor must be the weight that n has in the equation of h.",
            "dn = dh * (1 - z): z is the old state's weight, 1 - z the candidate's.",
        ),
    ),
    Bug(
        "gru-da-n-derivative-missing",
        BACKWARD,
        DA_N,
        "da_n = dn",
        "da_n",
        "Between the candidate and its pre-activation stands a squashing function, which the chain rule does not skip.",
        (
            "Walk back through the candidate, function by function. Is one of them left out?",
            "The equation of da_n: it leads through the candidate's tanh, so a slope between 0 and 1 must multiply.",
            "da_n = dn * (1 - n^2): the derivative of tanh, in terms of its output n.",
        ),
    ),
    Bug(
        "gru-da-n-derivative-of-the-wrong-value",
        BACKWARD,
        DA_N,
        "da_n = dn * tanh_derivative(tanh(n))",
        "da_n",
        "A squashing function's slope can be written in terms of its input or of its output: know which is at hand.",
        (
            "The candidate's slope is a little off everywhere. Which number is the derivative taken at?",
            "The equation of da_n: n is the output of tanh already, and the derivative must be written for an output.",
            "da_n = dn * (1 - n^2): not 1 - tanh(n)^2, which squashes twice.",
        ),
    ),
    Bug(
        "gru-da-n-square-missing",
        BACKWARD,
        DA_N,
        "da_n = dn * (1 - n)",
        "da_n",
        "Between the candidate and its pre-activation stands a squashing function, steepest in its middle.",
        (
            "The candidate's slope is off. Draw tanh, and its slope beside it: where is it greatest?",
            "The equation of da_n: the slope must be the same for n and for -n.",
            "da_n = dn * (1 - n^2): the square is missing.",
        ),
    ),
    Bug(
        "gru-da-n-sigmoid-derivative",
        BACKWARD,
        DA_N,
        "da_n = dn * sigmoid_derivative(n)",
        "da_n",
        "The candidate is squashed by another function than the gates.",
        (
            "Three blocks have an activation each. Are they all the same?",
            "The equation of da_n: its slope must never be negative, whatever the sign of n.",
            "da_n = dn * (1 - n^2): the candidate is a tanh, not a sigmoid.",
        ),
    ),
    Bug(
        "gru-dr-uses-the-state",
        BACKWARD,
        DR,
        "dr = da_n * h_prev",
        "dr",
        "A factor's gradient is the other factor: the reset gate multiplies a product of the state, not the state.",
        (
            "Look at the reset gate. What exactly does it multiply in the forward pass?",
            "The equation of dr: in r * (something) the gradient of r is that something, all of it.",
            "dr = da_n * q with q = h_prev Wh_n + b_hn: the reset stands after the product.",
        ),
    ),
    Bug(
        "gru-dr-bias-forgotten",
        BACKWARD,
        DR,
        "dr = da_n * (q - params.b_hn)",
        "dr",
        "A factor's gradient is the other factor, with all of its terms.",
        (
            "Look at the reset gate. What exactly does it multiply in the forward pass?",
            "The equation of dr: what r multiplies has two terms; one of them is not a product.",
            "dr = da_n * q with q = h_prev Wh_n + b_hn: the bias b_hn is reset too.",
        ),
    ),
    Bug(
        "gru-dr-before-the-squashing",
        BACKWARD,
        DR,
        "dr = dn * q",
        "dr",
        "The reset gate acts inside the candidate's tanh, so its gradient comes back through it.",
        (
            "Look at the reset gate. Does it act inside or outside of the candidate's tanh?",
            "The equation of dr: it starts from the gradient of the candidate's pre-activation, not of its value.",
            "dr = da_n * q: da_n, behind the derivative of tanh, and not dn.",
        ),
    ),
    Bug(
        "gru-dq-reset-missing",
        BACKWARD,
        "dq = da_n * r",
        "dq = da_n",
        "dq",
        "What the reset gate held back in the forward pass, it holds back in the backward pass.",
        (
            "Follow the gradient from the candidate towards the old state. What did the forward pass multiply there?",
            "The equation of dq: in r * q the gradient of q must vanish where the reset gate is closed.",
            "dq = da_n * r: what reaches Wh_n, b_hn and h_prev is scaled by the reset gate.",
        ),
    ),
    Bug(
        "gru-da-r-derivative-missing",
        BACKWARD,
        "da_r = dr * sigmoid_derivative(r)",
        "da_r = dr",
        "da_r",
        "Between a gate and its pre-activation stands a squashing function, which the chain rule does not skip.",
        (
            "One of the gates lacks a step on its way back to the weights.",
            "The equation of da_r: it leads through the gate's sigmoid, whose slope is never above 1/4.",
            "da_r = dr * r * (1 - r).",
        ),
    ),
    Bug(
        "gru-da-z-derivative-missing",
        BACKWARD,
        "da_z = dz * sigmoid_derivative(z)",
        "da_z = dz",
        "da_z",
        "Between a gate and its pre-activation stands a squashing function, which the chain rule does not skip.",
        (
            "One of the gates lacks a step on its way back to the weights.",
            "The equation of da_z: it leads through the gate's sigmoid, whose slope is never above 1/4.",
            "da_z = dz * z * (1 - z).",
        ),
    ),
)
