"""What a class needs: a catalogue of mistakes, and the diagnosis that names them in somebody's own functions.

subjects                what of the textbook can be re-implemented and judged
probes, runs            small staged cases that tell mistakes apart, and what two passes give on them
own_code/               a person's own functions, in their own layout, in a process of their own
bugs/                   the catalogue: mistakes as one-line changes of the textbook's own source
planting                the textbook with such changes
evidence                what somebody's passes gave, beside the truth
search                  which mistake gives exactly these numbers?
equations, location     where is it, when none does?
invariances             what every forward pass owes
diagnosis               all of this, in order
reading, wording        in sentences
report                  for all of somebody's functions: diagnose
"""

from npbilstm.classroom.bugs import BUGS
from npbilstm.classroom.planting import Bug, plant
from npbilstm.classroom.report import DiagnosisReport, diagnose

__all__ = ["BUGS", "Bug", "DiagnosisReport", "diagnose", "plant"]
