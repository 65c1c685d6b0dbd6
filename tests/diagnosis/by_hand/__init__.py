"""Twenty mistakes that people make, written by hand in each of eight forms.

A file a form, in the manner in which its people write: a function of the right answer (tests/submission/forms) is
written once more, with the mistake in it. They are no plants of npbilstm.mistakes, and what they should be called is
said here, not computed.
"""
