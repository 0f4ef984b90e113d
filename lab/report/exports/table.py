"""The table of formats. A new format is one new file and one line here."""

from collections.abc import Callable, Mapping
from typing import Literal

from lab.report.exports.chaostoolkit import chaostoolkit
from lab.report.exports.columns import comma_separated, parquet
from lab.report.exports.junit import junit
from lab.report.exports.openmetrics import openmetrics
from lab.report.exports.stored import Files, Stored

Format = Literal["junit", "openmetrics", "parquet", "csv", "chaostoolkit"]

FORMATS: Mapping[Format, Callable[[Stored], Files]] = {
    "junit": junit,
    "openmetrics": openmetrics,
    "parquet": parquet,
    "csv": comma_separated,
    "chaostoolkit": chaostoolkit,
}
