"""Webhooks: what Qlik keeps, shows and refuses."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.emulator import Emulator
from tests.emulator.api import Api, new_tenant

PATH = "/api/core/webhooks"
RELOADED = "com.qlik.v1.app.reload.finished"
WEBHOOK = {"name": "Portal", "url": "https://portal.example", "eventTypes": [RELOADED]}


@pytest.fixture
def tenant(qlik: Emulator) -> Api:
    return new_tenant(qlik)


def test_a_webhook_from_making_to_removal(tenant: Api) -> None:
    """Secrets are taken and never shown; a list finds parts of a name."""
    secrets = {"secret": "s" * 32, "encryptedHeaders": {"X-Key": "1"}}
    made = tenant.post(PATH, WEBHOOK | secrets)
    assert (made["enabled"], made["secretKeyAdded"], made["encryptedHeaders"]) == (False, True, ["X-Key"])
    assert "secret" not in made
    one = f"{PATH}/{made['id']}"
    tenant.patch(one, {"/enabled": True, "/headers": {"X-A": "1"}, "/filter": 'data.status eq "error"'})
    read = tenant.get(one)
    assert (read["enabled"], read["headers"], read["filter"]) == (
        True,
        {"X-A": "1"},
        'data.status eq "error"',
    )
    assert [each["id"] for each in tenant.everything(f"{PATH}?name=PORT&enabled=true")] == [made["id"]]
    for query in ("name=shop", "enabled=false", "level=user", "eventTypes=other", "origins=automations"):
        assert tenant.everything(f"{PATH}?{query}") == []
    tenant.delete(one)
    tenant.get(one, expect=404)


def test_a_new_url_takes_the_encrypted_headers_along(tenant: Api) -> None:
    made = tenant.post(PATH, WEBHOOK | {"encryptedHeaders": {"X-A": "1", "X-B": "2"}})
    one, url = f"{PATH}/{made['id']}", "https://shop.example"
    tenant.patch(one, {"/url": url}, expect=400)
    tenant.patch(one, {"/url": url, "/encryptedHeaders/X-A": "1"}, expect=400)
    assert tenant.get(one)["url"] == WEBHOOK["url"]
    tenant.patch(one, {"/url": url, "/encryptedHeaders/X-A": "1", "/encryptedHeaders/X-B": "2"})
    tenant.patch(one, {"/url": WEBHOOK["url"], "/encryptedHeaders": {"X-C": "1"}})
    assert tenant.get(one)["encryptedHeaders"] == ["X-C"]


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x"},
        {"url": "http://portal.example"},
        {"name": ""},
        {"secret": "short"},
        {"headers": {"X-A": "1", "x-a": "2"}},
        {"encryptedHeaders": {"X-A": "y" * 2048}},
        {"filter": 'colour eq "red"'},
        {"filter": 'spaceId co "s1"'},
        {"filter": 'data.status eq "error"', "eventTypes": [RELOADED, "other"]},
        {"ownerId": "u1"},
        {"colour": "red"},
    ],
)
def test_a_bad_webhook_is_refused(tenant: Api, body: dict[str, Any]) -> None:
    """When it is made, and when it becomes one."""
    tenant.post(PATH, body if body == {"name": "x"} else WEBHOOK | body, expect=400)
    if body != {"name": "x"}:
        made = tenant.post(PATH, WEBHOOK)
        tenant.patch(f"{PATH}/{made['id']}", {f"/{name}": value for name, value in body.items()}, expect=400)


def test_what_is_read_only_stays(tenant: Api) -> None:
    one = f"{PATH}/{tenant.post(PATH, WEBHOOK)['id']}"
    tenant.patch(one, {"/createdByUserId": "u1"}, expect=409)
    tenant.patch(one, {"/enableCloudEventDelivery": False}, expect=403)


def test_a_user_has_150_at_most(tenant: Api, qlik: Emulator) -> None:
    qlik.control.settings(rate_limits=False)
    for _ in range(150):
        tenant.post(PATH, WEBHOOK)
    tenant.post(PATH, WEBHOOK, expect=403)
