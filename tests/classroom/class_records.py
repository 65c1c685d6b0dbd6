"""The results of a class, made up: names and words that are out to break a page among them."""

from npbilstm.classroom.exercises import ALL, EXERCISES
from npbilstm.classroom.likeness import fingerprints
from npbilstm.mistakes import BUGS
from tests.classroom.own_ways import BY_GATES, BY_SLICES

BREAKING = "<script>alert('name')</script>\u202e\x1b[2J\"&'"
WORDS = "wrong\n</pre><img src=x onerror=alert('feedback')>\n" + "a" * 300
NAMES = ("ann", "bob", BREAKING, "dan", "eve-" + "long-" * 30)
MISTAKES = ("initial-state-ignored", "initial-state-ignored", "da-f-slope-missing")


def part(exercise, state, score, mistakes=(), feedback=None):
    return {
        "exercise": exercise.name,
        "state": state,
        "score": float(score),
        "max_score": float(exercise.points),
        "mistakes": list(mistakes),
        "concepts": [BUGS[mistake].concept for mistake in mistakes],
        "feedback": feedback or state,
    }


def records():
    """The first two, and nobody else, are alike; three have mistakes; the fourth has one that nobody knows."""
    made = []
    for k, name in enumerate(NAMES):
        parts = [part(exercise, "right", exercise.points) for exercise in ALL]
        if k < 3:
            parts[6] = part(ALL[6], "wrong", 0, [MISTAKES[k]], WORDS)
            parts[7] = part(ALL[7], "counted before", ALL[7].points, [MISTAKES[k]], "wrong by nothing but that")
        elif k == 3:
            parts[8] = part(EXERCISES["flip"], "wrong", 0, [], "wrong")
            parts[9:] = [part(exercise, "not yet written", 0) for exercise in ALL[9:]]
        way = BY_SLICES if k < 2 else BY_GATES if k == 2 else {}
        made.append(
            {
                "submission": name,
                "score": sum(each["score"] for each in parts),
                "max_score": sum(each["max_score"] for each in parts),
                "parts": parts,
                "unread": ["ex01_<i>x</i>.py is a link"] if k == 2 else [],
                "attempt": 1 + k,
                "fingerprints": {exercise: fingerprints(source) for exercise, source in way.items()},
            }
        )
    return made
