"""Whether a passphrase decrypts the secrets of a stack file.

Relies on: the passphrase is in PULUMI_CONFIG_PASSPHRASE, or in the file PULUMI_CONFIG_PASSPHRASE_FILE,
without leading and trailing space. `encryptionsalt` is `v1:SALT:v1:NONCE:TEXT`, in Base64. TEXT is the word
"pulumi", encrypted with AES-256-GCM; the key is PBKDF2 with SHA-256 of the passphrase and SALT, in 1,000,000
rounds.

Verified with: CLI 3.259.0.

When it breaks: `tenantry doctor` says that it could not test the passphrase, and the engine runs each stack.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path

ROUNDS = 1_000_000
WORD = b"pulumi"

VARIABLE = "PULUMI_CONFIG_PASSPHRASE"
FILE_VARIABLE = "PULUMI_CONFIG_PASSPHRASE_FILE"


def from_environment(environment: Mapping[str, str]) -> str | None:
    """Return the passphrase in an environment, as `pulumi` reads it; None if there is none.

    Raises OSError and UnicodeDecodeError for a file that cannot be read.
    """
    if VARIABLE in environment:
        return environment[VARIABLE]
    file = environment.get(FILE_VARIABLE)
    return Path(file).read_text("utf-8").strip() if file else None


def matches(passphrase: str, encryption_salt: str) -> bool | None:
    """Tell whether a passphrase matches the `encryptionsalt` of a stack file; None if that is unknown.

    It takes about half a second.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        outer, salt, inner, nonce, text = encryption_salt.split(":")
        if (outer, inner) != ("v1", "v1"):
            return None
        parts = [base64.b64decode(part, validate=True) for part in (salt, nonce, text)]
        key = hashlib.pbkdf2_hmac("sha256", passphrase.encode(), parts[0], ROUNDS, 32)
        return AESGCM(key).decrypt(parts[1], parts[2], None) == WORD
    except ValueError:
        return None
    except InvalidTag:
        return False
