"""RSA keys that sign users' tokens. Private keys never leave this machine."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import jwt
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
)

from tenantry.errors import TenantryError
from tenantry.providers.values import pem

BITS = 3072
ALGORITHM = "RS256"


class UnusableKey(TenantryError):
    """A file has no private key that can sign. The message never contains content of the file."""


def create_pair(private: Path, public: Path) -> str:
    """Write a new key pair into two files, and return its key id. Only the owner can read the private file.

    Raises FileExistsError before anything is written if a file exists, and OSError if one cannot be written.
    """
    for file in (private, public):
        if file.exists() or file.is_symlink():
            raise FileExistsError(file)
    key = rsa.generate_private_key(65537, BITS)
    _write(private, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), mode=0o600)
    _write(public, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), mode=0o644)
    return key_id(key.public_key())


def key_id(key: rsa.RSAPublicKey) -> str:
    """Return a short id of the key: the first digits of its SHA-256."""
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()[:16]


def read_private(file: Path) -> rsa.RSAPrivateKey:
    """Return the private key in a PEM file. Raises UnusableKey."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UnusableKey(f"{file} cannot be read: {error.strerror}") from None
    try:
        key = load_pem_private_key(content, password=None)
    except TypeError:
        raise UnusableKey(
            f"{file} is encrypted. Decrypt it first (openssl pkey -in FILE -out PLAIN)"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        public = b"-----BEGIN PUBLIC KEY" in content or b"-----BEGIN CERTIFICATE" in content
        problem = (
            "is a public key; the private key is required" if public else "is not a private key in PEM format"
        )
        raise UnusableKey(f"{file} {problem}") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise UnusableKey(f"{file} is not an RSA key; Qlik verifies only {ALGORITHM}")
    return key


def is_public_half(text: str, key: rsa.RSAPrivateKey) -> bool:
    """Tell whether a PEM text is the public key, or a certificate of the public key, of this private key."""
    label, der = pem.content(text)
    try:
        public: Any = _certified_key(der) if label == "CERTIFICATE" else load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm):
        return False
    return (
        isinstance(public, rsa.RSAPublicKey) and public.public_numbers() == key.public_key().public_numbers()
    )


def sign(key: rsa.RSAPrivateKey, kid: str, claims: dict[str, Any]) -> str:
    """Return a signed JWT with these claims."""
    return jwt.encode(claims, key, algorithm=ALGORITHM, headers={"kid": kid})


def _certified_key(certificate: bytes) -> Any:
    return x509.load_der_x509_certificate(certificate).public_key()


def _write(file: Path, content: bytes, *, mode: int) -> None:
    """Create a file that has the permissions `mode` from the start."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
