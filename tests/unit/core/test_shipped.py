"""rsyslog's own counters, read from the end of a file that is being written."""

import pytest

from lab.core.shipped import Shipped, added, credited, parse
from lab.core.tally import Tally


def line(name, **counters):
    """One line as impstats of rsyslog 8.2302 wrote it."""
    values = "".join(f', "{key}": {value}' for key, value in counters.items())
    return f'Sat Nov 28 22:25:04 2026: {{ "name": "{name}", "origin": "x"{values} }}\n'


def written(acked, utime, stime=0):
    return (
        line("global")
        + line("omkafka", submitted=acked + 7, acked=acked)
        + line("action-0-omkafka", processed=9, acked=999_999)
        + line("resource-usage", utime=utime, stime=stime, openfiles=28)
        + line("main Q", size=0)
    )


def test_the_newest_counters_count():
    assert parse(written(1024, 18_780, 13_404) + written(1200, 19_000, 14_000)) == Shipped(1200, 33_000)


@pytest.mark.parametrize("text", ["", line("main Q", size=0), '"acked": 3 }\n'])
def test_what_is_not_there_yet_is_nothing(text):
    assert parse(text) == Shipped()


def test_a_cut_first_line_and_a_half_written_last_one_do_not_count():
    text = line("omkafka", acked=5)[30:] + written(7, 2) + line("omkafka", acked=8)[:-9]
    assert parse(text) == Shipped(7, 2)
    assert parse(written(7, 2) + line("omkafka", acked=8)[:-1]) == Shipped(7, 2)


def test_a_collector_tells_how_much_it_took_from_each_pod():
    bucket = 'now: { "name": "taken", "origin": "dynstats.bucket", "values": { "app-1": 501, "app-2": 7 } }\n'
    found = parse(written(500, 1) + bucket)
    assert (found.taken, found.in_flight) == ({"app-1": 501, "app-2": 7}, 8)
    assert (found + found).taken == {"app-1": 1002, "app-2": 14}
    assert Shipped(acked=9, taken={"app-1": 3}).in_flight == 0


def test_starts_of_one_shipper_add_up_and_tallies_are_no_counters():
    files = [
        ("app-1.1795905023", written(10, 1)),
        ("app-1.1795905999", written(20, 2)),
        ("app-2.5", written(1, 1)),
        ("app-3", "\0" * 64),
        ("n.example.7", ""),
    ]
    assert added(files) == {"app-1": Shipped(30, 3), "app-2": Shipped(1, 1), "n.example": Shipped()}


def test_a_pod_gets_the_credit_for_what_was_acknowledged():
    tally = credited(Tally(1000, 197_000, 0, 0, 0, 3), Shipped(400, 55))
    assert tally == Tally(1000, 197_000, 400, 78_800, 55, 3)
    assert tally.backlog_lines == 600


def test_all_acknowledged_is_no_backlog_and_lines_sent_twice_are_no_more_than_all():
    assert credited(Tally(3, 591, 0, 0, 0, 0), Shipped(3)).backlog_bytes == 0
    assert credited(Tally(3, 591, 0, 0, 0, 0), Shipped(5)).shipped_lines == 3
    assert credited(Tally(0, 0, 0, 0, 0, 0), Shipped()).backlog_bytes == 0
