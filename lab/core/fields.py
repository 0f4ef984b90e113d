"""What an experiment file may say, field by field: what is allowed, what is left out means, what it is for.

Read from the published schema, so that an error, a completion, the documentation and an editor never say different things.
"""

import functools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lab.core.experiment import Experiment

Location = tuple[int | str, ...]
"""The way to a field: `("faults", 0, "heal_at_s")`."""
Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FieldWords:
    """One field that can be set.

    Args:
        path: as `--set` wants it, `workload.pods`; a fault's number is `N` where no file is given.
        allowed: what may be given, in words.
        default: what it is when left out, as YAML; empty where it must be given.
        choices: the values, where there are few; empty otherwise.
        description: what it is for.
    """

    path: str
    allowed: str
    default: str
    choices: tuple[str, ...]
    description: str


def fields(faults: Sequence[str] = ()) -> list[FieldWords]:
    """Every field that can be set, in the order of the schema; those of each fault in `faults` under its number."""
    return list(_below((), _schema(), faults))


def fault_fields(fault: str) -> list[FieldWords]:
    """The fields of one kind of fault, under the number `N`."""
    return [_words(f"faults.N.{name}", name, _fault(fault)) for name in _fault(fault)["properties"]]


def remedy_fields() -> list[FieldWords]:
    """The fields of a remedy, under the number `N`; there is one kind of it."""
    remedy = _resolved(_schema()["properties"]["remedies"]["items"])
    return [_words(f"remedies.N.{name}", name, remedy) for name in remedy["properties"]]


def allowed_at(location: Location, fault: str = "") -> str:
    """What may stand there, in words; "" where there is no such field.

    Args:
        location: of the field.
        fault: the kind of fault, for a location within `faults`.
    """
    node: Schema | None = _schema()
    for key in location:
        node = _step(node, key, fault) if node is not None else None
    return "" if node is None else allowed(node)


def names_at(location: Location, fault: str = "") -> list[str]:
    """Names of the fields that a branch of the file may have; none where it is no branch."""
    node: Schema | None = _schema()
    for key in location:
        node = _step(node, key, fault) if node is not None else None
    return sorted((node or {}).get("properties", {}))


def allowed(schema: Schema) -> str:
    """A schema in words: `a whole number, 1 to 110`."""
    if "enum" in schema or "const" in schema:
        return _or([_yaml(value) for value in schema.get("enum", [schema.get("const")])])
    kind = schema.get("type")
    if kind == "array":
        items = _resolved(schema["items"])
        return "a list of faults" if "oneOf" in items else f"a list of {allowed(items)}"
    plain = {
        "integer": f"a whole number{_bounds(schema)}",
        "number": f"a number{_bounds(schema)}",
        "boolean": "true or false",
        "string": f"text that matches {schema['pattern']}" if "pattern" in schema else "text",
    }
    return plain.get(str(kind)) or f"the fields {', '.join(schema.get('properties', {}))}"


def _below(location: Location, node: Schema, faults: Sequence[str]) -> Iterator[FieldWords]:
    for name, raw in node.get("properties", {}).items():
        part = _resolved(raw)
        if "properties" in part:
            yield from _below((*location, name), part, faults)
            continue
        yield _words(".".join(map(str, (*location, name))), name, node)
        if name == "faults":
            for number, kind in enumerate(faults):
                yield from _below((*location, name, number), _fault(kind), ())


def _words(path: str, name: str, owner: Schema) -> FieldWords:
    part = _resolved(owner["properties"][name])
    default = "" if name in owner.get("required", ()) else _yaml(part.get("default", []))
    choices = [_yaml(value) for value in part.get("enum", [])] or (["true", "false"] if part.get("type") == "boolean" else [])
    return FieldWords(path, allowed(part), default, tuple(choices), part.get("description", ""))


def _step(node: Schema, key: int | str, fault: str) -> Schema | None:
    if isinstance(key, int):
        items = _resolved(node["items"]) if "items" in node else None
        return _fault(fault) if items is not None and "oneOf" in items else items
    part = node.get("properties", {}).get(key)
    return None if part is None else _resolved(part)


@functools.cache
def _schema() -> Schema:
    return Experiment.model_json_schema()


def _fault(kind: str) -> Schema:
    """The schema of that kind of fault; one without fields where the kind is not known."""
    reference = _schema()["properties"]["faults"]["items"]["discriminator"]["mapping"].get(kind)
    return {"properties": {}} if reference is None else _resolved({"$ref": reference})


def _resolved(part: Schema) -> Schema:
    """`part` with what its `$ref` names; what stands beside the reference wins."""
    if "$ref" not in part:
        return part
    named: Schema = _schema()["$defs"][part["$ref"].rpartition("/")[2]]
    return {**named, **{key: value for key, value in part.items() if key != "$ref"}}


def _bounds(schema: Schema) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None:
        return f", {least:g} to {most:g}"
    more = f", more than {schema['exclusiveMinimum']:g}" if "exclusiveMinimum" in schema else ""
    return more + (f", at most {most:g}" if most is not None else "") + (f", at least {least:g}" if least is not None else "")


def _or(words: Sequence[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def _yaml(value: object) -> str:
    """As it would be written after `--set field=`: JSON is YAML, and a plain word needs no quotes."""
    return value if isinstance(value, str) else json.dumps(value)
