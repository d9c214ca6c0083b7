"""Sources of a content security policy that Qlik accepts: a host, optionally with a scheme and a port.

A CSP origin at Qlik may omit the scheme, and may begin with `*.` for all subdomains. It has no path.
Source: https://qlik.dev/apis/rest/csp-origins (`connectSrcWSS` puts `wss://` before the host). The wildcard
comes from the Content Security Policy standard (https://www.w3.org/TR/CSP2/#host-source), and is not
confirmed at a tenant.
"""

from __future__ import annotations

import re

from tenantry.providers.values.limits import Limits

LENGTH = 256
PATTERN = (
    r"^([A-Za-z][A-Za-z0-9+.-]*://)?((\*\.)?[A-Za-z0-9_-][A-Za-z0-9_.-]*|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$"
)
HIGHEST_PORT = 65535


def problem(source: str) -> str | None:
    """Return what is wrong with an origin, and what to write instead. None if it is valid."""
    if len(source) > LENGTH:
        return f'"{source[:40]}…" has {len(source)} characters; an origin has at most {LENGTH}'
    if found := re.fullmatch(PATTERN, source):
        is_valid = int((found[4] or ":0")[1:]) <= HIGHEST_PORT
        return None if is_valid else f'"{source}" has a port above {HIGHEST_PORT}'
    bare = re.match(r"([A-Za-z][A-Za-z0-9+.-]*://)?(?:[^/?#@]*@)?([^/?#@\s]+)", source.strip())
    corrected = f"{bare[1] or ''}{bare[2]}" if bare else ""
    is_better = corrected != source and re.fullmatch(PATTERN, corrected)
    advice = f"write {corrected}" if is_better else "for example https://cdn.example.com or *.example.com"
    return f'"{source}" is not an origin of a content security policy, which has no path; {advice}'


SOURCE = Limits("a host, optionally with scheme:// and :port, without a path", {"min_length": 1}, problem)
