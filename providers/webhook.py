"""Webhooks (https://qlik.dev/apis/rest/core/webhooks).

Unverified, as no source says it: that a client with TenantAdmin may change a webhook of the tenant that
somebody else made, and which names of events Qlik refuses.
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

    Qlik disables a webhook whose calls keep failing, which a refresh shows.
    """

    tenant: Property[str] = reference("Tenant", "The tenant whose events are sent.")
    name: Property[str] = prop(
        "Name. Qlik takes one twice; here it tells the webhooks of a tenant apart.", limits=WEBHOOK_NAME
    )
    url: Property[str] = prop("Where the events go.", limits=urls.WEBHOOK)
    description: Property[str] = prop("What it is for.", default="", limits=WEBHOOK_DESCRIPTION)
    event_types: Property[list[str]] = prop(
        "Events, such as `com.qlik.v1.app.reload.finished`.", limits=WEBHOOK_EVENTS
    )
    enabled: Property[bool] = prop("Whether events are sent.", default=True)
    filter: Property[str] = prop("Which of the events are sent, in SCIM; empty: all of them.", default="")
    headers: Property[dict[str, Any]] = prop(
        "HTTP headers of each call, which anybody with access to the webhook may read.",
        default={},
        limits=WEBHOOK_HEADERS,
    )
    encrypted_headers: Property[dict[str, Any]] = prop(
        "HTTP headers whose values Qlik encrypts. Always a Pulumi secret. Qlik never returns the values, so "
        "a change at Qlik does not show unless all of them are gone.",
        default=None,
        change=Change.UNSEEN,
        limits=ENCRYPTED_HEADERS,
        sensitive=True,
    )
    secret: Property[str] = prop(
        "Key with which Qlik signs each call. Always a Pulumi secret. Qlik never returns it, so a change at "
        "Qlik does not show unless it is gone.",
        default=None,
        change=Change.UNSEEN,
        limits=WEBHOOK_SECRET,
        sensitive=True,
    )
    secret_version: Property[int] = prop(
        "Another number sends the secret and the encrypted headers again.",
        default=1,
        change=Change.UNSEEN,
        limits=CREDENTIALS_VERSION,
    )
    check_certificate_revocation: Property[bool] = prop(
        "Whether Qlik asks if the certificate of the URL has been revoked.", default=False
    )
    adopt: Property[bool] = prop(
        "Manage a webhook of this name that somebody else made.",
        default=None,
        change=Change.AT_CREATION,
    )


_SECRETS = ("encrypted_headers", "secret")


class WebhookHandler(Keyless):
    """A collection whose names are not unique. Webhooks of users are in it as well; they are theirs."""

    resource_type = Webhook
    path = "/api/core/webhooks"
    natural_key = ("tenant", "name")
    maker = "createdByUserId"

    def encode(self, properties: Properties) -> dict[str, Any]:
        """Leave out the version of the secrets, which Qlik does not know."""
        body = super().encode(properties)
        body.pop("secretVersion", None)
        return body

    def decode(self, found: dict[str, Any]) -> Properties:
        """Of the secrets, tell only that there are none."""
        there = {"secret": found.get("secretKeyAdded"), "encrypted_headers": found.get("encryptedHeaders")}
        missing = {name: None for name, value in there.items() if value in (False, [])}
        return super().decode(found) | missing

    def manages(self, found: dict[str, Any]) -> bool:
        """Leave the webhooks of users alone."""
        return found.get("level") != "user"

    def candidates(self, host: Host, want: Properties) -> list[dict[str, Any]]:
        """Return those of that name."""
        return [each for each in host.find(self.path, want["name"]) if self.manages(each)]

    def choose(self, host: Host, want: Properties, found: list[dict[str, Any]]) -> dict[str, Any] | None:
        """Of several take the only one that this client made."""
        return self.only_ours(host, want, found)

    def changes(self, have: Properties, want: Properties) -> Properties:
        """A secret that is not wanted any more is taken away."""
        gone = {name: None for name in _SECRETS if have.get(name) and want.get(name) is None}
        return super().changes(have, want) | gone

    def patch(self, host: Host, id: str, changes: Properties, want: Properties) -> None:
        """PATCH what differs. A new URL takes the encrypted headers along, as Qlik demands; a new version of
        the secrets takes all of them.
        """
        again = set(_SECRETS) if "secret_version" in changes else set()
        if "url" in changes:
            again.add("encrypted_headers")
        changes = {name: want[name] for name in again if want.get(name)} | changes
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
