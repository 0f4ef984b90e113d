"""JUnit XML: what a build server shows. One test case for each link and for each thing that a run must show; a case fails as the run's verdict does."""

import xml.etree.ElementTree as ET  # its usual name; only written here, never parsed
from dataclasses import dataclass
from typing import Literal

from lab.checkers.result import LinkResult
from lab.report.exports.stored import Files, Stored
from lab.report.sentence import what_happened

Outcome = Literal["passed", "failure", "error", "skipped"]


@dataclass(frozen=True, slots=True)
class Case:
    """One test case: `error` where the run cannot tell, `skipped` where it was not asked."""

    name: str
    outcome: Outcome
    message: str
    time_s: float = 0.0


def junit(run: Stored) -> Files:
    """`junit.xml`, valid against the schema of Jenkins' xunit plugin (junit-10.xsd)."""
    cases = list(all_cases(run))
    counts = {outcome: str(sum(case.outcome == outcome for case in cases)) for outcome in ("failure", "error", "skipped")}
    totals = {"tests": str(len(cases)), "failures": counts["failure"], "errors": counts["error"], "time": _time(run.history.end_s)}
    name = f"cascade-lab.{run.verdict.experiment}"
    root = ET.Element("testsuites", {"name": "cascade-lab", **totals})
    started = run.started.replace(tzinfo=None).isoformat(timespec="seconds")
    suite = ET.SubElement(root, "testsuite", {"name": name, **totals, "skipped": counts["skipped"], "timestamp": started})
    properties = ET.SubElement(suite, "properties")
    for key, value in _facts(run).items():
        ET.SubElement(properties, "property", {"name": key, "value": value})
    for case in cases:
        told = ET.SubElement(suite, "testcase", {"classname": name, "name": case.name, "time": _time(case.time_s)})
        if case.outcome == "passed":
            ET.SubElement(told, "system-out").text = _printable(case.message)
        else:
            ET.SubElement(told, case.outcome, {"message": _printable(case.message)})
    ET.SubElement(suite, "system-out").text = _printable(what_happened(run.history, run.verdict))
    ET.indent(root)
    return {"junit.xml": ET.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"}


def all_cases(run: Stored) -> list[Case]:
    """The links first, then what is asked of the run as a whole."""
    verdict = run.verdict
    told = "; ".join(verdict.reasons)
    whole: Outcome = "passed" if verdict.as_expected else "error" if verdict.verdict == "unknown" else "failure"
    answer = f"verdict {verdict.verdict}, expected {verdict.expected.verdict}"
    return [
        *(_of_link(result, verdict.expected.verdict, verdict.expected.links) for result in verdict.links),
        _of_order(verdict.evidence.out_of_order),
        _of_lines(run),
        Case("the run is as expected", whole, f"{answer}: {told}"),
    ]


def _of_link(result: LinkResult, expected: str, links: list[int]) -> Case:
    """A link that was expected must fire; where nothing was expected, none may; any other may do as it likes."""
    wanted = "fired" if result.link in links else "quiet" if expected == "held" else None
    name = f"link {result.link} {result.title}" + {"fired": ": fires", "quiet": ": stays quiet", None: ""}[wanted]
    message = f"{result.status}: {result.reason}"
    if result.status not in {"fired", "quiet"}:
        return Case(name, "error" if wanted and result.status == "unknown" else "skipped", message)
    return Case(name, "passed" if wanted in {None, result.status} else "failure", message, result.fired_at_s or 0.0)


def _of_order(wrong: list[str]) -> Case:
    return Case("links fire in order of cause", "failure" if wrong else "passed", "; ".join(wrong) or "each after one of its causes")


def _of_lines(run: Stored) -> Case:
    name = "every log line is accounted for"
    logs = run.verdict.logs
    if logs is None:
        return Case(name, "skipped", "the log lines were not counted")
    told = f"{logs.written:,} written, {logs.delivered:,} delivered, {logs.backlog:,} in a backlog, {logs.gone_with_pod:,} gone with a pod"
    return Case(name, "failure" if logs.unaccounted else "passed", f"{told}, {logs.unaccounted:,} unaccounted")


def _facts(run: Stored) -> dict[str, str]:
    header = run.history.header
    versions = {f"version.{name}": str(value) for name, value in (header.get("versions") or {}).items()}
    git = header.get("git") or {}
    facts = {"run": run.name, "world": run.world, "seed": str(run.experiment.get("seed", "")), "commit": str(git.get("commit", "unknown"))}
    return {**facts, "status": run.verdict.status, "verdict": run.verdict.verdict, **versions}


def _time(seconds: float) -> str:
    return f"{seconds:.3f}"


def _printable(text: str) -> str:
    """Without the control characters that XML 1.0 cannot carry."""
    return "".join(letter for letter in text if letter >= " " or letter in "\n\t")
