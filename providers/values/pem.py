"""Public keys and certificates as PEM (RFC 7468): checks, and the form that Qlik accepts.

Only the structure is checked, with the standard library. This detects truncated files, private keys and keys
of the wrong type before anything is sent.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator

from tenantry.providers.values.limits import Limits

BEGIN, END = "-----BEGIN ", "-----END "
_LABEL = re.compile("[A-Z0-9 ]{1,64}")
LABELS = ("PUBLIC KEY", "CERTIFICATE")

EXTRACT_PUBLIC_KEY = "openssl pkey -in private.pem -pubout"
"""The command that prints the public key of a private key."""

INTEGER, SEQUENCE, OBJECT_ID = 0x02, 0x30, 0x06
"""Tags of DER elements."""

RSA = bytes.fromhex("2a864886f70d010101")
"""The object identifier rsaEncryption, which a certificate of an RSA key also contains."""


def problem(text: str) -> str | None:
    """Return what is wrong with a PEM. None if it is exactly one RSA public key or certificate.

    The result never contains any of the text.
    """
    text = _lines(text)
    if "PRIVATE KEY" in text.upper():
        return _private()
    number = text.count(BEGIN)
    if not number:
        return "is not PEM: the line -----BEGIN PUBLIC KEY----- or -----BEGIN CERTIFICATE----- is missing"
    if number > 1:
        return f"contains {number} keys or certificates; Qlik accepts one: remove the rest of the chain"
    block = _first(text)
    if not block:
        return "is cut off: the line -----END …----- is missing"
    label, body, end = block
    if label != end:
        return f"is damaged: it begins as {label} and ends as {end}"
    if label not in LABELS:
        return (
            f"is a {label}; Qlik accepts a {' or a '.join(LABELS)} (from a private key: {EXTRACT_PUBLIC_KEY})"
        )
    return _problem_of(label, _decoded(body))


def one_line(text: str) -> str:
    """Return the key or certificate on one line, as Qlik requires. Return other text unchanged."""
    block = _only(text)
    if not block:
        return text
    label, body, end = block
    return f"{BEGIN}{label}-----{''.join(body.split())}{END}{end}-----"


def on_lines(text: str) -> str:
    """Return the key or certificate in lines of 64 characters, as in files. Return other text unchanged."""
    block = _only(text)
    if not block:
        return text
    label, body, end = block
    base64_text = "".join(body.split())
    lines = (base64_text[start : start + 64] for start in range(0, len(base64_text), 64))
    return "\n".join((f"{BEGIN}{label}-----", *lines, f"{END}{end}-----", ""))


def content(text: str) -> tuple[str, bytes]:
    """Return the label of the first key or certificate, such as "PUBLIC KEY", and its DER.

    Both are empty if the text has none.
    """
    block = _first(_lines(text))
    return (block[0], _decoded(block[1]) or b"") if block else ("", b"")


def fingerprint(text: str) -> str:
    """Return a short fingerprint of the key or certificate."""
    block = _first(_lines(text))
    der = _decoded(block[1]) if block else None
    return f"SHA256:{hashlib.sha256(der or text.encode()).hexdigest()[:16]}"


def _only(text: str) -> tuple[str, str, str] | None:
    """Return the only key or certificate of a text. None if there are several or none."""
    text = _lines(text)
    return _first(text) if text.count(BEGIN) == 1 else None


def _first(text: str) -> tuple[str, str, str] | None:
    """Return the BEGIN label, the base64 and the END label of the first key or certificate."""
    label, dashes, rest = text.partition(BEGIN)[2].partition("-----")
    body, end, rest = rest.partition(END)
    end_label, end_dashes, _ = rest.partition("-----")
    is_complete = dashes and end and end_dashes and _LABEL.fullmatch(label) and _LABEL.fullmatch(end_label)
    return (label, body, end_label) if is_complete else None


def _lines(text: str) -> str:
    """Replace `\\n` by a line break, because JSON and environment variables use it."""
    return text.replace("\\r", "").replace("\\n", "\n")


def _decoded(body: str) -> bytes | None:
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except ValueError:  # not base64, or not even ASCII
        return None


def _problem_of(label: str, der: bytes | None) -> str | None:
    if not der:
        return f"is damaged: there is no base64 of a {label.lower()} between the lines BEGIN and END"
    outer = list(elements(der))
    if [tag for tag, _ in outer] != [SEQUENCE]:
        return f"is damaged: the content is not a complete {label.lower()}; copy it again"
    parts = list(elements(outer[0][1]))
    if parts and parts[0][0] == INTEGER:
        return _private()
    if len(parts) != (2 if label == "PUBLIC KEY" else 3) or parts[0][0] != SEQUENCE:
        return f"is damaged: the content is not a {label.lower()}"
    if bytes([OBJECT_ID, len(RSA)]) + RSA not in der:
        return "is not an RSA key, and Qlik only verifies RS256; create an RSA key of 2048 bits or more"
    return None


def elements(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the tag and content of each DER element. The tag is 0 if the element is incomplete."""
    at = 0
    while at < len(der):
        head = der[at : at + 2]
        size, start = (head[1], at + 2) if len(head) == len(b"TL") else (len(der), at)
        if size > 0x80:
            start += size - 0x80
            size = int.from_bytes(der[at + 2 : start])
        is_complete = start + size <= len(der)
        yield (der[at] if is_complete else 0), der[start : start + size]
        at = start + size


def _private() -> str:
    return (
        f"is a private key, and the public key is required ({EXTRACT_PUBLIC_KEY}). Only the signer may have "
        "the private key. Replace it if others could read it, for example in a repository"
    )


PEM = Limits("an RSA public key or certificate as PEM", problem=problem)
