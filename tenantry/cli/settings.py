"""`tenantry settings`: what comes of a stack file and its plans."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer

from tenantry.cli.output import fail, print_json, print_table
from tenantry.cli.projects import STACK, current_project, stack_files


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(settings)


def settings(
    stack: Annotated[str, STACK],
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON, nested and as a list.")] = False,
) -> None:
    """Print the settings of a stack as its plans and its file make them, and where each value is from.

    A value that nobody wrote is a default. Of secrets only the key is shown. Sends no request.
    """
    from tenantry.settings.errors import SettingsError
    from tenantry.settings.origins import Value, as_mapping, values_of

    [path] = stack_files(current_project(), [stack]).values()
    try:
        values = values_of(path)
    except SettingsError as error:
        fail("", error)

    def row(each: Value) -> dict[str, Any]:
        origin = asdict(each.origin) if each.origin else {"file": None, "line": None}
        return {"path": each.path, "keys": list(each.keys), "value": each.value, **origin}

    if as_json:
        print_json({"stack": stack, "settings": as_mapping(values), "values": [row(each) for each in values]})
        return
    rows = [(each.path, _shown(each.value), str(each.origin or "default")) for each in values]
    print_table(("setting", "value", "from"), rows, dim=[each.origin is None for each in values])


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
