"""The instructor's page: of each exercise what it teaches, what it takes, the mistakes people make in it, and the
solution, which is the textbook's own source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from npbilstm.classroom.exercise import Exercise
from npbilstm.classroom.exercises import number_of
from npbilstm.classroom.formats import file_name
from npbilstm.classroom.stubs import helpers_of, solution, surroundings


def instructors_page(exercises: Iterable[Exercise]) -> str:
    """The page, in Markdown."""
    exercises = list(exercises)
    minutes, points = sum(each.minutes for each in exercises), sum(each.points for each in exercises)
    head = (
        "# For the instructor\n\n"
        f"{len(exercises)} exercise{'s'[: len(exercises) != 1]}, about {minutes} minutes, {points} points. It holds "
        "the solutions: keep it from those who are to find them."
    )
    return "\n\n".join([head, *(part for exercise in exercises for part in parts_of(exercise))]) + "\n"


def parts_of(exercise: Exercise) -> Iterator[str]:
    """What the page says of one exercise."""
    yield f"## {number_of(exercise)}. {exercise.title}"
    yield (
        f"`{file_name(exercise, 'py')}`: {', '.join(f'`{name}`' for name in exercise.functions)}. "
        f"{exercise.minutes} minutes, {exercise.points} points."
    )
    yield f"**What it teaches.** {exercise.teaches}"
    yield f"**Task.** {exercise.task}"
    tools = surroundings(exercise.functions).tools
    if tools:
        yield f"**Given.** {', '.join(f'`{name}`' for name in sorted(tools))}, from the textbook."
    if exercise.mistakes:
        yield f"**Mistakes people make in it** ({len(exercise.mistakes)} are known and named):"
        yield "\n".join(
            f"- `{bug.id}`, in {bug.function}, {bug.equation}: {' '.join(bug.hints[2].split())}"
            for bug in exercise.mistakes
        )
    yield "**Solution.**"
    yield "```python\n" + "\n\n\n".join(map(solution, helpers_of(exercise.functions))) + "\n```"
