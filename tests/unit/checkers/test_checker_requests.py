"""Raw lines of the load generator."""

from lab.checkers.requests import Request, parse, summary

LINES = """at_s,epoch_s,profile,name,latency_ms,status,error
1.000,1700000000.0,steady,page,10.5,200,
2.000,1700000001.0,steady,page,30.0,500,
3.000,1700000002.0,flood,burst,,0,"ConnectTimeout, after 10 s"
4.000,17"""


def test_a_line_is_a_request_and_a_torn_line_is_dropped() -> None:
    assert parse(LINES.splitlines()) == [
        Request(1.0, "steady", "page", 10.5, failed=False),
        Request(2.0, "steady", "page", 30.0, failed=True),
        Request(3.0, "flood", "burst", None, failed=True),
    ]


def test_columns_may_come_in_any_order_and_the_header_alone_is_nothing() -> None:
    assert parse(["status,at_s,latency_ms", "200,1.5,2"]) == [Request(1.5, "steady", "", 2.0, failed=False)]
    assert parse(["at_s,profile,name,latency_ms,status,error"]) == []
    assert parse([]) == []


def test_the_summary_counts_by_profile_and_keeps_measured_values() -> None:
    rows = [Request(0, "steady", "page", float(ms), failed=ms > 98) for ms in range(1, 101)] + [
        Request(0, "flood", "burst", None, failed=True)
    ]
    found = summary(rows)
    assert (found.n, found.failed) == (101, 3)
    assert (found.profiles["steady"].latency_ms_p50, found.profiles["steady"].latency_ms_p99) == (50, 99)
    assert found.profiles["flood"].latency_ms_p50 is None
