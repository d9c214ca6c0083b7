"""Pinned links."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.emulator import Emulator
from tests.emulator.api import Api, error, new_tenant

PATH = "/api/v1/ui-config/pinned-links"
HELP = {"name": "Help", "link": "https://help.example", "type": "custom-link", "scope": "tenant"}


@pytest.fixture
def tenant(qlik: Emulator) -> Api:
    return new_tenant(qlik)


def test_a_pinned_link_is_created_changed_and_deleted(tenant: Api) -> None:
    created = tenant.post(PATH, HELP)
    tenant.post(PATH, HELP)
    path = f"{PATH}/{created['id']}"
    changed = tenant.patch(path, {"/name": "Support", "/link": "https://support.example"}, expect=200)
    assert tenant.get(path) == changed
    assert [link["name"] for link in tenant.get(PATH)["data"]] == ["Support", "Help"]
    tenant.delete(path)
    not_found = tenant.get(path, expect=404)
    assert (not_found["code"], error(not_found)["code"]) == (404, "UI-CONFIG-404")


@pytest.mark.parametrize(
    "change",
    [{"name": ""}, {"name": "x" * 51}, {"link": "http://a.example"}, {"scope": "user"}, {"colour": "red"}],
)
def test_a_bad_pinned_link_is_refused(tenant: Api, change: dict[str, Any]) -> None:
    tenant.post(PATH, HELP | change, expect=400)


def test_a_tenant_has_at_most_fifty_links(tenant: Api) -> None:
    for _ in range(50):
        tenant.post(PATH, HELP)
    tenant.post(PATH, HELP, expect=400)
