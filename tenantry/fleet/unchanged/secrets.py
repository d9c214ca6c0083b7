"""The comparison of a stack's secrets without their plain text.

A state and a stack file contain ciphertexts, and two ciphertexts of the same secret differ. So a comparison
assumes that each secret of the state equals the program's value, and records the assumption. The engine
decrypts the secrets in an `up`. After that, the assumptions hold for these ciphertexts (`remembered.py`).

The program gets a stand-in for each secret of its configuration, derived from the ciphertext in the stack
file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from tenantry.fleet.unchanged.doubt import Doubt, require
from tenantry.fleet.unchanged.recorded import canonical
from tenantry.pulumi_internals.deployment import SECRET, SPECIAL

Properties = dict[str, Any]


def is_secret(value: object) -> bool:
    """Tell whether a property is or contains a secret, as a state or the SDK writes it."""
    return SPECIAL in json.dumps(value, default=repr)


def stand_in(ciphertext: object) -> str:
    """Return the text that a program gets in place of a secret."""
    return f"secret-{_digest(ciphertext)}"


def as_secret(value: object) -> Properties:
    """Return a secret as the engine sends it."""
    return {SPECIAL: SECRET, "value": value}


class Assumptions:
    """The secrets that one comparison assumes to be the same, because it cannot decrypt them."""

    def __init__(self) -> None:
        self._assumed: set[str] = set()

    def assume(self, path: str, recorded_value: object, value: object) -> None:
        """Record the assumption that a secret of the state equals the value of the stack file or the program.

        Raises Doubt if one of them is not valid JSON.
        """
        try:
            self._assumed.add(canonical([path, recorded_value, value]))
        except (TypeError, ValueError):
            raise Doubt(f"{path}: a value is not valid JSON") from None

    def digest(self) -> str:
        """Return a digest of all assumptions, or an empty string."""
        return _digest(sorted(self._assumed)) if self._assumed else ""

    def with_assumed_secrets(
        self, path: str, recorded: Mapping[str, Any], program: Mapping[str, Any]
    ) -> Properties:
        """Return properties of the state, with each secret replaced by the program's value for it.

        A secret without a value in the program is replaced by a stand-in. Raises Doubt if a property is a
        secret on one side only.
        """
        result: Properties = {}
        for name, value in recorded.items():
            require(
                name not in program or is_secret(value) == is_secret(program[name]),
                f"{path}: secrecy of {name} differs",
            )
            if not is_secret(value):
                result[name] = value
            elif name in program:
                result[name] = plain(program[name])
                self.assume(f"{path} {name}", value, result[name])
            else:
                result[name] = stand_in(value)
        return result


def plain(value: Any) -> Any:
    """Return the plain value of a property. The SDK marks secrets only at the top of a property."""
    return value["value"] if isinstance(value, dict) and value.get(SPECIAL) == SECRET else value


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
