"""How a stack file shows whether a passphrase is the one that its secrets are encrypted with.

Relies on: the passphrase is in PULUMI_CONFIG_PASSPHRASE, or in the file that PULUMI_CONFIG_PASSPHRASE_FILE
names, without the space around it. `encryptionsalt` is `v1:SALT:v1:NONCE:TEXT`, in Base64. TEXT is the word
"pulumi", encrypted with AES-256-GCM; the key is PBKDF2 with SHA-256 of the passphrase and SALT, in 1,000,000
rounds.

Seen to hold: CLI 3.259.0.

When it breaks: `tenantry doctor` says that it cannot tell, and the engine looks at each stack.
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


def given(environment: Mapping[str, str]) -> str | None:
    """Return the passphrase that `pulumi` has in an environment; None if there is none.

    Raises OSError and UnicodeDecodeError for a file that cannot be read.
    """
    if VARIABLE in environment:
        return environment[VARIABLE]
    file = environment.get(FILE_VARIABLE)
    return Path(file).read_text("utf-8").strip() if file else None


def fits(passphrase: str, encryption_salt: str) -> bool | None:
    """Tell whether a passphrase fits the `encryptionsalt` of a stack file; None if that cannot be told.

    It takes about half a second.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        outer, salt, inner, nonce, text = encryption_salt.split(":")
        if (outer, inner) != ("v1", "v1"):
            return None
        parts = [base64.b64decode(each, validate=True) for each in (salt, nonce, text)]
        key = hashlib.pbkdf2_hmac("sha256", passphrase.encode(), parts[0], ROUNDS, 32)
        return AESGCM(key).decrypt(parts[1], parts[2], None) == WORD
    except ValueError:
        return None
    except InvalidTag:
        return False
