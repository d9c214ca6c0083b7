"""Webhooks: the values that Qlik stores, shows and refuses."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.emulator import Emulator
from tests.emulator.api import Api, new_tenant

PATH = "/api/core/webhooks"
RELOAD_FINISHED = "com.qlik.v1.app.reload.finished"
WEBHOOK = {"name": "Portal", "url": "https://portal.example", "eventTypes": [RELOAD_FINISHED]}


@pytest.fixture
def tenant(qlik: Emulator) -> Api:
    return new_tenant(qlik)


def test_a_webhook_is_created_changed_and_deleted(tenant: Api) -> None:
    """Secrets are accepted and never shown. The query parameter `name` matches parts of a name."""
    secrets = {"secret": "s" * 32, "encryptedHeaders": {"X-Key": "1"}}
    created = tenant.post(PATH, WEBHOOK | secrets)
    assert (created["enabled"], created["secretKeyAdded"], created["encryptedHeaders"]) == (
        False,
        True,
        ["X-Key"],
    )
    assert "secret" not in created
    path = f"{PATH}/{created['id']}"
    tenant.patch(path, {"/enabled": True, "/headers": {"X-A": "1"}, "/filter": 'data.status eq "error"'})
    current = tenant.get(path)
    assert (current["enabled"], current["headers"], current["filter"]) == (
        True,
        {"X-A": "1"},
        'data.status eq "error"',
    )
    assert [webhook["id"] for webhook in tenant.everything(f"{PATH}?name=PORT&enabled=true")] == [
        created["id"]
    ]
    for query in ("name=shop", "enabled=false", "level=user", "eventTypes=other", "origins=automations"):
        assert tenant.everything(f"{PATH}?{query}") == []
    tenant.delete(path)
    tenant.get(path, expect=404)


def test_a_new_url_needs_the_encrypted_headers(tenant: Api) -> None:
    created = tenant.post(PATH, WEBHOOK | {"encryptedHeaders": {"X-A": "1", "X-B": "2"}})
    path, url = f"{PATH}/{created['id']}", "https://shop.example"
    tenant.patch(path, {"/url": url}, expect=400)
    tenant.patch(path, {"/url": url, "/encryptedHeaders/X-A": "1"}, expect=400)
    assert tenant.get(path)["url"] == WEBHOOK["url"]
    tenant.patch(path, {"/url": url, "/encryptedHeaders/X-A": "1", "/encryptedHeaders/X-B": "2"})
    tenant.patch(path, {"/url": WEBHOOK["url"], "/encryptedHeaders": {"X-C": "1"}})
    assert tenant.get(path)["encryptedHeaders"] == ["X-C"]


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
        {"filter": 'data.status eq "error"', "eventTypes": [RELOAD_FINISHED, "other"]},
        {"ownerId": "u1"},
        {"colour": "red"},
    ],
)
def test_a_bad_webhook_is_refused(tenant: Api, body: dict[str, Any]) -> None:
    """The creation refuses it, and so does a patch."""
    tenant.post(PATH, body if body == {"name": "x"} else WEBHOOK | body, expect=400)
    if body != {"name": "x"}:
        created = tenant.post(PATH, WEBHOOK)
        tenant.patch(
            f"{PATH}/{created['id']}", {f"/{name}": value for name, value in body.items()}, expect=400
        )


def test_read_only_members_cannot_change(tenant: Api) -> None:
    path = f"{PATH}/{tenant.post(PATH, WEBHOOK)['id']}"
    tenant.patch(path, {"/createdByUserId": "u1"}, expect=409)
    tenant.patch(path, {"/enableCloudEventDelivery": False}, expect=403)


def test_a_user_has_at_most_150_webhooks(tenant: Api, qlik: Emulator) -> None:
    qlik.control.settings(rate_limits=False)
    for _ in range(150):
        tenant.post(PATH, WEBHOOK)
    tenant.post(PATH, WEBHOOK, expect=403)
