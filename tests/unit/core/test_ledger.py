"""The ledger: on disk before anything happens, readable whatever happened to it."""

import json
from pathlib import Path

import pytest

from lab.core.ledger import Entry, Ledger
from tests.fakes import largest_file

ENTRY = Entry("run/0", "pause-broker", {"target": "broker"}, 123.0)
OTHER = Entry("run/1", "pause-broker", {}, 5.0)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "deep" / "ledger.jsonl")


def test_a_ledger_that_is_not_there_has_nothing_open(ledger: Ledger) -> None:
    assert ledger.open_entries() == []


def test_another_process_reads_what_was_opened_and_not_closed(ledger: Ledger) -> None:
    ledger.open(ENTRY)
    ledger.open(OTHER)
    ledger.close(ENTRY.id)
    assert Ledger(ledger._path).open_entries() == [OTHER]


def test_closing_twice_does_no_harm(ledger: Ledger) -> None:
    ledger.open(ENTRY)
    ledger.close(ENTRY.id)
    ledger.close(ENTRY.id)
    assert ledger.open_entries() == []


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_line_cut_anywhere_is_skipped_and_the_next_one_stands_alone(ledger: Ledger, cut: int) -> None:
    ledger.open(ENTRY)
    whole = ledger._path.read_text()
    ledger._path.write_text(whole + json.dumps({"change": "open", "id": "torn", "fault": "pause-broker"})[:cut])
    ledger.open(OTHER)
    assert ledger.open_entries() == [ENTRY, OTHER]


def test_a_last_line_without_its_newline_still_counts(ledger: Ledger) -> None:
    ledger.open(ENTRY)
    ledger._path.write_text(ledger._path.read_text().rstrip("\n"))
    assert ledger.open_entries() == [ENTRY]
    ledger.close(ENTRY.id)
    assert ledger.open_entries() == []


@pytest.mark.parametrize("rubbish", [b"\x00\x00\x00\n", b"\xff\xfe\n", b"5\n", b"{}\n", b'{"change":"open","id":"a"}\n', b"[1]\n"])
def test_rubbish_in_the_ledger_hides_no_open_fault(ledger: Ledger, rubbish: bytes) -> None:
    ledger.open(ENTRY)
    ledger._path.write_bytes(rubbish + ledger._path.read_bytes() + rubbish)
    assert ledger.open_entries() == [ENTRY]


def test_a_full_disk_is_an_error_and_opens_nothing(ledger: Ledger) -> None:
    ledger.open(ENTRY)
    with largest_file(ledger._path.stat().st_size + 10), pytest.raises(OSError):
        ledger.open(OTHER)
    assert ledger.open_entries() == [ENTRY]
    ledger.close(ENTRY.id)
    assert ledger.open_entries() == []
