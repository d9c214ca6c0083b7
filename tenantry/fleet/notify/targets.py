"""The targets of notifications. An address at Slack or Teams is a secret: anyone who has it can post."""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass, field
from typing import Literal, cast, get_args
from urllib.parse import urlsplit

from tenantry.errors import TenantryError

Form = Literal["webhook", "slack", "teams"]

FROM_ENVIRONMENT = "env:"
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
ADDRESS = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")

HOSTS: dict[str, Form] = {
    "hooks.slack.com": "slack",
    "hooks.slack-gov.com": "slack",
    "logic.azure.com": "teams",
    "logic.azure.us": "teams",
    "api.powerplatform.com": "teams",
    "webhook.office.com": "teams",
}
"""The format of a target by the end of its host name.

Sources: https://api.slack.com/messaging/webhooks and
https://learn.microsoft.com/power-automate/teams/create-flows-webhook.
"""


class UnusableTarget(TenantryError):
    """Notifications cannot go to an address. The message is one line, without the address."""


@dataclass(frozen=True)
class Target:
    """A target of notifications. `str` shows only its host, because the rest of its address is secret."""

    form: Form
    host: str
    url: str = field(repr=False)
    is_local: bool = False

    @classmethod
    def parse(cls, text: str) -> Target:
        """Parse an address, or `env:` and the name of the variable with the address.

        It may start with a format: `slack:https://…`, `teams:env:NAME`. Otherwise the host determines the
        format. Raises UnusableTarget.
        """
        form, rest = _form(text)
        subject = "the address"
        if rest.startswith(FROM_ENVIRONMENT):
            name = rest.removeprefix(FROM_ENVIRONMENT)
            if not NAME.fullmatch(name):
                raise UnusableTarget("env: must be followed by the name of an environment variable")
            value = os.environ.get(name, "").strip()
            if not value:
                raise UnusableTarget(f"env:{name}: the environment variable {name} is not set")
            inner_form, rest = _form(value)
            form, subject = form or inner_form, f"the address in {name}"
        elif "://" not in rest:
            raise UnusableTarget(
                "it must be an address that begins with https://, or env:NAME for a variable with the address"
            )
        host, is_local = _host(rest, subject)
        return cls(form or _form_of(host), host, rest, is_local)

    def __str__(self) -> str:
        return f"{self.form} at {self.host}"


def _form(text: str) -> tuple[Form | None, str]:
    form, colon, rest = text.partition(":")
    return (cast(Form, form), rest) if colon and form in get_args(Form) else (None, text)


def _form_of(host: str) -> Form:
    return next((form for end, form in HOSTS.items() if host == end or host.endswith(f".{end}")), "webhook")


def _host(url: str, subject: str) -> tuple[str, bool]:
    """Return the host of an address, and whether the host is this machine. Raises UnusableTarget."""
    try:
        parts = urlsplit(url if ADDRESS.fullmatch(url) else "")
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host:
        raise UnusableTarget(f"{subject} is not valid: it must look like https://host/path")
    if parts.username is not None or parts.password is not None:
        raise UnusableTarget(f"{subject} contains a user or password, which is not supported")
    is_local = _is_local(host)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_local):
        raise UnusableTarget(f"{subject} must begin with https://; http:// is allowed for this machine only")
    return host, is_local


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
