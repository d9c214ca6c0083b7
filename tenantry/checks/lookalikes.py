"""The check of names that look the same but differ, such as two ways to write "é", or a trailing blank."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tenantry.checks.findings import Finding, at
from tenantry.providers.values import texts
from tenantry.settings.document import Keys
from tenantry.settings.models import ENTRIES, Customer
from tenantry.settings.sources import CUSTOMER, Sources

ABOUT = "names"


def findings(customer: Customer, sources: Sources) -> Iterator[Finding]:
    """Yield a warning for each name that looks like another one, or has a leading or trailing blank."""
    for scope in _scopes(customer):
        earlier_names: list[str] = []
        for keys, name in scope.items():
            if twin := next((other for other in earlier_names if texts.alike(other, name)), None):
                text = (
                    f"looks like another name, but differs from it: {texts.spelled(name)} here, "
                    f"{texts.spelled(twin)} there"
                )
                yield at(sources, (CUSTOMER, *keys), "warning", ABOUT, text)
            elif position := texts.blank_around(name):
                text = f"{position} with an invisible blank: {texts.spelled(name)}"
                yield at(sources, (CUSTOMER, *keys), "warning", ABOUT, text)
            if name not in earlier_names:
                earlier_names.append(name)


def _scopes(customer: Customer) -> Iterator[Mapping[Keys, str]]:
    """Yield the groups of names that readers must be able to distinguish."""
    yield {("name",): customer.name}
    yield {("tags", key): key for key in customer.tags}
    for block in ENTRIES:
        entries = getattr(customer, block)
        names: dict[Keys, str] = {(block, key): key for key in entries}
        for key, entry in entries.items():
            name = getattr(entry, "name", None)
            if name and name != key:
                names[block, key, "name"] = name
        yield names
