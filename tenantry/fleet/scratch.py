"""A backend that exists for one preview: the stack of a new customer is in no other yet."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tenantry.fleet.members import Member
from tenantry.settings.document import read

SALT = re.compile(r"^(encryptionsalt|encryptedkey|secretsprovider):.*\n?", re.MULTILINE)
"""The lines of a stack file that say how its secrets are encrypted."""


def has_salt(file: Path) -> bool:
    """Whether a stack file says how its secrets are encrypted; the CLI writes it into one that does not."""
    return SALT.search(file.read_text("utf-8")) is not None


def add_stack(state: Path, project: str, stack: str) -> None:
    """Put a stack with nothing in it into a backend in a folder, as `pulumi stack init` does.

    No stack file is looked at, nor a salt written into one: the first command does that.
    """
    stacks = state / ".pulumi" / "stacks" / project
    stacks.mkdir(mode=0o700, parents=True, exist_ok=True)
    (state / ".pulumi" / "meta.yaml").write_text("version: 1\n")
    checkpoint = {"version": 3, "checkpoint": {"stack": f"organization/{project}/{stack}"}}
    (stacks / f"{stack}.json").write_text(json.dumps(checkpoint))


def empty_stack(member: Member, project: str, folder: Path) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """Make a backend in a folder, with the stack in it and nothing in that; return environment and arguments.

    The passphrase is empty, unless the stack file has secrets, which need the one that they were made with.
    """
    state = folder / "state"
    add_stack(state, project, member.stack)
    environment = {"PULUMI_BACKEND_URL": f"file://{state}", "PULUMI_DIY_BACKEND_NO_LEGACY_WARNING": "true"}
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
