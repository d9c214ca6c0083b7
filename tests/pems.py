"""Keys and certificates as PEM, including unsupported kinds. They are created in each process."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import NameOID

from tests.keys import key

PRIVATE_FORMATS = {
    "PKCS#8": PrivateFormat.PKCS8,
    "PKCS#1": PrivateFormat.TraditionalOpenSSL,
    "OpenSSH": PrivateFormat.OpenSSH,
}


def private_pem(format: str = "PKCS#8") -> str:
    """Return a private key."""
    return key().private_bytes(Encoding.PEM, PRIVATE_FORMATS[format], NoEncryption()).decode()


def encrypted_pem() -> str:
    """Return an encrypted private key."""
    encryption = BestAvailableEncryption(b"passphrase")
    return key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()


def pkcs1_pem() -> str:
    """Return an RSA public key in the older format."""
    return key().public_key().public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode()


def elliptic_pem() -> str:
    """Return a public key that is not an RSA key."""
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@cache
def certificate() -> str:
    """Return a self-signed certificate that is valid for a day."""
    return _certificate(datetime.now(UTC))


@cache
def expired_certificate() -> str:
    """Return a certificate that expired a day ago."""
    return _certificate(datetime.now(UTC) - timedelta(days=2))


def _certificate(valid_from: datetime) -> str:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "signer")])
    valid_until = valid_from + timedelta(days=1)
    unsigned = x509.CertificateBuilder(subject, subject, key().public_key(), 1, valid_from, valid_until)
    return unsigned.sign(key(), hashes.SHA256()).public_bytes(Encoding.PEM).decode()
