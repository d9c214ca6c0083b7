"""Webhooks (https://qlik.dev/apis/rest/core/webhooks).

Unverified, because no source documents it: that a client with TenantAdmin can change a webhook of the tenant
that somebody else created, and which event names Qlik refuses.
"""

from __future__ import annotations

from typing import Any

from tenantry.providers.framework.handlers import Properties
from tenantry.providers.framework.keyless import Keyless
from tenantry.providers.framework.properties import Change, Property, prop, reference
from tenantry.providers.framework.resource import Resource
from tenantry.providers.qlik import Host
from tenantry.providers.values import urls
from tenantry.providers.values.limits import (
    CREDENTIALS_VERSION,
    ENCRYPTED_HEADERS,
    WEBHOOK_DESCRIPTION,
    WEBHOOK_EVENTS,
    WEBHOOK_HEADERS,
    WEBHOOK_NAME,
    WEBHOOK_SECRET,
)


class Webhook(Resource):
    """A URL that Qlik calls when something happens in the tenant, such as a reload that ends.

    Qlik disables a webhook whose calls keep failing. A refresh shows this.
    """

    tenant: Property[str] = reference("Tenant", "The tenant whose events Qlik sends.")
    name: Property[str] = prop(
        "Name. Qlik allows duplicates, but Tenantry requires a unique name in the tenant.",
        limits=WEBHOOK_NAME,
    )
    url: Property[str] = prop("The URL that gets the events.", limits=urls.WEBHOOK)
    description: Property[str] = prop("Description of the webhook.", default="", limits=WEBHOOK_DESCRIPTION)
    event_types: Property[list[str]] = prop(
        "Events, such as `com.qlik.v1.app.reload.finished`.", limits=WEBHOOK_EVENTS
    )
    enabled: Property[bool] = prop("Whether Qlik sends events.", default=True)
    filter: Property[str] = prop("A SCIM condition on the events to send. Empty: all events.", default="")
    headers: Property[dict[str, Any]] = prop(
        "HTTP headers of each call. Anybody with access to the webhook can read them.",
        default={},
        limits=WEBHOOK_HEADERS,
    )
    encrypted_headers: Property[dict[str, Any]] = prop(
        "HTTP headers whose values Qlik encrypts. Always a Pulumi secret. Qlik never returns the values, so "
        "Tenantry cannot see a change at Qlik unless all of them are missing.",
        default=None,
        change=Change.UNSEEN,
        limits=ENCRYPTED_HEADERS,
        sensitive=True,
    )
    secret: Property[str] = prop(
        "Key with which Qlik signs each call. Always a Pulumi secret. Qlik never returns it, so Tenantry "
        "cannot see a change at Qlik unless the key is missing.",
        default=None,
        change=Change.UNSEEN,
        limits=WEBHOOK_SECRET,
        sensitive=True,
    )
    secret_version: Property[int] = prop(
        "A number. Change it to send the secret and the encrypted headers again.",
        default=1,
        change=Change.UNSEEN,
        limits=CREDENTIALS_VERSION,
    )
    check_certificate_revocation: Property[bool] = prop(
        "Whether Qlik checks that the certificate of the URL has not been revoked.", default=False
    )
    adopt: Property[bool] = prop(
        "Take over an existing webhook with this name that somebody else created.",
        default=None,
        change=Change.AT_CREATION,
    )


_SECRETS = ("encrypted_headers", "secret")


class WebhookHandler(Keyless):
    """CRUD handler of `Webhook`.

    Qlik accepts duplicate names. The list also contains webhooks of users, which the handler ignores.
    """

    resource_type = Webhook
    path = "/api/core/webhooks"
    natural_key = ("tenant", "name")
    maker = "createdByUserId"

    def encode(self, properties: Properties) -> dict[str, Any]:
        """Return the JSON for Qlik, without the version of the secrets."""
        body = super().encode(properties)
        body.pop("secretVersion", None)
        return body

    def decode(self, found: dict[str, Any]) -> Properties:
        """Return the properties. About a secret, Qlik returns only whether it exists."""
        stored = {"secret": found.get("secretKeyAdded"), "encrypted_headers": found.get("encryptedHeaders")}
        missing = {name: None for name, value in stored.items() if value in (False, [])}
        return super().decode(found) | missing

    def manages(self, found: dict[str, Any]) -> bool:
        """Tell whether the webhook belongs to the tenant and not to a user."""
        return found.get("level") != "user"

    def candidates(self, host: Host, want: Properties) -> list[dict[str, Any]]:
        """Return the webhooks with the requested name."""
        return [webhook for webhook in host.find(self.path, want["name"]) if self.manages(webhook)]

    def choose(self, host: Host, want: Properties, found: list[dict[str, Any]]) -> dict[str, Any] | None:
        """Return the only webhook in `found`. Of several, return the one that this client created."""
        return self.only_ours(host, want, found)

    def changes(self, have: Properties, want: Properties) -> Properties:
        """Return the changes, with None for a secret that is no longer set."""
        removed = {name: None for name in _SECRETS if have.get(name) and want.get(name) is None}
        return super().changes(have, want) | removed

    def patch(self, host: Host, id: str, changes: Properties, want: Properties) -> None:
        """PATCH what differs.

        If the URL changes, send the encrypted headers again, because Qlik requires it. If the version of the
        secrets changes, send all secrets again.
        """
        resent = set(_SECRETS) if "secret_version" in changes else set()
        if "url" in changes:
            resent.add("encrypted_headers")
        changes = {name: want[name] for name in resent if want.get(name)} | changes
        patch: list[dict[str, Any]] = [
            {"op": "remove", "path": f"/{self.resource_type.properties[name].camel}"}
            for name, value in changes.items()
            if value is None
        ]
        patch += [
            {"op": "replace", "path": f"/{name}", "value": value}
            for name, value in self.encode(changes).items()
        ]
        if patch:
            host.patch(self.member(id, want), patch, repeatable=True)


HANDLER = WebhookHandler()
