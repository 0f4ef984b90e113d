"""From the history of a run's folder to its verdict, its page, and what the terminal says of both."""

from collections.abc import Iterator
from pathlib import Path

import typer

from lab.checkers.verdict import Verdict
from lab.cli.console import terminal
from lab.core.history import History
from lab.report.folder import read
from lab.report.page import render
from lab.report.sentence import also, what_happened

NOT_EXPECTED = 1
UNKNOWN = 3


def judge_folder(folder: Path) -> tuple[History, Verdict]:
    """Judge a stored run; writes verdict.json. Both go on to the page and the terminal: a long history takes as long to read as to judge."""
    history, verdict = read(folder)
    draft = folder / ".verdict.json.draft"  # one that is cut short must not be taken for a verdict
    draft.write_text(verdict.to_json(), encoding="utf-8")
    draft.replace(folder / "verdict.json")
    return history, verdict


def write_report(folder: Path, history: History, verdict: Verdict) -> Path:
    """Write the page of a stored run; report.html."""
    page = folder / "report.html"
    page.write_text(render(history, verdict), encoding="utf-8")
    return page


def tell(folder: Path, history: History, verdict: Verdict) -> None:
    """What happened, link by link, in lines on the terminal."""
    console = terminal()
    for line in lines(history, verdict):
        console.line(line)
    console.line(f"report: {folder / 'report.html'}")
    console.line(f"why: lab why {folder}; all runs as a site: lab serve")


def lines(history: History, verdict: Verdict) -> Iterator[str]:
    """The same as text."""
    yield what_happened(history, verdict)
    yield from also(verdict)
    for link in verdict.links:
        when = f"fired at {link.fired_at_s:.0f} s" if link.fired_at_s is not None else link.status
        yield f"  link {link.link:<3}{link.title:<34}{when}"
    yield f"verdict {verdict.verdict}, expected {verdict.expected.verdict}: {'as expected' if verdict.as_expected else 'NOT as expected'}"
    for reason in verdict.reasons:
        yield f"  {reason}"


def leave(verdict: Verdict) -> None:
    """Nothing if all is as expected, else the exit code that says what is not."""
    if verdict.as_expected:
        return
    raise typer.Exit(UNKNOWN if verdict.verdict == "unknown" else NOT_EXPECTED)


def leave_if_any(verdicts: list[Verdict]) -> None:
    """The same for several runs of one experiment: the first that is not as expected decides."""
    for verdict in verdicts:
        leave(verdict)
