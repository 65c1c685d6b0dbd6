"""What is wrong with somebody's functions? They are judged on stages, against the textbook, and the mistake is named.

stages                          small cases that tell mistakes apart
comparison, observations        what somebody's passes gave on each of them, beside the truth
matching                        which mistake of the catalogue gives exactly these numbers?
localization                    where is it, when none does? lstm_step_equations tells it for the LSTM's step
invariances                     what every forward pass owes
symptoms                        what the failing stages mean, in a sentence
diagnosis                       all of this, in order
report_text, report             in words, and for all of somebody's functions: diagnose
"""

from npbilstm.diagnosis.report import DiagnosisReport, diagnose

__all__ = ["DiagnosisReport", "diagnose"]
