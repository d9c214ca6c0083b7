"""Keys and names that look the same and are not, such as two ways to write "é", or a blank at the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tenantry.checks.findings import Finding, at
from tenantry.providers.values import texts
from tenantry.settings.document import Keys
from tenantry.settings.models import ENTRIES, Customer
from tenantry.settings.sources import CUSTOMER, Sources

ABOUT = "names"


def findings(customer: Customer, sources: Sources) -> Iterator[Finding]:
    """Yield a warning for each name of the customer that looks like another one, or has a blank at an end."""
    for scope in _scopes(customer):
        before: list[str] = []
        for keys, name in scope.items():
            if twin := next((each for each in before if texts.alike(each, name)), None):
                text = (
                    f"looks like another one of its kind, and is not: {texts.spelled(name)} here, "
                    f"{texts.spelled(twin)} there"
                )
                yield at(sources, (CUSTOMER, *keys), "warning", ABOUT, text)
            elif end := texts.blank_around(name):
                text = f"{end} with a blank that nobody sees: {texts.spelled(name)}"
                yield at(sources, (CUSTOMER, *keys), "warning", ABOUT, text)
            if name not in before:
                before.append(name)


def _scopes(customer: Customer) -> Iterator[Mapping[Keys, str]]:
    """Yield what must be told apart by people: keys and names of a block, tags, and the customer's name."""
    yield {("name",): customer.name}
    yield {("tags", key): key for key in customer.tags}
    for block in ENTRIES:
        entries = getattr(customer, block)
        found: dict[Keys, str] = {(block, key): key for key in entries}
        for key, entry in entries.items():
            name = getattr(entry, "name", None)
            if name and name != key:
                found[block, key, "name"] = name
        yield found
