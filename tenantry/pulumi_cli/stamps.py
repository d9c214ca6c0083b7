"""What has been finished in a virtual environment, so that a second run has nothing to do."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from tenantry.pulumi_cli.steps import write


class Stamps:
    """The finished steps of one virtual environment.

    A stamp is a digest of everything that a step was made from. It is written after the step, and it is kept
    in the environment: after a kill, or in a checkout that was moved, the next run does what is missing.
    """

    def __init__(self, venv: Path) -> None:
        self._file = venv / "tenantry-setup.json"
        self._venv = venv
        try:
            self._stamps: dict[str, str] = json.loads(self._file.read_text("utf-8"))
        except (OSError, ValueError):
            self._stamps = {}

    def digest(self, *files: Path) -> str:
        """Return the digest of the content of `files` for this environment at this place."""
        total = hashlib.sha256(str(self._venv).encode())
        for file in files:
            total.update(file.read_bytes())
        return total.hexdigest()

    def fresh(self, name: str, digest: str) -> bool:
        """Tell whether the step `name` was finished with exactly this digest."""
        return self._stamps.get(name) == digest

    def put(self, name: str, digest: str) -> None:
        """Note that the step `name` is finished."""
        self._stamps[name] = digest
        write(self._file, json.dumps(self._stamps, indent=2) + "\n")
