"""What goes wrong when a network trained by CTC is read: on the best path, and in the prefix beam search."""

from __future__ import annotations

from npbilstm.mistakes.catalogue.line import mistakes_in

GREEDY, BEAM, ADD = "ctc_greedy", "ctc_beam", "add_to_prefix"

BUGS = (
    *mistakes_in(
        GREEDY,
        "labels",
        "read = valid_steps(check_lengths(lengths, N, T), T) & (path != 0) & (path != before)",
        "First runs are merged, then blanks are dropped, of the valid steps alone.",
        "Read these two paths by hand: a 0 a, and a a. Then one with padding behind it.",
        "a step is read if it is valid, is no blank, and is another class than the step right before it.",
        {
            "ctc-runs-not-merged": (
                "read = valid_steps(check_lengths(lengths, N, T), T) & (path != 0)",
                "Here each step of a run is read.",
            ),
            "ctc-blanks-not-dropped": (
                "read = valid_steps(check_lengths(lengths, N, T), T) & (path != before)",
                "Here blanks are read as well.",
            ),
            "ctc-padding-decoded": ("read = (path != 0) & (path != before)", "Here the padding is read as well."),
        },
    ),
    *mistakes_in(
        GREEDY,
        "path",
        "path = np.asarray(logits).real.argmax(axis=2) if T else np.zeros((N, 0), int)",
        "The best path takes the likeliest class of each step, and the blank may be that.",
        "Over which axis, and among which classes, is the largest looked for?",
        "it is among all classes of the step.",
        {
            "ctc-blank-never-on-the-path": (
                "path = np.asarray(logits)[..., 1:].real.argmax(axis=2) + 1 if T else np.zeros((N, 0), int)",
                "Here it is among the labels alone.",
            ),
            "ctc-least-likely-path": (
                "path = np.asarray(logits).real.argmin(axis=2) if T else np.zeros((N, 0), int)",
                "Here it is the smallest.",
            ),
        },
    ),
    *mistakes_in(
        GREEDY,
        "labels",
        "before = np.concatenate([np.zeros((N, 1), int), path[:, :-1]], axis=1)[:, :T]",
        "A run is of equal neighbours in time; what comes after a blank is new.",
        "Read the path a 0 a by hand, and one that begins with a label.",
        "each step is compared with the one right before it, blanks included, and the first with a blank.",
        {
            "ctc-blanks-dropped-before-merging": (
                "before = np.array([[([0] + [k for k in row[:t] if k])[-1] for t in range(T)] for row in path])"
                ".reshape(N, T)",
                "Here it is compared with the label before, over blanks: a label that is there twice is read once.",
            ),
            "ctc-first-step-compared-with-last": (
                "before = np.roll(path, 1, axis=1)",
                "Here the index -1 compares the first step with the last.",
            ),
        },
    ),
    *mistakes_in(
        BEAM,
        "blank'",
        "add_to_prefix(following, prefix, both + log_y_t[0], -np.inf)",
        "By a blank a prefix stays, whatever it ended in.",
        "How does a prefix go on without growing, by a blank?",
        "both sums go on by a blank.",
        {
            "ctc-beam-blank-behind-blank-alone": (
                "add_to_prefix(following, prefix, blank + log_y_t[0], -np.inf)",
                "Here no blank follows a label.",
            ),
            "ctc-beam-blank-behind-label-alone": (
                "add_to_prefix(following, prefix, (label if prefix else both) + log_y_t[0], -np.inf)",
                "Here no blank follows a blank.",
            ),
            "ctc-beam-blank-ends-in-label": (
                "add_to_prefix(following, prefix, -np.inf, both + log_y_t[0])",
                "Here it is put with the alignments that end in a label.",
            ),
        },
    ),
    *mistakes_in(
        BEAM,
        "label'",
        "add_to_prefix(following, prefix, -np.inf, label + log_y_t[last])",
        "By its last label once more a prefix stays, if it is a run that goes on.",
        "The prefix a and the class a: when is that a, and when a a?",
        "the sum that ended in this label goes on by it.",
        {
            "ctc-beam-run-does-not-go-on": ("pass", "Here every label is seen for one step only."),
            "ctc-beam-run-goes-on-over-blank": (
                "add_to_prefix(following, prefix, -np.inf, both + log_y_t[last])",
                "Here a blank does not part two equal labels.",
            ),
        },
    ),
    *mistakes_in(
        BEAM,
        "label'",
        "before = blank if k == last else both",
        "A prefix grows by its own last label behind a blank alone.",
        "The prefix a and the class a: when is that a, and when a a?",
        "for the label that stands last already it is one of the two sums, for others both.",
        {
            "ctc-beam-grows-by-a-run": ("before = both", "Here a run makes a new label at every step."),
            "ctc-beam-grows-behind-blank-alone": ("before = blank", "Here all labels need a blank before them."),
            "ctc-beam-never-doubles": (
                "before = -np.inf if k == last else both",
                "Here no label follows itself.",
            ),
        },
    ),
    *mistakes_in(
        BEAM,
        "beam",
        "likeliest = sorted(following, key=lambda prefix: -np.logaddexp(*following[prefix]))",
        "The prefixes that go on are those with the largest probability.",
        "By which number are the prefixes put in order?",
        "by the sum over all alignments of a prefix, largest first.",
        {
            "ctc-beam-ranked-by-blank-alone": (
                "likeliest = sorted(following, key=lambda prefix: -following[prefix][0])",
                "Here those that end in a label do not count.",
            ),
            "ctc-beam-ranked-by-label-alone": (
                "likeliest = sorted(following, key=lambda prefix: -following[prefix][1])",
                "Here those that end in a blank do not count.",
            ),
            "ctc-beam-ranked-by-the-larger": (
                "likeliest = sorted(following, key=lambda prefix: -max(following[prefix]))",
                "Here the larger of the two sums alone counts.",
            ),
            "ctc-beam-keeps-the-least-likely": (
                "likeliest = sorted(following, key=lambda prefix: np.logaddexp(*following[prefix]))",
                "Here the least likely come first.",
            ),
        },
    ),
    *mistakes_in(
        BEAM,
        "beam",
        "beam = {prefix: following[prefix] for prefix in likeliest[:width]}",
        "At each step the beam keeps as many prefixes as it is wide.",
        "How many prefixes go on?",
        "the likeliest few go on, with their two sums.",
        {
            "ctc-beam-width-ignored": (
                "beam = {prefix: following[prefix] for prefix in likeliest}",
                "Here all of them do.",
            ),
            "ctc-beam-keeps-one": (
                "beam = {prefix: following[prefix] for prefix in likeliest[:1]}",
                "Here one alone does.",
            ),
            "ctc-beam-forgets-how-prefixes-ended": (
                "beam = {prefix: (np.logaddexp(*following[prefix]), -np.inf) for prefix in likeliest[:width]}",
                "Here the two sums are one: all go on as if they had ended in a blank.",
            ),
        },
    ),
    *mistakes_in(
        ADD,
        "blank'",
        "beam[prefix] = np.logaddexp(old_blank, blank), np.logaddexp(old_label, label)",
        "One prefix is reached in several ways, and all of them count.",
        "In how many ways does the beam come to one prefix at one step?",
        "what comes is added to what is there.",
        {
            "ctc-beam-prefixes-overwritten": (
                "beam[prefix] = blank, label",
                "Here the last way overwrites those before.",
            ),
            "ctc-beam-best-way-for-the-sum": (
                "beam[prefix] = np.maximum(old_blank, blank), np.maximum(old_label, label)",
                "Here the best way alone counts.",
            ),
        },
    ),
)
