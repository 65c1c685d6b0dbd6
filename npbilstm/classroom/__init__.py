"""For classes: exercises made from the textbook, and what says how they stand.

stubs         functions of the textbook without their bodies
exercise      what an exercise is; exercises: all of them
assignment    an exercise as a file or a notebook, to be handed out; formats: also for nbgrader and otter
handed_in     what comes back
grading       work for marks, in the sandbox; graded, result: what came of it; collected: where it was found
course_form   the same exercises as a course has them; stand_in: for what earlier ones asked for
judging       how it stands, in words by result: check_exercise
instructor    the page for who teaches
batch         a class's submissions, graded and kept; executors, cluster: where that is done
variant       the same exercises in other conventions; rewording: their docstrings, lines: laid out again
likeness      submissions that are alike, by structure; class_page, student_page: what is shown, as html_document
hunt          a BiLSTM with mistakes in it, and which of them remain; hunt_files: what it is written as
museum_hunt   a mistake that somebody made in public
"""

from npbilstm.classroom.judging import check_exercise
from npbilstm.classroom.result import ExerciseResult
from npbilstm.classroom.variant import given

__all__ = ["ExerciseResult", "check_exercise", "given"]
