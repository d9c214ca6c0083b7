"""Webhooks."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import Field

from tenantry.providers.values import urls
from tenantry.providers.values.limits import WEBHOOK_EVENTS, WEBHOOK_HEADERS
from tenantry.settings.models.block import AT_CREATION, NO_REQUEST, Block, ResourceMapping, key
from tenantry.settings.values import (
    CredentialsVersion,
    FormerKeys,
    HttpsUrl,
    SecretName,
    Switch,
    Text,
    WebhookDescription,
    WebhookName,
)
from tenantry.settings.violations import Violation

_SECRET_HEADER = re.compile(r"auth|cookie|secret|token|key|passw|signature", re.IGNORECASE)


class Webhook(Block):
    """A URL that Qlik calls when something happens in the tenant. (Webhooks API)

    Never write a secret here. Store each one as a separate secret in the stack file with `pulumi config set
    --secret tenantry:secrets_<name>`, and name that secret here. Qlik never returns secrets, so Tenantry
    cannot see a change of them at Qlik. Change `secret_version` to send them again. Qlik disables a webhook
    whose calls keep failing. A refresh shows this as a difference in `enabled`.
    """

    mapping = ResourceMapping("Webhook", "webhook", identity=("name",), output=False)

    name: WebhookName = key(about="Its name at Qlik. Default: the key.")
    url: Annotated[HttpsUrl, Field(**urls.WEBHOOK.field)] = key(
        about="The URL that gets the events, with `https://`. The state contains it in plain text."
    )
    description: WebhookDescription | None = key(None, about="Its purpose; 1024 characters at most.")
    event_types: Annotated[list[Text], Field(**WEBHOOK_EVENTS.field)] = key(
        about="Events, such as `com.qlik.v1.app.reload.finished`."
    )
    enabled: Switch = key(True, about="Whether Qlik sends events.")
    filter: Text | None = key(
        None,
        about='A condition on the events to send, such as `spaceId eq "<id>"`. Default: all events.',
    )
    headers: dict[str, Any] = key(
        default_factory=dict,
        about="HTTP headers of each call, each with its value. They are not secret.",
    )
    encrypted_headers: dict[str, SecretName] = key(
        default_factory=dict,
        about="HTTP headers with secret values: for each, the name of a secret of this stack, "
        "`tenantry:secrets_<name>`.",
    )
    secret: SecretName | None = key(
        None,
        about="Name of the secret of this stack with which Qlik signs each call. The secret must have 32 to "
        "64 characters.",
    )
    secret_version: CredentialsVersion = key(
        1, about="A number. Change it to send the secret and the encrypted headers again."
    )
    check_certificate_revocation: Switch = key(
        False, about="Whether Qlik checks that the certificate of the URL has not been revoked."
    )
    renamed_from: FormerKeys | None = key(
        None,
        about="The former key, or a list of former keys, so that the new key keeps the same webhook.",
        change=NO_REQUEST,
    )
    adopt: Switch = key(
        False,
        about="Take over an existing webhook with this name that somebody else created.",
        change=AT_CREATION,
    )

    @classmethod
    def rules(cls, block: str, entries: Mapping[str, Any]) -> Iterator[Violation]:
        """Check that headers are valid, that none is a secret in plain text, and that none is set twice."""
        yield from super().rules(block, entries)
        for entry, webhook in sorted(entries.items()):
            if WEBHOOK_HEADERS.problem and (wrong := WEBHOOK_HEADERS.problem(webhook.headers)):
                yield Violation((block, entry, "headers"), wrong)
            encrypted = {name.lower() for name in webhook.encrypted_headers or {}}
            for name in webhook.headers or {}:
                keys = (block, entry, "headers", name)
                if name.lower() in encrypted:
                    yield Violation(keys, "is also under encrypted_headers; remove it here")
                elif _SECRET_HEADER.search(name):
                    yield Violation(
                        keys,
                        "may be a secret, which would be in the state in plain text; keep it in its own "
                        f"key, tenantry:secrets_<name>, and write encrypted_headers: {{{name}: <name>}}",
                    )
