"""What is wrong with a line, in words, lowest layer first.

values      a finding: its fault, layer, confidence, words, next step, evidence
marks       what is counted, over the last hour
sight       all that is known of a line at this moment
notes/      from steps and rows to marks: nothing there judges
faults/     from marks to findings: one row or one small rule for each fault
table       the faults by name; which of them hide which
examiner    puts them together

A new fault is one row or rule in `faults/` (and a mark, where none tells it), one transcript in
`tests/data/faults/` that shows it, and one near miss beside it that does not.
"""

from gateway.scope.explain.examiner import WITHIN_S, Examiner, explain
from gateway.scope.explain.table import FAULTS, Fault
from gateway.scope.explain.values import Confidence, Evidence, Finding, Layer, not_open

__all__ = [
    "FAULTS",
    "WITHIN_S",
    "Confidence",
    "Evidence",
    "Examiner",
    "Fault",
    "Finding",
    "Layer",
    "explain",
    "not_open",
]
