"""The table of faults: one row each, causes before consequences."""

from gateway.scope.explain import FAULTS, Fault
from gateway.scope.explain.examiner import explain
from protocols.transcript import (
    parse,
)
from tests.gateway.scope.explain.talk import TCP, codes, frame, steps_of


def test_the_table_is_one_that_a_page_can_show():
    assert len(FAULTS) >= 28
    assert [row.layer for row in FAULTS.values()] == sorted(row.layer for row in FAULTS.values())
    for code, row in FAULTS.items():
        assert code == row.code
        assert row.looks.endswith(".")
        assert row.looks.count(". ") == 0
        assert row.hides <= set(FAULTS), f"{code} hides what is no fault"
        assert not [each for each in row.hides if FAULTS[each].layer < row.layer and row.blocks]


def test_a_cause_hides_its_consequences_and_lower_layers_come_first():
    # Half the speed, and so no link; then a clean line on which two layers are wrong.
    assert codes(explain(steps_of("speed-half.line"))) == ["speed-half"]
    text = "line tcp:h:1 lrc=off ack=off charset=cp1252\nopen\n"
    for room in range(101, 105):
        text += f"pms> {frame(f'GI|RN{room}|G#1|GNRossi|GSN|ZZ1|', TCP)}\n"
        text += f"pms> {frame(f'MW|RN{room}|', TCP)}\n<ACK>\n".replace("<ACK>", "pms> <ACK>")
        text += f"pms> {frame(f'WR|RN{room}|DA1|TI2|', TCP)}\n"
    found = explain(parse(text))
    assert [each.layer for each in found] == sorted(each.layer for each in found)
    assert codes(found)[:2] == ["unwanted-answers", "early-data"]
    assert {"unknown-records", "unreadable-dates"} <= set(codes(found))


def test_a_fault_is_one_row():
    assert all(isinstance(row, Fault) and callable(row.rule) for row in FAULTS.values())
