"""Secrets of a stack, compared without their plain text.

A state and a stack file hold ciphertexts, and two ciphertexts of one secret differ. So a comparison assumes
that each secret of the state equals what the program gives in its place, and records the assumption. After an
`up` by the engine, which decrypts, the assumptions hold for these ciphertexts (`remembered.py`).

The program gets a stand-in for each secret of its configuration, made of its ciphertext in the stack file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from tenantry.fleet.unchanged.doubt import Doubt, must
from tenantry.fleet.unchanged.recorded import canonical
from tenantry.pulumi_internals.deployment import SECRET, SPECIAL

Properties = dict[str, Any]


def is_secret(value: object) -> bool:
    """Whether a property is a secret or has one in it, as a state or the SDK writes it."""
    return SPECIAL in json.dumps(value, default=repr)


def stand_in(ciphertext: object) -> str:
    """Return the text that a program gets instead of a secret."""
    return f"secret-{_digest(ciphertext)}"


def as_secret(value: object) -> Properties:
    """Return a secret as the engine sends it."""
    return {SPECIAL: SECRET, "value": value}


class Assumptions:
    """What one comparison takes to be the same, as it cannot decrypt it."""

    def __init__(self) -> None:
        self._made: set[str] = set()

    def assume(self, where: str, held: object, given: object) -> None:
        """Note that a secret of the state is taken for what the stack file or the program gives.

        Raises Doubt if one of them is no JSON.
        """
        try:
            self._made.add(canonical([where, held, given]))
        except (TypeError, ValueError):
            raise Doubt(f"{where}: a value is none of JSON") from None

    def digest(self) -> str:
        """Return a digest of all assumptions, nothing if there are none."""
        return _digest(sorted(self._made)) if self._made else ""

    def with_assumed_secrets(
        self, where: str, held: Mapping[str, Any], given: Mapping[str, Any]
    ) -> Properties:
        """Return properties of the state in which each secret is the value that the program gives for it.

        A secret that the program gives no value for becomes a stand-in. Raises Doubt if a property is a
        secret on one side alone.
        """
        found: Properties = {}
        for name, value in held.items():
            must(
                name not in given or is_secret(value) == is_secret(given[name]), f"{where}: secrecy of {name}"
            )
            if not is_secret(value):
                found[name] = value
            elif name in given:
                found[name] = plain(given[name])
                self.assume(f"{where} {name}", value, found[name])
            else:
                found[name] = stand_in(value)
        return found


def plain(value: Any) -> Any:
    """Return the value of a secret; any other as it is. The SDK has secrets at the top of a property."""
    return value["value"] if isinstance(value, dict) and value.get(SPECIAL) == SECRET else value


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
