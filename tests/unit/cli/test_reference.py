"""What the documentation takes from the code is whole."""

import pytest

from lab.cli.on_demand import MODULES
from lab.cli.reference import part
from lab.cluster.shape import SCALED_TIMERS, fidelity
from lab.core.consul import DEFAULT_VERSION
from lab.core.errors import Refused
from lab.core.experiment import Workload
from lab.core.fault_specs import FAULT_SPECS
from lab.core.fields import fields
from lab.core.paths import project
from lab.core.remedy_specs import RedeployAgentsSpec


def test_every_command_has_its_help() -> None:
    text = part("commands")
    assert [name for name in MODULES if f"## `lab {name}`\n" not in text] == []
    assert "## `lab experiments new`\n" in text
    assert "Usage: lab run" in text


def test_every_field_of_every_fault_is_listed() -> None:
    text = part("fields")
    assert [field.path for field in fields() if f"| `{field.path}` |" not in text] == []
    assert [name for name in FAULT_SPECS if f"## `fault: {name}`\n" not in text] == []


def test_every_field_of_a_remedy_is_listed() -> None:
    table = part("fields").partition("## `remedy: redeploy-agents`\n")[2]
    wanted = [name for name in RedeployAgentsSpec.model_fields if name != "remedy"]
    assert [line.split("`")[1] for line in table.splitlines() if line.startswith("| `")] == [f"remedies.N.{name}" for name in wanted]


def test_every_row_of_a_table_has_the_cells_of_its_head() -> None:
    rows = [line for line in part("fields").splitlines() if line.startswith("|")]
    assert {row.count("|") for row in rows} == {5}


def test_fidelity_is_what_a_history_says() -> None:
    assert part("fidelity").splitlines() == [f"- {line}" for line in fidelity(DEFAULT_VERSION, Workload())]
    assert part("timers").count("\n") == len(SCALED_TIMERS) + 1


def test_a_file_is_shown_whole() -> None:
    path = "lab/faults/pause_broker.py"
    assert part("source", path) == f'```python title="{path}"\n{(project() / path).read_text(encoding="utf-8").rstrip()}\n```'


def test_a_part_that_does_not_exist_is_refused() -> None:
    with pytest.raises(Refused, match="no such part"):
        part("nothing")
