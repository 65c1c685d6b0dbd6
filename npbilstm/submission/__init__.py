"""Somebody's own code, as a pair of passes that can be judged like the textbook's.

specs         what each of the textbook's functions takes and gives
errors        what may go wrong with a submission
layouts       gates in another order, weights the other way round, time or features first
arguments     what its functions take, found out from the names
returns       what they return
call_graph    which of its functions call which
pairs         both passes in our names and layout, in this process
looks         what looks like a pass, by its name and by signs, which are read in a body
definitions   what a source or a namespace defines
unread        what of it looks like a pass and no verdict is about
process       the same in a process of its own: child is the other end, messages what goes between, over pipes
containment   what that process may take and do; system_calls keeps it from others
replies       what is believed of its answers; raised, what is told of an error
"""
