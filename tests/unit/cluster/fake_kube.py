"""The Kubernetes API as a dictionary of objects, with merge patches, and nothing that runs."""

from typing import Any


def merged(old: Any, change: Any) -> Any:
    """RFC 7386."""
    if not isinstance(change, dict):
        return change
    new = dict(old) if isinstance(old, dict) else {}
    for name, value in change.items():
        if value is None:
            new.pop(name, None)
        else:
            new[name] = merged(new.get(name), value)
    return new


class FakeKube:
    """Each merge of a deployment is one generation more; `observe` is what its controller would do."""

    def __init__(self, objects: dict[str, Any] | None = None) -> None:
        self.objects = objects or {}
        self.secrets: dict[str, dict[str, str]] = {}
        self.merges: list[tuple[str, Any]] = []
        self.listed: list[Any] = []

    def get(self, path: str, query: Any = None) -> Any:
        return self.objects[path]

    def pods(self, selector: str = "") -> list[Any]:
        return self.listed

    def merge(self, path: str, change: Any) -> None:
        self.merges.append((path, change))
        self.objects[path] = merged(self.objects.get(path, {}), change)
        self.objects[path].setdefault("metadata", {})["generation"] = self.objects[path]["metadata"].get("generation", 0) + 1

    def fill_secret(self, name: str, files: Any) -> None:
        self.secrets[name] = {file: text.get_secret_value() for file, text in files.items()}

    def close(self) -> None:
        pass
