"""What goes wrong in layer normalisation."""

from __future__ import annotations

from npbilstm.mistakes.catalogue.line import mistakes_in

FORWARD, BACKWARD = "layer_norm_forward", "layer_norm_backward"
ROW = "Layer normalisation takes its statistics from one row: the numbers of one sequence at one step."
WAYS = "A number reaches the loss on three ways: by itself, by the row's mean and by what the row is divided by."

BUGS = (
    *mistakes_in(
        FORWARD,
        "mean",
        "mean = z.mean(axis=-1, keepdims=True)",
        ROW,
        "Change one row of the batch and look at what comes out of the others.",
        "of the numbers of a row, and so one for each row.",
        {
            "layer-norm-mean-over-the-batch": (
                "mean = z.mean(axis=0, keepdims=True)",
                "The mean is over the rows, for each unit one, as in batch normalisation.",
            ),
            "layer-norm-mean-of-everything": ("mean = z.mean(keepdims=True)", "One mean for all rows together."),
            "layer-norm-median-for-mean": (
                "mean = np.sort(z, axis=-1)[..., [(z.shape[-1] - 1) // 2]]",
                "The middle one of the numbers, not their mean.",
            ),
        },
    ),
    *mistakes_in(
        FORWARD,
        "deviation",
        "deviation = z - mean",
        "What is normalised has the mean 0 before gain and bias.",
        "What is the mean of a row after it was normalised?",
        "how far each number is from the mean of its row.",
        {
            "layer-norm-mean-not-subtracted": (
                "deviation = z + 0 * mean",
                "The mean stays: it is only divided, by the root of the mean square (RMS normalisation).",
            ),
            "layer-norm-mean-added": ("deviation = z + mean", "The mean is added."),
        },
    ),
    *mistakes_in(
        FORWARD,
        "variance",
        "variance = (deviation**2).mean(axis=-1, keepdims=True)",
        "The variance is that of these very numbers, a mean of squares of what is left when the mean is taken away.",
        "What is the mean square of a row after it was normalised, for a small K?",
        "the mean, over the K numbers of a row, of the squared deviations.",
        {
            "layer-norm-variance-unbiased": (
                "variance = (deviation**2).sum(axis=-1, keepdims=True) / max(z.shape[-1] - 1, 1)",
                "Divided by K - 1, as torch.var and ddof=1 do; LN divides by K.",
            ),
            "layer-norm-variance-is-a-sum": (
                "variance = (deviation**2).sum(axis=-1, keepdims=True)",
                "A sum of squares, not divided by K.",
            ),
            "layer-norm-variance-over-the-batch": (
                "variance = (deviation**2).mean(axis=0, keepdims=True)",
                "The variance is over the rows, for each unit one, as in batch normalisation.",
            ),
            "layer-norm-variance-of-everything": (
                "variance = (deviation**2).mean(keepdims=True)",
                "One variance for all rows together.",
            ),
            "layer-norm-variance-about-zero": (
                "variance = (z**2).mean(axis=-1, keepdims=True)",
                "The mean square of z itself: the mean was not taken away.",
            ),
        },
    ),
    *mistakes_in(
        FORWARD,
        "s",
        "s = np.sqrt(variance + epsilon)",
        "A row is divided by its standard deviation, which a small number keeps from being 0.",
        "What is a row of equal numbers divided by, and what a row whose variance is about epsilon?",
        "the root of the variance, to which epsilon was added before.",
        {
            "layer-norm-epsilon-outside-the-root": (
                "s = np.sqrt(variance) + epsilon",
                "Epsilon is added to the standard deviation, after the root.",
            ),
            "layer-norm-epsilon-missing": (
                "s = np.sqrt(variance)",
                "There is no epsilon, or a much smaller one; a row of equal numbers is divided by 0.",
            ),
            "layer-norm-epsilon-of-keras": (
                "s = np.sqrt(variance + 1e-3)",
                "Epsilon is 1e-3, as in Keras, whatever it should be.",
            ),
            "layer-norm-root-missing": ("s = variance + epsilon", "The root is missing: divided by the variance."),
        },
    ),
    *mistakes_in(
        FORWARD,
        "normed",
        "normed = gain * n + bias",
        "After it was normalised, each unit gets back a scale and a place of its own, which are learned.",
        "Set the gain to 2 and the bias to 1: what mean and what deviation has a row?",
        "the gain multiplies what was normalised, and the bias is added to that.",
        {
            "layer-norm-gain-forgotten": ("normed = n + 0 * gain + bias", "The gain is left out."),
            "layer-norm-bias-forgotten": ("normed = gain * n + 0 * np.asarray(bias)", "The bias is left out."),
            "layer-norm-gain-on-the-bias": ("normed = gain * (n + bias)", "The bias is multiplied by the gain too."),
            "layer-norm-one-more-than-the-gain": (
                "normed = (1 + gain) * n + bias",
                "The factor is 1 + gain: a form of its own, in which a fresh gain is 0.",
            ),
            "layer-norm-gain-on-z": ("normed = gain * z + bias", "z itself is scaled, not what was normalised."),
            "layer-norm-gain-on-deviation": (
                "normed = gain * (n * s) + bias",
                "What is scaled had its mean taken away, and was not divided by s.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dgain",
        "dgain = (dnormed * n).sum(axis=rows)",
        "A factor's gradient is what it multiplied times what comes back, over all rows.",
        "What did the gain multiply, and in how many rows?",
        "a sum over all rows, of what comes from above times what the gain multiplied.",
        {
            "layer-norm-dgain-of-deviation": (
                "dgain = (dnormed * n * s).sum(axis=rows)",
                "Times the deviation, which was not divided by s yet.",
            ),
            "layer-norm-dgain-is-a-mean": ("dgain = (dnormed * n).mean(axis=rows)", "A mean over the rows."),
            "layer-norm-dgain-of-first-row": (
                "dgain = (dnormed * n).reshape(-1, len(gain))[0]",
                "The first row's alone.",
            ),
            "layer-norm-dgain-lacks-n": ("dgain = dnormed.sum(axis=rows)", "It is that of the bias: n is missing."),
            "layer-norm-dgain-times-gain": (
                "dgain = (dnormed * gain * n).sum(axis=rows)",
                "dn stands where dnormed belongs: the gain is multiplied in.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dbias",
        "dbias = dnormed.sum(axis=rows)",
        "A term's gradient is what comes back, over all rows.",
        "How often is a number of the bias added, and does anything multiply it?",
        "a sum over all rows, of what comes from above and nothing else.",
        {
            "layer-norm-dbias-is-a-mean": ("dbias = dnormed.mean(axis=rows)", "A mean over the rows."),
            "layer-norm-dbias-of-first-row": ("dbias = dnormed.reshape(-1, len(gain))[0]", "The first row's alone."),
            "layer-norm-dbias-times-gain": (
                "dbias = (dnormed * gain).sum(axis=rows)",
                "The gain is multiplied in, which does not stand before the bias.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dn",
        "dn = dnormed * gain",
        "What was multiplied on its way out is multiplied by the same on its way back.",
        "What stands between n and what was put out?",
        "what comes from above, times the factor that n was multiplied by.",
        {
            "layer-norm-dn-lacks-gain": ("dn = dnormed + 0 * gain", "The gain is missing on the way back."),
            "layer-norm-dn-divided-by-gain": ("dn = dnormed / gain", "Divided by the gain, not multiplied."),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "by_mean",
        "by_mean = dn.mean(axis=-1, keepdims=True)",
        WAYS,
        "Add the same number to all of a row: does the loss change? What must dz then add up to?",
        "what all K say of the mean, shared equally among the K.",
        {
            "layer-norm-way-by-mean-forgotten": (
                "by_mean = 0 * dn",
                "The mean is treated as a constant: what it does to the loss is missing.",
            ),
            "layer-norm-way-by-mean-is-a-sum": (
                "by_mean = dn.sum(axis=-1, keepdims=True)",
                "Not divided by K, the number of those that make the mean.",
            ),
            "layer-norm-way-by-mean-over-the-batch": (
                "by_mean = dn.mean(axis=0, keepdims=True)",
                "A mean over the rows, where the statistics are a row's.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "by_deviation",
        "by_deviation = n * (dn * n).mean(axis=-1, keepdims=True)",
        WAYS,
        "Multiply all of a row by 2, without epsilon: does the loss change? Along which direction must dz be 0?",
        "along n, by the mean over the row of dn times n.",
        {
            "layer-norm-way-by-variance-forgotten": (
                "by_deviation = 0 * n",
                "s is treated as a constant: what it does to the loss is missing.",
            ),
            "layer-norm-way-by-variance-is-a-sum": (
                "by_deviation = n * (dn * n).sum(axis=-1, keepdims=True)",
                "Not divided by K, the number of those that make the variance.",
            ),
            "layer-norm-way-by-variance-lacks-n": (
                "by_deviation = (dn * n).mean(axis=-1, keepdims=True) + 0 * n",
                "The factor n before the mean is missing: the slope of s by each z.",
            ),
            "layer-norm-way-by-variance-over-the-batch": (
                "by_deviation = n * (dn * n).mean(axis=0, keepdims=True)",
                "A mean over the rows, where the statistics are a row's.",
            ),
            "layer-norm-way-by-variance-halved": (
                "by_deviation = n * (dn * n).mean(axis=-1, keepdims=True) / 2",
                "The 2 of the square and the 1/2 of the root cancel; here the 2 was forgotten.",
            ),
            "layer-norm-way-by-variance-doubled": (
                "by_deviation = n * (dn * n).mean(axis=-1, keepdims=True) * 2",
                "The 2 of the square and the 1/2 of the root cancel; here the 1/2 was forgotten.",
            ),
            "layer-norm-way-by-variance-of-deviation": (
                "by_deviation = n * s * (dn * n * s).mean(axis=-1, keepdims=True)",
                "The deviation stands in both places where n belongs.",
            ),
            "layer-norm-way-by-variance-with-dnormed": (
                "by_deviation = n * (dnormed * n).mean(axis=-1, keepdims=True)",
                "dnormed stands where dn belongs: the gain is missing here.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dz",
        "dz = (dn - by_mean - by_deviation) / s",
        WAYS,
        "All three ways end in the same division. Which one, and with which signs?",
        "what comes by itself less what comes by the mean and less what comes by the deviation, over s.",
        {
            "layer-norm-statistics-as-constants": (
                "dz = dn / s",
                "Mean and s are treated as constants: both of their ways are missing.",
            ),
            "layer-norm-dz-not-divided": ("dz = dn - by_mean - by_deviation", "Not divided by s."),
            "layer-norm-dz-multiplied-by-s": ("dz = (dn - by_mean - by_deviation) * s", "Multiplied by s."),
            "layer-norm-dz-divided-by-variance": (
                "dz = (dn - by_mean - by_deviation) / s**2",
                "Divided by the variance, not by its root.",
            ),
            "layer-norm-dz-mean-added": (
                "dz = (dn + by_mean - by_deviation) / s",
                "The mean's way has the wrong sign.",
            ),
            "layer-norm-dz-deviation-added": (
                "dz = (dn - by_mean + by_deviation) / s",
                "The deviation's way has the wrong sign.",
            ),
            "layer-norm-dz-sign": ("dz = -(dn - by_mean - by_deviation) / s", "The sign of all of it is wrong."),
            "layer-norm-dz-one-way-alone": (
                "dz = dn / s - by_mean - by_deviation",
                "Only the first of the three is divided by s.",
            ),
        },
    ),
)
