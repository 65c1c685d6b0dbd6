"""What `npbilstm train` can train: a file a task, which says

KINDS                        the kinds of data, about["data"]["kind"], by which a file's run is known again
DEFAULTS                     options whose usual values differ from those in train.py
UNUSED                       options that mean nothing to it
start(options)               a new run
resume(path, said, trainer, options)   the run in a file, of which `said` is what the file says about it

options.files is all that stands for DATA, options.data the first of it: only a language has several files.

Both make a Run (run.py), whose Trainer train.py takes to its end, to Ctrl-C, to a file. Their data is in
npbilstm/datasets.
"""

from types import ModuleType

from npbilstm.commands.tasks import (
    addition,
    dates,
    language,
    morse,
    reverse,
    series,
    string_pairs,
    tagging,
    word_tagging,
    words,
)

TASKS: dict[str, ModuleType] = {
    "tagging": tagging,
    "word-tagging": word_tagging,
    "series": series,
    "morse": morse,
    "pairs": string_pairs,
    "dates": dates,
    "reverse": reverse,
    "addition": addition,
    "words": words,
    "language": language,
}
"""By the names that --task takes."""
