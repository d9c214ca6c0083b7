"""The tables and fields that a load script creates, as far as its text shows them. No data is loaded.

AUTOGENERATE sets the number of rows of a table. For a connection or a file, the caller sets it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

STATEMENT = re.compile(r"(?:'[^']*'|\[[^\]]*\]|[^;])+")
REMARK = re.compile(r"(?<!:)//[^\n]*|/\*.*?\*/", re.S)
VARIABLE = re.compile(r"(?:SET|LET)\s+(\w+)\s*=\s*(.*)", re.I | re.S)
SOURCE = re.compile(r" (FROM|RESIDENT|INLINE|AUTOGENERATE)\b ?(\d*)", re.I)
FIELD = re.compile(r"(?:'[^']*'|\[[^\]]*\]|\((?:[^()]|\([^()]*\))*\)|[^,])+")
COMMENT = re.compile(r"COMMENT\s+(FIELD|TABLE)S?\s+(\[[^\]]+\]|\w+)\s+WITH\s+'([^']*)'", re.I)
PEEK = re.compile(r"PEEK\('([^']*)'.*\)", re.I)
CONSTANT = re.compile(r"'[^']*'|-?\d+(?:\.\d+)?")


class _Table(NamedTuple):
    """The parts of a LOAD statement: its label, its fields, and the rows of AUTOGENERATE."""

    label: str
    fields: str
    rows: str


Data = dict[str, Any]
NO_DATA: Data = {"tables": [], "fields": []}


def load(script: str, variables: Mapping[str, str], rows: int) -> Data:
    """Return the tables and fields that a reload creates.

    Args:
        script: the load script.
        variables: the variables of the reload, which override the script's own (unpublished).
        rows: the number of rows of a table from a connection or a file.
    """
    values: dict[str, str] = {}
    tables: list[Data] = []
    fields: dict[str, Data] = {}
    constants: dict[str, str] = {}
    for statement in _statements(script):
        text = re.sub(r"\$\((\w+)\)", lambda found: values.get(found[1], ""), statement)
        if found := VARIABLE.fullmatch(text):
            values[found[1]] = variables.get(found[1], _value(found[2].strip(), constants))
        elif table := _table(text):
            _add_table(tables, fields, table, rows)
            constants |= {name: value for name, value in _fields(table.fields) if CONSTANT.fullmatch(value)}
        elif found := COMMENT.fullmatch(text):
            name = found[2].strip("[]")
            entries = fields.values() if found[1].upper() == "FIELD" else tables
            for entry in entries:
                if entry["name"] == name:
                    entry["comment"] = found[3]
    return {"tables": tables, "fields": list(fields.values())}


def _statements(script: str) -> Iterator[str]:
    for found in STATEMENT.finditer(REMARK.sub("", script)):
        if text := found[0].strip():
            yield text


def _value(text: str, constants: Mapping[str, str]) -> str:
    """Return the value of a variable: its text or, for PEEK, the value of a constant field."""
    peek = PEEK.fullmatch(text)
    return (constants.get(peek[1], "") if peek else text).strip("'")


def _table(statement: str) -> _Table | None:
    """Return the parts of a LOAD statement; None for any other statement."""
    label, colon, rest = (part.strip() for part in statement.partition(":"))
    if not colon or " ".join(label.split()[:1]).upper() == "LOAD":
        label, rest = "", statement.strip()
    rest = " ".join(rest.split())
    if not rest.upper().startswith("LOAD "):
        return None
    rest = rest[len("LOAD ") :]
    source = SOURCE.search(rest)
    if source is None:
        return _Table(label, rest, "")
    rows = source[2] if source[1].upper() == "AUTOGENERATE" else ""
    return _Table(label, rest[: source.start()], rows)


def _add_table(tables: list[Data], fields: dict[str, Data], table: _Table, rows: int) -> None:
    name = (table.label or f"Table{len(tables) + 1}").strip("[]")
    count = int(table.rows) if table.rows else rows
    new_fields = dict(_fields(table.fields))
    for field, value in new_fields.items():
        entry = fields.setdefault(field, _field(field))
        distinct = min(count, 1) if CONSTANT.fullmatch(value) else count
        entry["cardinal"] = max(entry["cardinal"], distinct)
        entry["total_count"] += count
        entry["byte_size"] += 8 * count
        entry["src_tables"].append(name)
        entry["hash"] = hashlib.sha256(f"{entry['hash']} {value} {count}".encode()).hexdigest()[:40]
    sizes = {"no_of_rows": count, "no_of_fields": len(new_fields), "no_of_key_fields": 0}
    flags = {"is_system": False, "is_semantic": False, "is_loose": False}
    tables.append({"name": name, "comment": "", "byte_size": 8 * count * len(new_fields), **sizes, **flags})


def _field(name: str) -> Data:
    flag_names = ("is_hidden", "is_system", "is_numeric", "is_locked", "is_semantic", "distinct_only")
    sizes = {"cardinal": 0, "total_count": 0, "byte_size": 0}
    return {"name": name, "hash": "", "comment": "", "tags": [], "src_tables": [], **sizes} | dict.fromkeys(
        (*flag_names, "always_one_selected"), False
    )


def _fields(field_list: str) -> Iterator[tuple[str, str]]:
    """Yield the name of each field and the expression of its values. `*` yields nothing."""
    for found in FIELD.finditer(field_list):
        text = found[0].strip()
        if (at := text.upper().rfind(" AS ")) >= 0:
            yield text[at + len(" AS ") :].strip('[]" '), text[:at].strip()
        elif text and text != "*":
            yield text.strip('[]"'), text
