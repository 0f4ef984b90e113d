"""`lab validate`: its table, its page, its exit code. The rows themselves are tested in tests/sim."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lab.cli.main import app
from lab.report import validation
from lab.sim import validate
from lab.sim.validate import Row

GOOD = Row("periods", 2.0, "SWIM", 1.8, 2.2, (1.9, 2.0, 2.1))
BAD = Row("coverage", 2.0, "derived", 1.8, 2.2, (5.0, 5.1, 5.2))


def told(monkeypatch: pytest.MonkeyPatch, *rows: Row, out: Path | None = None) -> tuple[int, str]:
    def parts(seeds: range) -> list[tuple[str, object]]:
        assert len(seeds) == 3
        return [("some rows", lambda: iter(rows))]

    monkeypatch.setattr(validate, "short_parts", parts)
    ran = CliRunner().invoke(app, ["validate", "--quick", *(["--out", str(out)] if out else [])])
    return ran.exit_code, ran.output


def test_a_table_that_passes_ends_well_and_says_that_it_is_simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    code, text = told(monkeypatch, GOOD)
    assert code == 0
    assert "SIMULATED" in text
    assert "periods | 2 | 2 | 1.752 .. 2.248 | 1.8 .. 2.2 | pass" in text


def test_a_row_that_should_pass_and_does_not_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    code, text = told(monkeypatch, GOOD, BAD)
    assert code == 1
    assert "coverage: NOT EXPLAINED" in text


def test_a_row_known_not_to_pass_is_told_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    target, why = next(iter(validate.EXPLAINED.items()))
    code, text = told(monkeypatch, Row(target, 2.0, "SWIM", 1.8, 2.2, (3.0, 3.0)))
    assert (code, why in text) == (0, True)


def test_the_page_shows_each_row_against_what_passes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told(monkeypatch, GOOD, BAD, out=tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "1 of 2 rows pass" in page
    assert page.count('<span class="against"') == 2
    assert 'class="badge simulated"' in page


def test_places_in_the_plot_are_logarithmic_around_the_published_value() -> None:
    shown = validation.plot(Row("a", 1.0, "b", 0.5, 2.0, (1.0, 1.0)))
    assert (shown.band, shown.dot, shown.whisker) == ((25.0, 75.0), 50.0, (50.0, 50.0))
    assert validation.plot(Row("a", 1.0, "b", 0.5, 2.0, (9.0, 9.0))).dot is None


def test_the_quick_parts_are_made_of_real_rows() -> None:
    title, rows = validate.short_parts(range(2))[0]
    assert title.startswith("SWIM")
    assert isinstance(rows(), Iterator)
