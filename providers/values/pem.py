"""Public keys and certificates as PEM (RFC 7468): what is wrong with one, and the one form that Qlik takes.

Only the structure is looked at, with the standard library alone: enough to tell a file that was cut off, a
private key, or another kind of key, before anything is sent.
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
FROM_PRIVATE = "openssl pkey -in private.pem -pubout"
INTEGER, SEQUENCE, OBJECT_ID = 0x02, 0x30, 0x06
RSA = bytes.fromhex("2a864886f70d010101")
"""The object identifier rsaEncryption, which a certificate of an RSA key has in it as well."""


def problem(text: str) -> str | None:
    """Return what is wrong with a PEM; None if it is one RSA public key or certificate. The answer never has
    any of the text in it.
    """
    text = _lines(text)
    if "PRIVATE KEY" in text.upper():
        return _private()
    begun = text.count(BEGIN)
    if not begun:
        return "is no PEM: it has no line -----BEGIN PUBLIC KEY----- or -----BEGIN CERTIFICATE-----"
    if begun > 1:
        return f"holds {begun} keys or certificates; Qlik takes one: leave the rest of a chain out"
    block = _first(text)
    if not block:
        return "is cut off: the line -----END …----- is missing"
    label, body, end = block
    if label != end:
        return f"is broken: it begins as {label} and ends as {end}"
    if label not in LABELS:
        return f"is a {label}; Qlik takes a {' or a '.join(LABELS)} (of a private key: {FROM_PRIVATE})"
    return _problem_of(label, _decoded(body))


def one_line(text: str) -> str:
    """Return the key or certificate on one line, as Qlik takes it; text that has none in it as it is."""
    block = _only(text)
    if not block:
        return text
    label, body, end = block
    return f"{BEGIN}{label}-----{''.join(body.split())}{END}{end}-----"


def on_lines(text: str) -> str:
    """Return the key or certificate as files have it, in lines of 64; text that has none in it as it is."""
    block = _only(text)
    if not block:
        return text
    label, body, end = block
    whole = "".join(body.split())
    lines = (whole[at : at + 64] for at in range(0, len(whole), 64))
    return "\n".join((f"{BEGIN}{label}-----", *lines, f"{END}{end}-----", ""))


def content(text: str) -> tuple[str, bytes]:
    """Return what the first key or certificate is, such as "PUBLIC KEY", and its DER; empty for none."""
    block = _first(_lines(text))
    return (block[0], _decoded(block[1]) or b"") if block else ("", b"")


def fingerprint(text: str) -> str:
    """Return a short text that tells this key or certificate from every other."""
    block = _first(_lines(text))
    known = _decoded(block[1]) if block else None
    return f"SHA256:{hashlib.sha256(known or text.encode()).hexdigest()[:16]}"


def _only(text: str) -> tuple[str, str, str] | None:
    """Return the one key or certificate of a text; None if there are several, or none."""
    text = _lines(text)
    return _first(text) if text.count(BEGIN) == 1 else None


def _first(text: str) -> tuple[str, str, str] | None:
    """Return what the first key or certificate begins as, its base64, and what it ends as."""
    label, dashes, rest = text.partition(BEGIN)[2].partition("-----")
    body, end, rest = rest.partition(END)
    ends_as, more_dashes, _ = rest.partition("-----")
    whole = dashes and end and more_dashes and _LABEL.fullmatch(label) and _LABEL.fullmatch(ends_as)
    return (label, body, ends_as) if whole else None


def _lines(text: str) -> str:
    """Read `\\n` as a line break: so it stands in JSON and in variables of the environment."""
    return text.replace("\\r", "").replace("\\n", "\n")


def _decoded(body: str) -> bytes | None:
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except ValueError:  # not base64, or not even ASCII
        return None


def _problem_of(label: str, der: bytes | None) -> str | None:
    if not der:
        return f"is broken: between the lines BEGIN and END there is no base64 of a {label.lower()}"
    outer = list(elements(der))
    if [tag for tag, _ in outer] != [SEQUENCE]:
        return f"is broken: what it holds is no {label.lower()}, or not all of it; copy it again"
    parts = list(elements(outer[0][1]))
    if parts and parts[0][0] == INTEGER:
        return _private()
    if len(parts) != (2 if label == "PUBLIC KEY" else 3) or parts[0][0] != SEQUENCE:
        return f"is broken: what it holds is no {label.lower()}"
    if bytes([OBJECT_ID, len(RSA)]) + RSA not in der:
        return "is no RSA key, and Qlik verifies RS256 alone; make an RSA key of 2048 bits or more"
    return None


def elements(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tag and content of each element of DER; tag 0 for one that is not whole."""
    at = 0
    while at < len(der):
        head = der[at : at + 2]
        size, start = (head[1], at + 2) if len(head) == len(b"TL") else (len(der), at)
        if size > 0x80:
            start += size - 0x80
            size = int.from_bytes(der[at + 2 : start])
        whole = start + size <= len(der)
        yield (der[at] if whole else 0), der[start : start + size]
        at = start + size


def _private() -> str:
    return (
        f"is a private key: give the public one ({FROM_PRIVATE}). The private key belongs to the signer "
        "alone; one that has been where others can read it, such as a repository, must be made anew"
    )


PEM = Limits("an RSA public key or certificate as PEM", problem=problem)
