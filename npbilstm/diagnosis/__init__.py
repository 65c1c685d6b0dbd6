"""What is wrong with somebody's functions? They are judged on stages, beside the textbook, and the mistake is named.

stages, cases                  small cases that tell mistakes apart, and their numbers
comparison, consistency        arrays beside what is expected, gradients beside their own outputs
observations                   what the submitted passes gave for each case, beside the reference
matching                       which mistake of the catalogue gives exactly these numbers?
localization                   where is it, when none does? lstm_step_equations tells it for the LSTM's step
invariances                    what every forward pass owes
results                        what was found out, as data
symptoms                       what the failing stages mean, in a sentence
diagnosis                      all of this, in order
report_text, report            in words, and for all of somebody's functions: diagnose
"""

from npbilstm.diagnosis.report import DiagnosisReport, diagnose

__all__ = ["DiagnosisReport", "diagnose"]
