"""Addresses that Qlik accepts for links and webhooks: only https."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from tenantry.providers.values.limits import Limits

PATTERN = r"^https://[^/?#@\s]+([/?#]\S*)?$"


def problem(url: str) -> str | None:
    """Return what is wrong with an address. None if it is valid. No message shows a password."""
    try:
        parts = urlsplit(url)
        has_user = parts.username is not None or parts.password is not None
    except ValueError:
        return "this is not an address; write it as https://help.example.com/start"
    if has_user:
        return "the address contains a user name, which everybody could see; remove it"
    if re.fullmatch(PATTERN, url):
        return None
    return f'"{url[:200]}" is not an address that Qlik accepts; write it as https://help.example.com/start'


HTTPS = Limits("https://host[:port][/path]", problem=problem)
WEBHOOK = Limits("https://host[:port][/path], 2048 characters at most", {"max_length": 2048}, problem)
