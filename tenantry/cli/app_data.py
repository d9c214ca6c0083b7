"""The check that published apps have the data that the stack file expects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tenantry.providers.qlik import Forbidden, Host, NotFound, QlikError
from tenantry.providers.values.words import counted
from tenantry.settings.rules import choices
from tenantry.text import for_line

if TYPE_CHECKING:
    from tenantry.settings.models import Customer
    from tenantry.settings.models.expectations import Expectations

POLL_SECONDS = 1.0

Entries = Mapping[str, Mapping[str, Any]]
"""Tables or fields of an app, by name."""


@dataclass(frozen=True)
class PublishedApp:
    """An app in a space, and the data that it must have. The id is empty if the app is not published."""

    label: str
    id: str
    expect: Expectations


def published_apps(customer: Customer, outputs: Mapping[str, Any]) -> list[PublishedApp]:
    """Return the published apps for which the stack file has expectations."""
    apps = outputs.get("apps", {})
    return [
        PublishedApp(f"{key} in {space}", apps.get(key, {}).get(space, {}).get("id", ""), app.expect)
        for key, app in customer.apps.items()
        if app.expect is not None
        for space in app.publish_to
    ]


def check(tenant: Host, app: PublishedApp, wait_seconds: float) -> list[str]:
    """Return the problems with the data of an app, including failed requests.

    `wait_seconds` is how long to wait until Qlik allows reading a newly published app.
    """
    if not app.id:
        return ["is not in the outputs of the stack; run `pulumi up` first"]
    try:
        return list(_problems(tenant, app, wait_seconds))
    except QlikError as error:
        return [str(error)]


def _problems(tenant: Host, app: PublishedApp, wait_seconds: float) -> Iterator[str]:
    last_reload = _attributes(tenant, app.id, wait_seconds).get("lastReloadTime", "")
    data = tenant.get(f"/api/v1/apps/{app.id}/data/metadata")
    tables = {table["name"]: table for table in data.get("tables", [])}
    fields = {field["name"]: field for field in data.get("fields", [])}
    if not any(table.get("no_of_rows") for table in tables.values()):
        yield f"app {app.id} has no data: all of its tables are empty"
        return
    yield from _row_problems(app.expect, tables)
    yield from _field_problems(app.expect, fields)
    if app.expect.reloaded_within_hours is not None:
        yield from _age_problems(app.expect.reloaded_within_hours, last_reload, tenant.time)


def _attributes(tenant: Host, id: str, wait_seconds: float) -> dict[str, Any]:
    """Read an app. Qlik returns 403 for a while after the app was published."""
    clock = tenant.cloud.clock
    deadline = clock.monotonic() + wait_seconds
    while True:
        try:
            return tenant.get(f"/api/v1/apps/{id}")["attributes"]  # type: ignore[no-any-return]
        except (Forbidden, NotFound):
            if clock.monotonic() >= deadline:
                raise
        clock.sleep(POLL_SECONDS)


def _row_problems(expect: Expectations, tables: Entries) -> Iterator[str]:
    for name, minimum in expect.rows.items():
        if name not in tables:
            yield _missing("table", name, tables)
        elif (rows := tables[name].get("no_of_rows", 0)) < minimum:
            yield f'table "{name}" has {counted(rows, "row")}, but at least {minimum:,} are expected'


def _field_problems(expect: Expectations, fields: Entries) -> Iterator[str]:
    for name in dict.fromkeys([*expect.distinct_values, *expect.field_comments]):
        if name not in fields:
            yield _missing("field", name, fields)
            continue
        values, comment = fields[name].get("cardinal", 0), fields[name].get("comment", "")
        expected = expect.distinct_values.get(name, values)
        if values != expected:
            yield f'field "{name}" has {counted(values, "distinct value")} instead of {expected:,}'
        if comment != expect.field_comments.get(name, comment):
            comment_text = f'the comment "{for_line(comment)}"' if comment else "no comment"
            yield f'field "{name}" has {comment_text} instead of "{expect.field_comments[name]}"'


def _missing(kind: str, name: str, existing: Entries) -> str:
    return for_line(f'there is no {kind} "{name}"{choices(name, existing, f"{kind}s")}')


def _age_problems(hours: int, last_reload: str, now: float | None) -> Iterator[str]:
    try:
        moment = datetime.fromisoformat(last_reload)
    except ValueError:
        yield "Qlik does not say when the app was last reloaded"
        return
    age = (now or 0.0) - moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    if age > hours * 3600:
        hours_ago = f"{age / 3600:,.0f} hours ago"
        yield f"was reloaded at {last_reload}, {hours_ago}; at most {hours:,} hours are allowed"
