from pathlib import Path

import pytest

from lab.adapters.host import thaw


def frozen(root: Path, *names: str) -> list[Path]:
    states = [root / name / "freezer.state" for name in names]
    for state in states:
        state.parent.mkdir(parents=True, exist_ok=True)
        state.write_text("FROZEN\n")
    return states


def test_all_that_is_frozen_below_a_container_is_thawed_and_nothing_else(tmp_path):
    own, below, other = frozen(tmp_path, "docker/abc", "docker/abc/pod/x.scope", "docker/def")
    assert thaw("abc", tmp_path) == 2
    assert [state.read_text().strip() for state in (own, below, other)] == ["THAWED", "THAWED", "FROZEN"]
    assert thaw("abc", tmp_path) == 0


def test_what_ends_meanwhile_is_passed_over(tmp_path, monkeypatch):
    frozen(tmp_path, "docker/abc", "docker/abc/gone")
    read = Path.read_text

    def vanishing(path, **how):
        if path.parent.name == "gone":
            raise FileNotFoundError(2, "No such file or directory", str(path))
        return read(path, **how)

    monkeypatch.setattr(Path, "read_text", vanishing)
    assert thaw("abc", tmp_path) == 1


def test_one_that_may_not_be_read_is_told(tmp_path, monkeypatch):
    frozen(tmp_path, "docker/abc")

    def forbidden(path, **_):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_text", forbidden)
    with pytest.raises(PermissionError):
        thaw("abc", tmp_path)
