"""A submission: somebody's code, as pairs of passes that can be judged like the textbook's.

The textbook's functions are the reference. A submission has functions of the same names, in a form of its own.

function_spec, specs   what each of the textbook's functions takes and gives; attention_specs, of attention and decoder
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
runner                 the process that somebody's code runs in, contained by a policy; runner_client asks it
fork_server, pipes     how it is started, where there is fork and elsewhere; messages: what goes between
containment            the policies: what the code may take, read and do; system_calls keeps it from other processes
process                a file in the runner, for `check`; checked_file is the other end
same_process           the same where no process can be started, in this one; surroundings: what is set back then
withheld, offered      of this package what a checked file may see: the textbook without the answers
replies                what is believed of its answers
raised                 what is told of an error in it
behaviour              what is found about how its functions behave; unwritten: about those that are not there yet
intermediates          what they compute on their way
contained              the same for marks; planned_calls is the other end; contained_form, contained_checker, with
                       its probes, and contained_replies are parts of it
sandbox                what stands around the runner for marks; sandbox_trial, permitted_calls: what holds
conventions            other layouts, orders and names together; moved, given: the textbook's functions in them
"""
