"""The exposition: what a gateway tells, one with two lines, and one that stands by."""

from gateway.metrics import CHARGES, GUESTS, Metrics, StandbyMetrics
from gateway.metrics.standby import ROLE


def lines_of(metrics, name):
    text = metrics.expose().decode()
    return sorted(line for line in text.splitlines() if line.startswith(name))


def test_only_of_more_than_one_line_each_series_says_which_it_is_of():
    alone = Metrics(version="1", site="a")
    alone.guests.link_up.set(1)
    assert lines_of(alone, "pmsgw_link_up") == ["pmsgw_link_up 1.0"]
    both = Metrics(version="1", site="a", lines=(GUESTS, CHARGES))
    both.lines[CHARGES].link_up.set(1)
    assert lines_of(both, "pmsgw_link_up") == [
        'pmsgw_link_up{line="charges"} 1.0', 'pmsgw_link_up{line="guests"} 0.0',
    ]  # fmt: skip


def test_what_the_kernel_never_counted_is_absent_and_not_zero():
    metrics = Metrics(version="1", site="a")
    assert lines_of(metrics, "pmsgw_serial_errors") == []
    metrics.guests.set_serial_errors({"frame": 2})
    assert lines_of(metrics, "pmsgw_serial_errors") == [
        'pmsgw_serial_errors_total{kind="frame"} 2.0'
    ]


def test_the_open_postings_are_a_gauge_beside_the_counter_of_the_same_name():
    metrics = Metrics(version="1", site="a")
    metrics.postings.counts[("call", "parked")] = 3
    metrics.postings_total.labels("call", "booked").inc()
    assert lines_of(metrics, "pmsgw_postings") == [
        'pmsgw_postings_total{kind="call",result="booked"} 1.0',
        'pmsgw_postings{kind="call",state="parked"} 3.0',
    ]  # fmt: skip


def test_one_that_stands_by_tells_nothing_of_a_line_or_a_ucm():
    text = StandbyMetrics(version="1", site="a").expose().decode()
    names = {line.split("{")[0].split(" ")[0] for line in text.splitlines() if line[:1] != "#"}
    assert {name for name in names if name.startswith("pmsgw_")} == {
        "pmsgw_build_info", "pmsgw_pair_role",
    }  # fmt: skip
    assert 'pmsgw_pair_role{role="standby"} 1.0' in text
    assert ROLE in text
