"""`tenantry settings`: the merged settings of a stack."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer

from tenantry.cli.commands import add_command
from tenantry.cli.output import fail, print_json, print_table
from tenantry.cli.projects import STACK, current_project, stack_files


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    add_command(app, settings, example="settings acme")


def settings(
    stack: Annotated[str, STACK],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the settings as JSON, nested and as a list.")
    ] = False,
) -> None:
    """Print the settings of a stack and where they come from.

    A value comes from the stack file, from a plan, or is a default. Shows only the keys of secrets. Sends no
    request.
    """
    from tenantry.settings.errors import SettingsError
    from tenantry.settings.origins import Value, as_mapping, values_of

    [path] = stack_files(current_project(), [stack]).values()
    try:
        values = values_of(path)
    except SettingsError as error:
        fail("", error)

    def row(value: Value) -> dict[str, Any]:
        origin = asdict(value.origin) if value.origin else {"file": None, "line": None}
        return {"path": value.path, "keys": list(value.keys), "value": value.value, **origin}

    if as_json:
        print_json(
            {"stack": stack, "settings": as_mapping(values), "values": [row(value) for value in values]}
        )
        return
    rows = [(value.path, _value_text(value.value), str(value.origin or "default")) for value in values]
    print_table(("setting", "value", "from"), rows, dim=[value.origin is None for value in values])


def _value_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
