"""A certificate for Qlik's host names, and the authority that vouches for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tenantry.emulator.hosts import DATACENTERS, DOMAIN

CA_FILE = "emulator-ca.pem"
YEARS = timedelta(days=3650)


def certificate(folder: Path) -> dict[str, Any]:
    """Make a key, a certificate and its authority, once per folder.

    The authority's key is thrown away: nobody can have it vouch for anything else.

    Args:
        folder: gets `emulator-ca.pem` to be trusted by clients, `emulator.pem` and `emulator.key`.

    Returns:
        uvicorn's options.
    """
    ca_file, certificate_file, key_file = (
        folder / name for name in (CA_FILE, "emulator.pem", "emulator.key")
    )
    if not key_file.exists():
        authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Qlik Cloud emulator CA")])
        authority = _builder(name, name, authority_key.public_key())
        authority = authority.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        authority = authority.add_extension(_usage(signs_certificates=True), critical=True)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, DOMAIN)])
        leaf = _builder(subject, name, key.public_key())
        leaf = leaf.add_extension(x509.SubjectAlternativeName(_names()), critical=False)
        leaf = leaf.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        leaf = leaf.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
        )
        ca_file.write_bytes(_pem(authority.sign(authority_key, hashes.SHA256())))
        certificate_file.write_bytes(_pem(leaf.sign(authority_key, hashes.SHA256())))
        key_file.touch(mode=0o600)
        key_file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    return {"ssl_certfile": str(certificate_file), "ssl_keyfile": str(key_file)}


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=key)
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + YEARS)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _names() -> list[x509.GeneralName]:
    wildcards = [f"*.{region}.{DOMAIN}" for region in DATACENTERS]
    return [x509.DNSName(name) for name in (*wildcards, f"console.{DOMAIN}", "localhost")]


def _pem(signed: x509.Certificate) -> bytes:
    return signed.public_bytes(serialization.Encoding.PEM)
