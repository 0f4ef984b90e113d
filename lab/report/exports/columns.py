"""CSV and Parquet: every sample, every event and every link as rows of tables."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import Any

from lab.core.errors import Refused
from lab.core.paths import add_packages
from lab.report.events import told
from lab.report.exports.stored import Files, Stored

SERIES = ("at_s", "series", "target", "value", "reason", "late", "world")
EVENTS = ("seq", "at_s", "kind", "cause", "what", "fields", "world")
LINKS = ("world", "link", "title", "status", "fired_at_s", "after", "lag_s", "peak", "unit", "recovered_at_s", "reason")


def series_rows(run: Stored) -> Iterable[Sequence[Any]]:
    """`SERIES` of every sample. A missing value is None, with its reason."""
    for event in run.samples():
        yield event.at_s, event["series"], event["target"], event["value"], event.get("reason"), bool(event.get("late")), run.world


def event_rows(run: Stored) -> Iterable[Sequence[Any]]:
    """`EVENTS` of all that is no sample; `fields` as JSON."""
    for event in run.history.events:
        if event.kind != "sample":
            yield event.seq, event.at_s, event.kind, event.cause, told(event), json.dumps(dict(event.fields), ensure_ascii=False), run.world


def link_rows(run: Stored) -> Iterable[Sequence[Any]]:
    """`LINKS` of every link."""
    for result in run.verdict.links:
        yield run.world, *(getattr(result, name) for name in LINKS[1:])


def comma_separated(run: Stored) -> Files:
    """`series.csv`, `events.csv`, `links.csv` (RFC 4180; a missing value is an empty field)."""
    return {
        "series.csv": _csv(SERIES, series_rows(run)),
        "events.csv": _csv(EVENTS, event_rows(run)),
        "links.csv": _csv(LINKS, link_rows(run)),
    }


def parquet(run: Stored) -> Files:
    """`series.parquet` and `events.parquet`, compressed; the run's experiment and start are in the files' metadata.

    Raises:
        Refused: pyarrow is not installed.
    """
    try:
        pa = import_module("pyarrow")
    except ImportError as error:
        raise Refused("write Parquet", "the package pyarrow is not installed", add_packages("--extra export")) from error
    word = pa.dictionary(pa.int32(), pa.string())
    series = pa.schema(
        [
            pa.field("at_s", pa.float64(), nullable=False),
            pa.field("series", word),
            pa.field("target", word),
            pa.field("value", pa.float64()),
            pa.field("reason", word),
            pa.field("late", pa.bool_()),
            pa.field("world", word),
        ]
    )
    events = pa.schema(
        [
            pa.field("seq", pa.int64(), nullable=False),
            pa.field("at_s", pa.float64()),
            pa.field("kind", word),
            pa.field("cause", pa.int64()),
            pa.field("what", pa.string()),
            pa.field("fields", pa.string()),
            pa.field("world", word),
        ]
    )
    about = {"experiment": json.dumps(run.experiment), "run": run.name, "world": run.world, "started_utc": run.started.isoformat()}
    return {
        "series.parquet": _parquet(pa, series.with_metadata(about), series_rows(run)),
        "events.parquet": _parquet(pa, events.with_metadata(about), event_rows(run)),
    }


def _csv(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(names)
    writer.writerows(rows)
    return text.getvalue().encode()


def _parquet(pa: Any, schema: Any, rows: Iterable[Sequence[Any]]) -> bytes:
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    table = pa.table([pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)], schema=schema)
    sink = io.BytesIO()
    import_module("pyarrow.parquet").write_table(table, sink, compression="zstd")
    return sink.getvalue()
