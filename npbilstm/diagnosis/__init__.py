"""What is wrong with somebody's functions? They are judged on stages, beside the textbook, and the mistake is named.

stages, cases                  small cases that tell mistakes apart, and their numbers
comparison, consistency        arrays beside what is expected, gradients beside their own outputs
expected                       what the textbook gives for them, and what it gives with a mistake
observations                   what the submitted passes gave for each case, beside what is expected
matching                       which mistake of the catalogue gives exactly these numbers?
ranking                        of several that do, the likeliest first
own_functions                  a submitted step in the textbook's loop
localization                   where is it, when none does?
equations, tracing             which equation, were it wrong in any way, would give these numbers?
forward_equations, slips       which of a forward pass? quantity_names, traced_step: with what the code computes
invariances                    what every forward pass owes
results                        what was found out, as data
symptoms                       what the failing stages mean, in a sentence
diagnosis                      all of this, in order
layout_search                  in which layout are the outputs the textbook's?
report_text, report            in words, and for all of somebody's functions: diagnose
"""

from npbilstm.diagnosis.report import DiagnosisReport, diagnose

__all__ = ["DiagnosisReport", "diagnose"]
