"""For a class: exercises made of the textbook, with what a submission to them is judged by. There are none yet."""
