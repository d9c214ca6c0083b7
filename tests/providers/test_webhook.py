"""Webhooks: Qlik never returns their secrets, and a new URL requires the encrypted headers again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tenantry.providers.framework.engine import Failure
from tests.providers.resource_driver import (
    Case,
    Drift,
    InPlace,
    Inputs,
    MakeDriver,
    SendRequest,
    Tenancy,
)
from tests.world import Doc

PATH = "/api/core/webhooks"
PATCH = (f"PATCH {PATH}/{{id}}",)
RELOADED = "com.qlik.v1.app.reload.finished"
PUBLISHED = "com.qlik.v1.app.published"
SECRET = "signing+key/of=globex-0123456789abcdef"
KEY = "header+key/of=globex"
SAMPLE: Inputs = {
    "tenant": "x1y2z3.eu.qlikcloud.com",
    "name": "Portal",
    "url": "https://portal.example/qlik",
    "description": "Tells the portal of new data",
    "event_types": [PUBLISHED, RELOADED],
    "enabled": False,
    "filter": 'topLevelResourceId ne "a1"',
    "headers": {"X-Customer": "globex"},
    "encrypted_headers": {"X-Api-Key": KEY},
    "secret": SECRET,
    "secret_version": 2,
    "check_certificate_revocation": True,
    "adopt": True,
}
EXAMPLE = {
    "Portal": {
        "url": "https://portal.example/qlik",
        "event_types": [RELOADED],
        "filter": 'data.status eq "error"',
        "headers": {"X-Customer": "globex"},
    }
}


def inputs_for(tenancy: Tenancy) -> Inputs:
    return SAMPLE | {"tenant": tenancy.hostname, "enabled": True, "adopt": None}


def webhooks_by_id(tenancy: Tenancy) -> dict[str, Doc]:
    return {webhook["id"]: webhook for webhook in tenancy.world.every("webhook")}


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    found = webhooks_by_id(tenancy).get(id)
    return found and {
        "name": found["name"],
        "url": found["url"],
        "description": found["description"],
        "event_types": found["eventTypes"],
        "enabled": found["enabled"],
        "filter": found["filter"],
        "headers": found["headers"],
        "encrypted_headers": found["_encryptedHeaders"],
        "secret": found["_secret"],
        "check_certificate_revocation": found["checkCertificateRevocation"],
    }


def request_as_admin(tenancy: Tenancy, method: str, path: str = "", body: Any = None) -> Any:
    return tenancy.qlik.request(method, tenancy.hostname, f"{PATH}{path}", body)


def create_existing(tenancy: Tenancy, inputs: Inputs, send: SendRequest) -> str:
    body = {
        "name": inputs["name"],
        "url": "https://theirs.example",
        "eventTypes": inputs["event_types"],
        "secret": "s" * 32,
        "encryptedHeaders": {"X-Theirs": "1"},
    }
    if send == tenancy.as_bot:
        return str(tenancy.bot.post(PATH, body)["id"])
    return str(request_as_admin(tenancy, "POST", "", body)["id"])


def patch(path: str, value: Any) -> Callable[[Tenancy, str], object]:
    operations = [{"op": "replace", "path": path, "value": value}]
    if path == "/url":
        operations.append({"op": "replace", "path": "/encryptedHeaders", "value": {"X-Api-Key": "theirs"}})
    return lambda t, id: request_as_admin(t, "PATCH", f"/{id}", operations)


CASE = Case(
    "webhook",
    inputs_for,
    remote,
    creates=(f"GET {PATH}*", f"POST {PATH}"),
    deletes=(f"DELETE {PATH}/{{id}}",),
    changes={
        "name": InPlace("Shop", PATCH),
        "url": InPlace("https://shop.example/qlik?x=1", PATCH),
        "description": InPlace("", PATCH),
        "event_types": InPlace([RELOADED], PATCH),
        "enabled": InPlace(False, PATCH),
        "filter": InPlace("", PATCH),
        "headers": InPlace({}, PATCH),
        "encrypted_headers": InPlace({"X-Api-Key": "another", "X-More": "1"}, PATCH),
        "secret": InPlace("another-key-of-globex-0123456789abcdef", PATCH),
        "secret_version": InPlace(3, PATCH),
        "check_certificate_revocation": InPlace(False, PATCH),
    },
    drifts={
        "name": Drift(patch("/name", "Mine"), "Mine"),
        "url": Drift(patch("/url", "https://mine.example"), "https://mine.example"),
        "description": Drift(patch("/description", "Mine"), "Mine"),
        "event_types": Drift(patch("/eventTypes", [PUBLISHED]), [PUBLISHED]),
        "enabled": Drift(patch("/enabled", False), False),
        "filter": Drift(patch("/filter", 'spaceId eq "s1"'), 'spaceId eq "s1"'),
        "headers": Drift(patch("/headers/X-Mine", "1"), {"X-Customer": "globex", "X-Mine": "1"}),
        "check_certificate_revocation": Drift(patch("/checkCertificateRevocation", False), False),
    },
    remove=lambda t, id: request_as_admin(t, "DELETE", f"/{id}"),
    create_existing=create_existing,
    corrected=frozenset(SAMPLE) - {"tenant", "name", "event_types", "adopt"},
)


def test_an_update_without_the_secrets_removes_them(driver: MakeDriver, tenancy: Tenancy) -> None:
    inputs = inputs_for(tenancy)
    webhook = driver("webhook").create(inputs)
    webhook.update(
        {name: value for name, value in inputs.items() if name not in ("secret", "encrypted_headers")}
    )
    assert (
        webhooks_by_id(tenancy)[webhook.id]["_secret"],
        webhooks_by_id(tenancy)[webhook.id]["_encryptedHeaders"],
    ) == (None, {})
    assert webhook.drift() == {}


def test_secrets_that_somebody_removed_are_drift(driver: MakeDriver, tenancy: Tenancy) -> None:
    webhook = driver("webhook").create(inputs_for(tenancy))
    for path in ("/secret", "/encryptedHeaders"):
        request_as_admin(tenancy, "PATCH", f"/{webhook.id}", [{"op": "remove", "path": path}])
    assert webhook.drift() == {"secret": None, "encrypted_headers": None}
    webhook.update(webhook.inputs)
    assert (remote(tenancy, webhook.id) or {})["secret"] == SECRET
    assert webhook.drift() == {}


def test_a_webhook_of_a_user_is_not_reused(driver: MakeDriver, tenancy: Tenancy) -> None:
    body = {"name": "Portal", "url": "https://theirs.example", "level": "user"}
    theirs = tenancy.bot.post(PATH, body)["id"]
    assert driver("webhook").create(inputs_for(tenancy)).id != theirs


@pytest.mark.parametrize("effect", ["drop_after", "truncate"])
def test_a_lost_response_creates_no_second_webhook(driver: MakeDriver, tenancy: Tenancy, effect: str) -> None:
    tenancy.qlik.control.add_fault(method="POST", path=PATH, **{effect: True}, times=1)
    webhook = driver("webhook").create(inputs_for(tenancy))
    assert webhooks_by_id(tenancy).keys() == {webhook.id}
    assert webhook.drift() == {}


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("url", "http://portal.example", "write it as https://"),
        ("url", "https://me:word@portal.example", "contains a user name"),
        ("url", f"https://portal.example/{'x' * 2048}", "2048 characters at most"),
        ("headers", {"X Y": "1"}, "not the name of an HTTP header"),
        ("headers", {"X": "1", "x": "2"}, "twice"),
        ("headers", {"X": "y" * 2048}, "2048 at most"),
        ("headers", {"X": 1}, "not one line of text"),
        ("event_types", [], "is required"),
        ("secret", SECRET[:31], "32 to 64 characters"),
        ("encrypted_headers", {"X Y": KEY}, "is not the name of an HTTP header"),
        ("encrypted_headers", {"X": f"{KEY}\n"}, "not one line of text"),
    ],
)
def test_invalid_inputs_are_refused(
    driver: MakeDriver, tenancy: Tenancy, name: str, value: object, message: str
) -> None:
    """The preview shows the error, and no message contains a secret."""
    with pytest.raises(AssertionError) as caught:
        driver("webhook").check({**inputs_for(tenancy), name: value})
    assert name in str(caught.value)
    assert message in str(caught.value)
    assert SECRET[:31] not in str(caught.value)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_an_error_of_qlik_that_contains_a_secret_is_redacted(
    driver: MakeDriver, tenancy: Tenancy, method: str
) -> None:
    webhook, inputs = driver("webhook"), inputs_for(tenancy)
    if method == "PATCH":
        webhook.create(inputs)
    detail = f"bad secret {SECRET}-2 and header {KEY}-2"
    body = {"errors": [{"code": "X", "title": "No", "detail": detail}]}
    tenancy.qlik.control.add_fault(method=method, path=f"{PATH}*", status=400, body=body)
    new_inputs = inputs | {"secret": f"{SECRET}-2", "encrypted_headers": {"X-Api-Key": f"{KEY}-2"}}
    with pytest.raises(Failure, match="bad secret") as caught:
        webhook.update(new_inputs) if method == "PATCH" else webhook.create(new_inputs)
    assert SECRET not in str(caught.value)
    assert KEY not in str(caught.value)
