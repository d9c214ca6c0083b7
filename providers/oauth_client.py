"""OAuth clients (https://qlik.dev/apis/rest/oauth-clients).

Unverified, as the sources contradict each other: whether a client for impersonation may have origins. The
specification keeps them for `spa`, and Qlik's tutorial for impersonation sets them.
"""

from __future__ import annotations

from typing import Any, Literal

from tenantry.providers.framework import listings
from tenantry.providers.framework.errors import Ambiguous
from tenantry.providers.framework.handlers import Properties
from tenantry.providers.framework.keyless import Keyless
from tenantry.providers.framework.properties import Change, Property, output, prop, reference
from tenantry.providers.framework.resource import Resource
from tenantry.providers.qlik import Cloud, Host, NotFound
from tenantry.providers.values.limits import OAUTH_DESCRIPTION, OAUTH_NAME, SECRET_VERSION
from tenantry.providers.values.oauth_clients import (
    GRANTS,
    IMPERSONATION,
    REDIRECT_URIS,
    property_problems,
    redirect_problem,
)
from tenantry.providers.values.origins import OAUTH_ORIGINS


class OAuthClient(Resource):
    """An application that gets tokens of the tenant. Its id is the client id.

    `client_secret` is the secret of a client for `web`. Qlik shows a secret once, so it is in the state, and
    encrypted there.
    """

    tenant: Property[str] = reference("Tenant", "The tenant that gives the tokens.")
    name: Property[str] = prop(
        "Name. Qlik takes one twice; here it tells the clients of a tenant apart.", limits=OAUTH_NAME
    )
    app_type: Property[Literal["web", "spa", "native"]] = prop(
        "Kind of application: `web` runs on a server and has a secret, `spa` runs in a browser, `native` "
        "on a device. Machine-to-machine clients are `web`.",
        change=Change.REPLACES,
    )
    description: Property[str] = prop("What the client is for.", default="", limits=OAUTH_DESCRIPTION)
    redirect_uris: Property[list[str]] = prop(
        "Where Qlik sends users after they log in.", default=[], limits=REDIRECT_URIS
    )
    allowed_origins: Property[list[str]] = prop(
        "Origins of the pages that use the client: for `spa`, and for impersonation.",
        default=[],
        limits=OAUTH_ORIGINS,
    )
    allowed_scopes: Property[list[str]] = prop(
        "Scopes that the client may ask for, such as `user_default`.", default=[]
    )
    allowed_grant_types: Property[list[str]] = prop(
        "What a `web` client may do without a user at the screen: act as itself (`client_credentials`), or "
        f"as any user of the tenant (`{IMPERSONATION}`).",
        default=[],
        choices=GRANTS,
    )
    consent: Property[Literal["required", "trusted"]] = prop(
        "`trusted` asks no user for consent. Machine-to-machine clients need it.", default="required"
    )
    secret_version: Property[int] = prop(
        "Another number makes a new secret. The one before it stays valid until the next rotation.",
        default=1,
        change=Change.UNSEEN,
        limits=SECRET_VERSION,
    )
    adopt: Property[bool] = prop(
        "Manage a client of this name that is there; a new secret is made for it. Qlik does not say who made "
        "one, so one that is the very same is taken over without it, too.",
        default=None,
        change=Change.AT_CREATION,
    )
    client_secret: Property[str] = output("The secret of a `web` client.", at_qlik=False, sensitive=True)
    secret_hint: Property[str] = output("The characters by which Qlik names the secret.", at_qlik=False)


_AT_QLIK = {
    "name": "clientName",
    "app_type": "appType",
    "description": "description",
    "redirect_uris": "redirectUris",
    "allowed_origins": "allowedOrigins",
    "allowed_scopes": "allowedScopes",
    "allowed_grant_types": "allowedGrantTypes",
}


