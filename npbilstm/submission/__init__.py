"""A submission: somebody's code, as pairs of passes that can be judged like the textbook's.

The textbook's functions are the reference. A submission has functions of the same names, in a form of its own.

function_spec, specs   what each of the textbook's functions takes and gives
course_specs           the same of what only courses ask for; compositions makes some of it of several functions
errors                 what may go wrong with a submission
layouts, joined        gates in another order, weights transposed, one matrix for two, time or features first
arguments              what its functions take, found out from the names
returns                what they give back
call_graph             which of its functions call which
pairs                  both passes by the textbook's names and in its layout, in this process: a submitted_pair
form, forms/           how the people of a course write theirs, as data; form_weights and form_passes run it,
                       layer_weights finds the weights of a class of one's own
notebook               what a notebook's cells define
submitted_code         in which form somebody's code is written, and the pair of each of its subjects
looks, signs           what looks like a pass, by its name and by signs, which are read in a body
definitions            what a source or a namespace defines
unread                 what of it looks like a pass and no verdict is about
process                the same in a process of its own: child is the other end, messages go between over pipes
containment            what that process may take and do; system_calls keeps it from others
replies                what is believed of its answers
raised                 what is told of an error in it
behaviour              what is found about how its functions behave; unwritten: about those that are not there yet
intermediates          what they compute on their way
runner, contained      the same for marks: a process that contains itself, and what asks it; contained_form,
                       contained_checker, with its probes, and contained_replies are parts of the latter
sandbox, fork_server   how that process is started, and a copy of it made; sandbox_trial, permitted_calls: what holds
conventions            other layouts, orders and names together; moved, given: the textbook's functions in them
"""
