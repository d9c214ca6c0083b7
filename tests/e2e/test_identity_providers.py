"""Identity providers with the real engine: users can always log in, and the client secret stays secret."""

from __future__ import annotations

import json
from typing import Any

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX, Customer, settings, with_changes
from tests.e2e.harness import Stack
from tests.providers.test_saml_identity_provider import EXAMPLE as SAML
from tests.world import Doc, writes

DISCOVERY = "/.well-known/openid-configuration"
SECRET = "hunter2-of-globex"
NEW_SECRET = "hunter3-of-globex"
OIDC = {
    "provider": "keycloak",
    "discovery_url": f"https://login.globex.example{DISCOVERY}",
    "client_id": "qlik",
    "client_secret": "login",
    "claims_mapping": {"sub": ["/sub"], "name": ["/name"], "email": ["/email"]},
}
ADMIN: Customer = with_changes(GLOBEX, ("admins", {"Support": {"email": "ada@example.com"}}))
LOGIN: Customer = with_changes(ADMIN, ("oidc_identity_providers", {"Login": OIDC}))


def logins(qlik: Emulator) -> list[Doc]:
    """Return the interactive identity providers at Qlik."""
    found = (doc for docs in qlik.control.dump().values() for doc in docs.get("identity-provider", []))
    return [doc for doc in found if doc["interactive"]]


def active_ids(qlik: Emulator) -> list[str]:
    return [doc["id"] for doc in logins(qlik) if doc["active"]]


def provider_writes(requests: list[Doc]) -> list[str]:
    """Return the requests that change identity providers, without ids."""
    found = [line for line in writes(requests) if "identity-providers" in line]
    return [line.rpartition("/")[0] if line.count("/") > 3 else line for line in found]


PATH = "/api/v1/identity-providers"


def test_a_login_is_created_repaired_replaced_and_deleted(stack: Stack, qlik: Emulator) -> None:
    """Another client secret replaces the login. No output, event or state contains a secret."""
    stack.write(**settings(LOGIN))
    stack.set_secret("login", SECRET)
    results = [stack.up()]
    [first] = active_ids(qlik)
    results += [stack.up("--expect-no-changes"), stack.pulumi("refresh", "--yes", "--skip-preview", "--diff")]

    patch = [{"op": "replace", "path": "/active", "value": False}]
    [hostname] = [host for host in qlik.control.dump() if host == stack.outputs()["hostname"]]
    qlik.request("PATCH", hostname, f"{PATH}/{first}", patch)
    results.append(stack.up("--refresh"))
    assert active_ids(qlik) == [first]

    stack.set_secret("login", NEW_SECRET)
    replaced = stack.up()
    results.append(replaced)
    [second] = active_ids(qlik)
    assert second != first
    assert [doc["id"] for doc in logins(qlik)] == [second]
    # The run creates the new provider before it deletes the old one, so users can always log in.
    assert provider_writes(replaced.requests) == [f"POST {PATH}", f"DELETE {PATH}"]

    texts = [f"{result.output}{result.events}" for result in results]
    texts += [json.dumps(stack.export()), json.dumps(qlik.control.requests(all=True))]
    assert not [text for text in texts for secret in (SECRET, NEW_SECRET) if secret in text]

    stack.write(**settings(ADMIN))
    assert provider_writes(stack.up().requests) == [f"PATCH {PATH}", f"DELETE {PATH}"]
    assert logins(qlik) == []


def test_an_unreachable_login_keeps_the_former_one(stack: Stack, qlik: Emulator) -> None:
    """The error names the failed request. The next run succeeds."""
    stack.write(**settings(LOGIN))
    stack.set_secret("login", SECRET)
    stack.up()
    before = active_ids(qlik)
    elsewhere: dict[str, Any] = OIDC | {"discovery_url": f"https://new.globex.example{DISCOVERY}"}
    stack.write(**settings(with_changes(ADMIN, ("oidc_identity_providers", {"Login": elsewhere}))))
    stack.set_secret("login", SECRET)
    fault = qlik.control.add_fault(host="new.globex.example", status=503, body={})
    failed = stack.up(expect=1)
    assert f"GET https://new.globex.example{DISCOVERY} failed: it answered 503" in failed.output
    assert active_ids(qlik) == before
    qlik.control.release(fault)
    stack.up()
    assert len(active_ids(qlik)) == len(logins(qlik)) == 1


def test_a_change_from_openid_connect_to_saml_has_no_gap(stack: Stack, qlik: Emulator) -> None:
    """The logins are resources of two types. The new one is active before the run deletes the old one."""
    stack.write(**settings(LOGIN))
    stack.set_secret("login", SECRET)
    stack.up()
    stack.write(**settings(with_changes(ADMIN, ("saml_identity_providers", SAML))))
    assert provider_writes(stack.up().requests) == [f"POST {PATH}", f"DELETE {PATH}"]
    [login] = logins(qlik)
    assert (login["protocol"], login["active"]) == ("SAML", True)


def test_a_login_without_an_administrator_is_refused(stack: Stack, qlik: Emulator) -> None:
    """Without an administrator, nobody can repair a broken login."""
    stack.write(**settings(with_changes(GLOBEX, ("saml_identity_providers", SAML))))
    failed = stack.up(expect=1)
    assert "no active user with the role TenantAdmin" in failed.output
    assert logins(qlik) == []
    stack.write(**settings(with_changes(ADMIN, ("saml_identity_providers", SAML))))
    stack.up()
    assert len(active_ids(qlik)) == 1
