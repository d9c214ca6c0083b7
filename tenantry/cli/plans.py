"""`tenantry plans`: the plans, and the number of customers on each."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

import typer

from tenantry.cli.commands import add_command
from tenantry.cli.output import echo, print_json, print_table
from tenantry.cli.projects import current_project
from tenantry.providers.values.words import counted


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    add_command(app, plans, example="plans")


def plans(as_json: Annotated[bool, typer.Option("--json", help="Print the plans as JSON.")] = False) -> None:
    """List the plans and how many customers are on each.

    Also shows which plan each plan extends. Sends no request.
    """
    from tenantry.settings.document import read
    from tenantry.settings.sources import CUSTOMER
    from tenantry.starting.stack_file import plans_of

    project = current_project()
    customers: Counter[str] = Counter()
    for file in project.stack_files().values():
        config: Any = (read(file).value or {}).get("config") or {}
        customer = config.get(CUSTOMER)
        if isinstance(customer, dict) and customer.get("plan"):
            customers[str(customer["plan"])] += 1
    existing = plans_of(project)
    rows = [
        {"plan": name, "extends": str(plan.get("extends") or ""), "customers": customers[name]}
        for name, plan in existing.items()
    ]
    if as_json:
        print_json(rows)
        return
    cells = [(str(row["plan"]), str(row["extends"]) or "-", str(row["customers"])) for row in rows]
    print_table(("plan", "extends", "customers"), cells)
    for name in sorted(customers.keys() - existing.keys()):
        echo(f'There is no plan "{name}", but {counted(customers[name], "stack file")} with it.', err=True)
