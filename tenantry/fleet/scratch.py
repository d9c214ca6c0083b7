"""A backend for one preview. A new customer's stack exists in no other backend yet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tenantry.fleet.members import Member
from tenantry.pulumi_internals.backend_files import add_stack
from tenantry.pulumi_internals.environment import NO_LEGACY_WARNING
from tenantry.settings.document import read

SALT = re.compile(r"^(encryptionsalt|encryptedkey|secretsprovider):.*\n?", re.MULTILINE)
"""The lines of a stack file that configure the encryption of its secrets."""


def has_salt(file: Path) -> bool:
    """Tell whether a stack file configures the encryption of its secrets.

    The CLI adds this to a file without it.
    """
    return SALT.search(file.read_text("utf-8")) is not None


def empty_stack(member: Member, project: str, folder: Path) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """Create a backend with an empty stack in a folder. Return environment and arguments for `pulumi`.

    The passphrase is empty, unless the stack file has secrets: they need their own passphrase.
    """
    state = folder / "state"
    add_stack(state, project, member.stack)
    environment = {"PULUMI_BACKEND_URL": f"file://{state}", **NO_LEGACY_WARNING}
    text = member.file.read_text("utf-8")
    if not _has_secret(read(member.file).value):
        text = SALT.sub("", text)
        environment |= {"PULUMI_CONFIG_PASSPHRASE": "", "PULUMI_CONFIG_PASSPHRASE_FILE": ""}
    copy = folder / member.file.name
    copy.write_text(text, "utf-8")
    return environment, ("--config-file", str(copy))


def _has_secret(value: Any) -> bool:
    if isinstance(value, dict):
        return "secure" in value or any(map(_has_secret, value.values()))
    return isinstance(value, list) and any(map(_has_secret, value))
