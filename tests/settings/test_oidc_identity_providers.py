"""OpenID Connect identity providers in a stack file."""

from __future__ import annotations

import pytest

from tenantry.settings import check_plan
from tests.settings import conftest
from tests.settings.conftest import Folder

HEAD = conftest.HEAD.replace("config:\n", "config:\n  tenantry:secrets_login: {secure: v1:abc:def}\n")
OIDC = (
    "{provider: okta, discovery_url: 'https://login.example/x', client_id: a, client_secret: login, "
    "claims_mapping: {sub: [/sub]}}"
)
PLACE = "stacks/Pulumi.globex.yaml:7: customer.oidc_identity_providers.Login"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("https:", "http:", '.discovery_url: "http://login.example/x" is not an address that Qlik accepts'),
        ("okta", "ping", '.provider: "ping" is not allowed; allowed: adfs, auth0'),
        ("{sub:", "{name:", ".claims_mapping: OIDC needs a source for sub"),
        ("{sub:", "{age: [/age], sub:", ".claims_mapping: unknown claim age; OIDC has sub, name, email"),
        ("client_id: a, ", "", ".client_id: is missing"),
        ("client_id", "realm: 'a b', client_id", '.realm: "a b" is not a realm: letters, digits'),
        (": login,", ": sesame,", ".client_secret: this stack has no secret with this name"),
        (
            "client_id",
            "email_verified_always_true: true, client_id",
            ".email_verified_always_true: only adfs and azureAD have this key, and this provider is okta",
        ),
    ],
)
def test_a_mistake_is_reported_in_one_line(folder: Folder, old: str, new: str, problem: str) -> None:
    """The line has the file, the line number and the path of the key."""
    entry = OIDC.replace(old, new, 1)
    [line] = folder.write(f"oidc_identity_providers: {{Login: {entry}}}", head=HEAD).problems()
    assert line.startswith(f"{PLACE}{problem}")


def test_a_second_provider_is_refused(folder: Folder) -> None:
    """A tenant has at most one interactive identity provider."""
    [line] = folder.write(f"oidc_identity_providers:\n  A: {OIDC}\n  B: {OIDC}", head=HEAD).problems()
    assert line == (
        'stacks/Pulumi.globex.yaml:9: customer.oidc_identity_providers.B: users already log in with "A" of '
        "oidc_identity_providers; a tenant has one interactive provider"
    )


def test_a_plan_can_leave_claims_to_its_customers(folder: Folder) -> None:
    """Claims mappings are merged like any other mapping."""
    plan = "oidc_identity_providers: {Login: {provider: okta, claims_mapping: {name: [/name]}}}"
    entry = OIDC.replace("provider: okta, ", "")
    folder.write(f"plan: standard\noidc_identity_providers: {{Login: {entry}}}", head=HEAD, standard=plan)
    provider = folder.customer().oidc_identity_providers["Login"]
    assert provider.claims_mapping == {"name": ["/name"], "sub": ["/sub"]}
    check_plan(folder.path / "plans" / "standard.yaml")
