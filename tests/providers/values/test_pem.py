"""Problems of PEM texts. Their messages show no part of the text."""

from __future__ import annotations

import base64

import pytest

from tenantry.providers.values.pem import fingerprint, one_line, problem
from tests.keys import public_pem
from tests.pems import PRIVATE_FORMATS, certificate, elliptic_pem, encrypted_pem, pkcs1_pem, private_pem

PUBLIC = public_pem()
BODY = "".join(PUBLIC.splitlines()[1:-1])


def relabel(pem: str, old: str, new: str) -> str:
    return pem.replace(f" {old}-----", f" {new}-----")


def wrap(der: bytes) -> str:
    return f"-----BEGIN PUBLIC KEY-----\n{base64.b64encode(der).decode()}\n-----END PUBLIC KEY-----\n"


@pytest.mark.parametrize("text", [PUBLIC, certificate()], ids=["public key", "certificate"])
def test_a_public_key_or_certificate_is_accepted(text: str) -> None:
    assert problem(text) is None
    assert problem(one_line(text)) is None


PRIVATE = {
    **{form: private_pem(form) for form in PRIVATE_FORMATS},
    "encrypted": encrypted_pem(),
    "on one line": private_pem().replace("\n", "\\n"),
    "with its certificate": certificate() + private_pem(),
    "labelled as a public key": relabel(private_pem(), "PRIVATE KEY", "PUBLIC KEY"),
    "label in mixed case": relabel(private_pem(), "PRIVATE KEY", "Private Key"),
    "cut off": private_pem()[:200],
}


@pytest.mark.parametrize("text", PRIVATE.values(), ids=PRIVATE)
def test_a_private_key_is_refused_and_not_shown(text: str) -> None:
    message = problem(text) or ""
    assert "is a private key" in message
    assert "openssl pkey" in message
    secrets = [line for line in private_pem().splitlines() if not line.startswith("-----")]
    assert not any(line[:20] in message for line in secrets)


BROKEN = {
    "": "is not PEM",
    "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ": "is not PEM",
    BODY: "is not PEM",
    PUBLIC.replace("-----END PUBLIC KEY-----", ""): "cut off",
    PUBLIC[: len(PUBLIC) // 2]: "cut off",
    PUBLIC + public_pem("two"): "contains 2 keys or certificates",
    relabel(PUBLIC, "PUBLIC KEY", "CERTIFICATE"): "is not a certificate",
    relabel(certificate(), "CERTIFICATE", "PUBLIC KEY"): "is not a public key",
    PUBLIC.replace("END PUBLIC KEY", "END CERTIFICATE"): "begins as PUBLIC KEY and ends as CERTIFICATE",
    PUBLIC.replace(BODY[64:128], "!" * 64): "no base64",
    PUBLIC.replace(BODY[:64], ""): "is damaged",
    PUBLIC.replace(BODY[128:192] + "\n", ""): "not a complete",
    wrap(b""): "no base64",
    wrap(b"\x30"): "is damaged",
    wrap(b"\x30\x84\xff\xff\xff\xff"): "is damaged",
    wrap(b"hello"): "is damaged",
    pkcs1_pem(): "is a RSA PUBLIC KEY; Qlik accepts a PUBLIC KEY or a CERTIFICATE",
    elliptic_pem(): "is not an RSA key",
}


@pytest.mark.parametrize(
    ("text", "message"), BROKEN.items(), ids=[f"{n}: {message}" for n, message in enumerate(BROKEN.values())]
)
def test_an_invalid_pem_is_refused_and_not_shown(text: str, message: str) -> None:
    found = problem(text) or ""
    assert message in found
    assert BODY[:10] not in found


def test_the_one_line_form_is_the_same_key() -> None:
    line = one_line(PUBLIC)
    assert line == f"-----BEGIN PUBLIC KEY-----{BODY}-----END PUBLIC KEY-----"
    assert one_line(line) == line
    assert fingerprint(line) == fingerprint(PUBLIC)
    assert fingerprint(PUBLIC) != fingerprint(public_pem("two"))
    assert one_line("no key at all") == "no key at all"
