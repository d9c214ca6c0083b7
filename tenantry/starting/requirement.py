"""The requirement with which pip installs this version of Tenantry in another environment."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution

NAME = "tenantry"


def requirement(extras: Iterable[str]) -> str:
    """Return the requirement that installs this Tenantry with these extras.

    It names the wheel, the commit or the folder of this installation
    (https://packaging.python.org/en/latest/specifications/direct-url/), or this version if pip recorded none.
    """
    name = f"{NAME}[{','.join(extras)}]"
    try:
        installed = distribution(NAME)
    except PackageNotFoundError:
        return name
    origin = json.loads(installed.read_text("direct_url.json") or "{}")
    if not origin:
        return f"{name}=={installed.version}"
    url = origin["url"]
    if vcs := origin.get("vcs_info"):
        return f"{name} @ {vcs['vcs']}+{url}@{vcs.get('requested_revision') or vcs['commit_id']}"
    return f"{name} @ {url}"
