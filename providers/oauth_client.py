"""OAuth clients (https://qlik.dev/apis/rest/oauth-clients).

Unverified, because the sources contradict each other: whether a client for impersonation can have origins.
The specification reserves them for `spa`, but Qlik's tutorial for impersonation sets them.
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
    """An application that gets tokens for the tenant. Its id is the client id.

    `client_secret` is the secret of a `web` client. Qlik shows a secret only once, so the state contains it
    in encrypted form.
    """

    tenant: Property[str] = reference("Tenant", "The tenant that issues the tokens.")
    name: Property[str] = prop(
        "Name. Qlik allows duplicates, but Tenantry requires a unique name in the tenant.", limits=OAUTH_NAME
    )
    app_type: Property[Literal["web", "spa", "native"]] = prop(
        "Type of application: `web` runs on a server and has a secret, `spa` runs in a browser, `native` "
        "on a device. Machine-to-machine clients are `web`.",
        change=Change.REPLACES,
    )
    description: Property[str] = prop("Description of the client.", default="", limits=OAUTH_DESCRIPTION)
    redirect_uris: Property[list[str]] = prop(
        "URLs to which Qlik sends users after they log in.", default=[], limits=REDIRECT_URIS
    )
    allowed_origins: Property[list[str]] = prop(
        "Origins of the pages that use the client: for `spa`, and for impersonation.",
        default=[],
        limits=OAUTH_ORIGINS,
    )
    allowed_scopes: Property[list[str]] = prop(
        "Scopes that the client can request, such as `user_default`.", default=[]
    )
    allowed_grant_types: Property[list[str]] = prop(
        "What a `web` client can do without a user: act as itself (`client_credentials`), or "
        f"as any user of the tenant (`{IMPERSONATION}`).",
        default=[],
        choices=GRANTS,
    )
    consent: Property[Literal["required", "trusted"]] = prop(
        "`trusted`: Qlik asks no user for consent. Machine-to-machine clients need it.", default="required"
    )
    secret_version: Property[int] = prop(
        "A number. Change it to create a new secret. The previous one stays valid until the next rotation.",
        default=1,
        change=Change.UNSEEN,
        limits=SECRET_VERSION,
    )
    adopt: Property[bool] = prop(
        "Take over an existing client with this name, and create a new secret for it. Qlik does not say who "
        "created a client, so Tenantry takes over an identical client even without `adopt`.",
        default=None,
        change=Change.AT_CREATION,
    )
    client_secret: Property[str] = output("The secret of a `web` client.", at_qlik=False, sensitive=True)
    secret_hint: Property[str] = output("The characters by which Qlik identifies the secret.", at_qlik=False)


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
    """CRUD handler of `OAuthClient`. The id is `clientId`, and Qlik accepts duplicate names.

    A rotation first deletes every secret except the one in the state, then creates a new one. So there is
    always a valid secret, and there are two after each rotation. If a run creates a secret but does not save
    it in the state, nobody knows the secret, and the next run deletes it. It also deletes the secrets of a
    client whose creation got no response.
    """

    resource_type = OAuthClient
    path = "/api/v1/oauth-clients"
    natural_key = ("tenant", "name")
    id_name = "clientId"

    def decode(self, found: dict[str, Any]) -> Properties:
        """Return the properties in a response. Only POST returns the secret. GET can lack the consent."""
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
        """Return the body of the POST. Qlik accepts no consent except `trusted` there."""
        body = {field: want[name] for name, field in _AT_QLIK.items() if want.get(name)}
        trusted = want["consent"] == "trusted"
        return body | ({"connectionConfig": {"consentMethod": "trusted"}} if trusted else {})

    def input_problems(self, have: Properties, want: Properties) -> dict[str, str]:
        """Refuse properties that this type of application does not have."""
        problems = property_problems(want["app_type"], want["allowed_grant_types"], want["allowed_origins"])
        native = want["app_type"] == "native"
        for uri in want["redirect_uris"]:
            if problem := redirect_problem(uri, native=native):
                problems["redirect_uris"] = problem
        return problems

    def candidates(self, host: Host, want: Properties) -> list[dict[str, Any]]:
        """Return the clients with the requested name."""
        return [client for client in host.list(self.path) if client.get("clientName") == want["name"]]

    def choose(self, host: Host, want: Properties, found: list[dict[str, Any]]) -> dict[str, Any] | None:
        """Return the only client in `found`. Of several, return the only one that is identical to `want`.

        Raises Ambiguous.
        """
        if len(found) <= 1:
            return found[0] if found else None
        identical = [candidate for candidate in found if self.is_ours(host, candidate, want)]
        if len(identical) != 1:
            raise Ambiguous(self.label(want, ""), host.hostname, [client[self.id_name] for client in found])
        return identical[0]

    def is_ours(self, host: Host, existing: dict[str, Any], want: Properties) -> bool:
        """Tell whether a client is identical to `want`.

        Qlik does not name the creator. An interrupted run may have created an identical client.
        """
        return not self.changes({**want, **self.decode(existing)}, want)

    def after_lost_response(self, host: Host, existing: dict[str, Any], want: Properties) -> None:
        """Delete the secrets of a client that an earlier run created, because nobody knows them."""
        if self.is_ours(host, existing, want):
            for hint in _hints(existing):
                self._delete_secret(host, self.member(existing[self.id_name], want), hint)

    def changes(self, have: Properties, want: Properties) -> Properties:
        """Return the changes, without the version of the secret if the client has no secret."""
        changes = super().changes(have, want)
        if want["app_type"] != "web":
            changes.pop("secret_version", None)
        return changes

    def read(self, cloud: Cloud, id: str, have: Properties) -> Properties | None:
        """Read the client. If somebody deleted the secret, its version is 0."""
        host = self.host(cloud, have)
        found = listings.find(host, self.path, id, self.page, self.id_name) or self.get(host, id, have)
        if found is None:
            return None
        hint = have.get("secret_hint")
        if hint and "clientSecrets" in found and hint not in _hints(found):
            return self.decode(found) | {"secret_version": 0, "client_secret": None, "secret_hint": None}
        return self.decode(found)

    def get(self, host: Host, id: str, have: Properties) -> dict[str, Any] | None:
        """GET the client, and its consent, which has a separate path."""
        found = super().get(host, id, have)
        if found is not None and "consentMethod" not in (found.get("connectionConfig") or {}):
            try:
                consent = host.get(f"{self.member(id, have)}/connection-configs/me")
            except NotFound:  # nobody has connected yet
                consent = {"consentMethod": "required"}
            found |= {"connectionConfig": consent}
        return found

    def update(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> Properties:
        """PATCH what differs, then create a new secret if its version differs."""
        super().update(cloud, id, have, want)
        if "secret_version" not in self.changes(have, want):
            return {}
        return self._rotate(self.host(cloud, want), self.member(id, want), have.get("secret_hint"))

    def _rotate(self, host: Host, member: str, current: str | None) -> Properties:
        """Delete all secrets except the current one, and return a new one.

        If the state has no secret, for example after an import, all secrets stay, because they may be in use.
        """
        hints = _hints(host.get(member))
        if current in hints:
            for hint in hints:
                if hint != current:
                    self._delete_secret(host, member, hint)
        created = host.post(f"{member}/client-secrets")
        return {"client_secret": created["clientSecret"], "secret_hint": created["hint"]}

    def _delete_secret(self, host: Host, member: str, hint: str) -> None:
        try:
            host.delete(f"{member}/client-secrets/{hint}")
        except NotFound:
            if hint in _hints(host.get(member)):
                raise

    def patch(self, host: Host, id: str, changes: Properties, want: Properties) -> None:
        """PATCH the client, and its consent, which has a separate path."""
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
        """Return the header that Qlik requires to delete a client."""
        return {"qlik-confirm-delete": id}


def _hints(found: dict[str, Any]) -> list[str]:
    return [secret["hint"] for secret in found.get("clientSecrets") or []]


HANDLER = OAuthClientHandler()
