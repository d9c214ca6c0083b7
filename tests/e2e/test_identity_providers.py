"""Identity providers with the real engine: users can always log in, and the client secret stays secret."""

from __future__ import annotations

import json
from typing import Any

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX, Customer, changed, settings
from tests.e2e.harness import Stack
from tests.providers.test_saml_identity_provider import EXAMPLE as SAML
from tests.world import Doc, writes

DISCOVERY = "/.well-known/openid-configuration"
SECRET = "hunter2-of-globex"
NEXT = "hunter3-of-globex"
OIDC = {
    "provider": "keycloak",
    "discovery_url": f"https://login.globex.example{DISCOVERY}",
    "client_id": "qlik",
    "client_secret": "login",
    "claims_mapping": {"sub": ["/sub"], "name": ["/name"], "email": ["/email"]},
}
ADMIN: Customer = changed(GLOBEX, ("admins", {"Support": {"email": "ada@example.com"}}))
LOGIN: Customer = changed(ADMIN, ("oidc_identity_providers", {"Login": OIDC}))


def logins(qlik: Emulator) -> list[Doc]:
    """Return the interactive providers at Qlik."""
    found = (doc for docs in qlik.control.dump().values() for doc in docs.get("identity-provider", []))
    return [doc for doc in found if doc["interactive"]]


def active(qlik: Emulator) -> list[str]:
    return [doc["id"] for doc in logins(qlik) if doc["active"]]


def steps(requests: list[Doc]) -> list[str]:
    """Return the requests that change identity providers, without ids."""
    found = [line for line in writes(requests) if "identity-providers" in line]
    return [line.rpartition("/")[0] if line.count("/") > 3 else line for line in found]


PATH = "/api/v1/identity-providers"


def test_an_identity_provider_is_created_changed_replaced_and_deleted(stack: Stack, qlik: Emulator) -> None:
    """Created, unchanged, drifted, given another secret, and removed."""
    stack.write(**settings(LOGIN))
    stack.set_secret("login", SECRET)
    results = [stack.up()]
    [first] = active(qlik)
    results += [stack.up("--expect-no-changes"), stack.pulumi("refresh", "--yes", "--skip-preview", "--diff")]

    patch = [{"op": "replace", "path": "/active", "value": False}]
    [hostname] = [host for host in qlik.control.dump() if host == stack.outputs()["hostname"]]
    qlik.request("PATCH", hostname, f"{PATH}/{first}", patch)
    results.append(stack.up("--refresh"))
    assert active(qlik) == [first]

    stack.set_secret("login", NEXT)
    replaced = stack.up()
    results.append(replaced)
    [second] = active(qlik)
    assert second != first
    assert [doc["id"] for doc in logins(qlik)] == [second]
    # The new provider exists before the old one is deleted, so users can always log in.
    assert steps(replaced.requests) == [f"POST {PATH}", f"DELETE {PATH}"]

    texts = [f"{result.output}{result.events}" for result in results]
    texts += [json.dumps(stack.export()), json.dumps(qlik.control.requests(all=True))]
    assert not [text for text in texts for secret in (SECRET, NEXT) if secret in text]

    stack.write(**settings(ADMIN))
    assert steps(stack.up().requests) == [f"PATCH {PATH}", f"DELETE {PATH}"]
    assert logins(qlik) == []


def test_an_unreachable_login_keeps_the_former_one(stack: Stack, qlik: Emulator) -> None:
    """The error names the solution, and the next run continues."""
    stack.write(**settings(LOGIN))
    stack.set_secret("login", SECRET)
    stack.up()
    before = active(qlik)
    elsewhere: dict[str, Any] = OIDC | {"discovery_url": f"https://new.globex.example{DISCOVERY}"}
    stack.write(**settings(changed(ADMIN, ("oidc_identity_providers", {"Login": elsewhere}))))
    stack.set_secret("login", SECRET)
    fault = qlik.control.add_fault(host="new.globex.example", status=503, body={})
    failed = stack.up(expect=1)
    assert f"GET https://new.globex.example{DISCOVERY} failed: it answered 503" in failed.output
    assert active(qlik) == before
    qlik.control.release(fault)
    stack.up()
    assert len(active(qlik)) == len(logins(qlik)) == 1


def test_a_change_from_oidc_to_saml_keeps_a_login_active(stack: Stack, qlik: Emulator) -> None:
    """The two logins are resources of two types. The new one is active before the old one is deleted."""
    stack.write(**settings(LOGIN))
    stack.set_secret("login", SECRET)
    stack.up()
    stack.write(**settings(changed(ADMIN, ("saml_identity_providers", SAML))))
    assert steps(stack.up().requests) == [f"POST {PATH}", f"DELETE {PATH}"]
    [login] = logins(qlik)
    assert (login["protocol"], login["active"]) == ("SAML", True)


def test_a_login_needs_an_administrator(stack: Stack, qlik: Emulator) -> None:
    """Otherwise, nobody can repair the login."""
    stack.write(**settings(changed(GLOBEX, ("saml_identity_providers", SAML))))
    failed = stack.up(expect=1)
    assert "no active user with the role TenantAdmin" in failed.output
    assert logins(qlik) == []
    stack.write(**settings(changed(ADMIN, ("saml_identity_providers", SAML))))
    stack.up()
    assert len(active(qlik)) == 1