class OAuthClientHandler(Keyless):
    """A collection whose members are named by `clientId`, and whose names are no key.

    A rotation first deletes every secret but the one in the state, and then makes another one. So there is
    always a valid one, and two after each rotation. A secret that a run made and did not get into the state
    is known to nobody, and goes with the next run. So does that of a client whose creation got no answer.
    """

    resource_type = OAuthClient
    path = "/api/v1/oauth-clients"
    natural_key = ("tenant", "name")
    id_name = "clientId"

    def decode(self, found: dict[str, Any]) -> Properties:
        """Return what the answer has. Only that of POST has the secret; GET may lack the consent."""
        known = self.resource_type.properties
        live = {name: known[name].canonical(found.get(field)) for name, field in _AT_QLIK.items()}
        if consent := (found.get("connectionConfig") or {}).get("consentMethod"):
            live["consent"] = consent
        secret = found.get("clientSecret")
        if secret and live["app_type"] == "web":
            hints = _hints(found)
            hint = found.get("clientSecretHint") or (hints[0] if len(hints) == 1 else None)
            live |= {"client_secret": secret, "secret_hint": hint}
        return live

    def body(self, cloud: Cloud, host: Host, want: Properties) -> dict[str, Any]:
        """Return what is POSTed. Qlik takes no consent but `trusted` there."""
        body = {field: want[name] for name, field in _AT_QLIK.items() if want.get(name)}
        trusted = want["consent"] == "trusted"
        return body | ({"connectionConfig": {"consentMethod": "trusted"}} if trusted else {})

    def input_problems(self, have: Properties, want: Properties) -> dict[str, str]:
        """A client has only what its kind of application has."""
        problems = property_problems(want["app_type"], want["allowed_grant_types"], want["allowed_origins"])
        native = want["app_type"] == "native"
        for uri in want["redirect_uris"]:
            if wrong := redirect_problem(uri, native=native):
                problems["redirect_uris"] = wrong
        return problems

    def candidates(self, host: Host, want: Properties) -> list[dict[str, Any]]:
        """Return those of that name."""
        return [each for each in host.list(self.path) if each.get("clientName") == want["name"]]

    def choose(self, host: Host, want: Properties, found: list[dict[str, Any]]) -> dict[str, Any] | None:
        """Of several take the only one that is as wanted."""
        if len(found) <= 1:
            return found[0] if found else None
        same = [each for each in found if self.is_ours(host, each, want)]
        if len(same) != 1:
            raise Ambiguous(self.label(want, ""), host.hostname, [each[self.id_name] for each in found])
        return same[0]

    def is_ours(self, host: Host, there: dict[str, Any], want: Properties) -> bool:
        """Qlik names no maker: one that is the very same may have been made by a run that was cut off."""
        return not self.changes({**want, **self.decode(there)}, want)

    def after_lost_response(self, host: Host, there: dict[str, Any], want: Properties) -> None:
        """Delete the secrets of a client that a run of ours made: nobody knows them."""
        if self.is_ours(host, there, want):
            for hint in _hints(there):
                self._delete_secret(host, self.member(there[self.id_name], want), hint)

    def changes(self, have: Properties, want: Properties) -> Properties:
        """Leave out the version of a secret where there is none."""
        changed = super().changes(have, want)
        if want["app_type"] != "web":
            changed.pop("secret_version", None)
        return changed

    def read(self, cloud: Cloud, id: str, have: Properties) -> Properties | None:
        """Read the client. A secret that somebody deleted shows as version 0."""
        host = self.host(cloud, have)
        found = listings.find(host, self.path, id, self.page, self.id_name) or self.get(host, id, have)
        if found is None:
            return None
        hint = have.get("secret_hint")
        if hint and "clientSecrets" in found and hint not in _hints(found):
            return self.decode(found) | {"secret_version": 0, "client_secret": None, "secret_hint": None}
        return self.decode(found)

    def get(self, host: Host, id: str, have: Properties) -> dict[str, Any] | None:
        """GET the client, and its consent, which is read elsewhere."""
        found = super().get(host, id, have)
        if found is not None and "consentMethod" not in (found.get("connectionConfig") or {}):
            try:
                consent = host.get(f"{self.member(id, have)}/connection-configs/me")
            except NotFound:  # nobody has connected yet
                consent = {"consentMethod": "required"}
            found |= {"connectionConfig": consent}
        return found

    def update(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> Properties:
        """PATCH what differs; then make another secret if its version differs."""
        super().update(cloud, id, have, want)
        if "secret_version" not in self.changes(have, want):
            return {}
        return self._rotate(self.host(cloud, want), self.member(id, want), have.get("secret_hint"))

    def _rotate(self, host: Host, member: str, current: str | None) -> Properties:
        """Return a new secret, after deleting all but the current one.

        Where the state has none, such as after an import, others may be in use: then all of them stay.
        """
        hints = _hints(host.get(member))
        if current in hints:
            for hint in hints:
                if hint != current:
                    self._delete_secret(host, member, hint)
        made = host.post(f"{member}/client-secrets")
        return {"client_secret": made["clientSecret"], "secret_hint": made["hint"]}

    def _delete_secret(self, host: Host, member: str, hint: str) -> None:
        try:
            host.delete(f"{member}/client-secrets/{hint}")
        except NotFound:
            if hint in _hints(host.get(member)):
                raise

    def patch(self, host: Host, id: str, changes: Properties, want: Properties) -> None:
        """PATCH the client, and its consent, which is elsewhere."""
        patch = [
            {"op": "replace", "path": f"/{field}", "value": changes[name]}
            for name, field in _AT_QLIK.items()
            if name in changes
        ]
        if patch:
            host.patch(self.member(id, want), patch, repeatable=True)
        if "consent" in changes:
            consent = [{"op": "replace", "path": "/consentMethod", "value": changes["consent"]}]
            host.patch(f"{self.member(id, want)}/connection-configs/me", consent, repeatable=True)

    def confirmation(self, id: str) -> dict[str, str]:
        """Qlik deletes no client without it."""
        return {"qlik-confirm-delete": id}


def _hints(found: dict[str, Any]) -> list[str]:
    return [each["hint"] for each in found.get("clientSecrets") or []]


HANDLER = OAuthClientHandler()
