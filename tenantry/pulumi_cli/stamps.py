"""The finished installation steps of a virtual environment, so that a second run skips them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from tenantry.pulumi_cli.steps import write


class Stamps:
    """The finished steps of one virtual environment.

    A stamp is a digest of all inputs of a step. It is written after the step and kept in the environment.
    After a kill, or after a move of the checkout, the next run repeats the missing steps.
    """

    def __init__(self, venv: Path) -> None:
        self._file = venv / "tenantry-setup.json"
        self._venv = venv
        try:
            self._stamps: dict[str, str] = json.loads(self._file.read_text("utf-8"))
        except (OSError, ValueError):
            self._stamps = {}

    def digest(self, *files: Path) -> str:
        """Return the digest of `files` and the path of this environment."""
        total = hashlib.sha256(str(self._venv).encode())
        for file in files:
            total.update(file.read_bytes())
        return total.hexdigest()

    def fresh(self, name: str, digest: str) -> bool:
        """Tell whether the step `name` was finished with this digest."""
        return self._stamps.get(name) == digest

    def put(self, name: str, digest: str) -> None:
        """Record that the step `name` is finished."""
        self._stamps[name] = digest
        write(self._file, json.dumps(self._stamps, indent=2) + "\n")
