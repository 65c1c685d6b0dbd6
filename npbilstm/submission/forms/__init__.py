"""Forms of courses and books, a file each; a teacher's own is such a file anywhere."""

from __future__ import annotations

from pathlib import Path

from npbilstm.submission.errors import SubmissionError
from npbilstm.submission.form import CallsRead, Form
from npbilstm.submission.forms import cmu, coursera, cs231n, edinburgh, holberton, layers, min_char_rnn, saito

COURSES = (cs231n, coursera, cmu, saito, holberton, min_char_rnn, edinburgh, layers)
FORMS: dict[str, Form] = {each.FORM.name: each.FORM for each in COURSES}
"""Every form by its name, in the order in which they are tried."""
TEXTBOOK = Form("textbook", "the textbook", ())
"""The form of what is called as the textbook's functions are."""


def form_called(name: str) -> Form:
    """The form of this name, or in a file of this name. Raises SubmissionError, a sentence, where there is none."""
    if name == TEXTBOOK.name:
        return TEXTBOOK
    if name in FORMS:
        return FORMS[name]
    if not name.endswith(".py"):
        raise SubmissionError(f"form is {name}; it needs one of {', '.join([TEXTBOOK.name, *FORMS])}, or a file's name")
    try:
        names: dict[str, object] = {"__name__": Path(name).stem}
        exec(compile(Path(name).read_text(encoding="utf-8"), name, "exec"), names)
        form = names.get("FORM")
        if not isinstance(form, Form):
            raise TypeError("it sets no FORM = Form(...)")
        for calls in form.calls:
            CallsRead(form, calls)
    except KeyError as error:
        raise SubmissionError(f"{name} is no form: there is no subject {error}") from None
    except Exception as error:
        raise SubmissionError(f"{name} is no form: {type(error).__name__}: {error}") from None
    return form
