"""The 64 bytes that pods and lab share."""

import struct

import pytest

from lab.core.tally import SIZE_BYTES, Tally, parse


def test_the_layout_is_eight_little_endian_counters():
    raw = struct.pack("<8Q", 10, 2000, 7, 1400, 123456, 3, 0, 0)
    assert SIZE_BYTES == len(raw) == 64
    assert parse(raw) == Tally(10, 2000, 7, 1400, 123456, 3)


def test_the_backlog_is_what_is_written_and_not_shipped_and_never_negative():
    assert (Tally(10, 2000, 7, 1400, 0, 0).backlog_bytes, Tally(10, 2000, 7, 1400, 0, 0).backlog_lines) == (600, 3)
    assert (Tally(1, 100, 2, 300, 0, 0).backlog_bytes, Tally(1, 100, 2, 300, 0, 0).backlog_lines) == (0, 0)


def test_a_file_that_is_being_made_is_not_a_tally():
    with pytest.raises(ValueError, match="has 12"):
        parse(b"\0" * 12)
