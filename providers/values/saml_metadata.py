"""SAML metadata files and the certificates in them.

Sources: SAML 2.0 metadata (saml-metadata-2.0-os, section 2.4) and RFC 5280, section 4.1.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tenantry.providers.qlik import ConfigurationError
from tenantry.providers.values import pem, plain_files, urls
from tenantry.providers.values.identity_providers import MAX_CERTIFICATES

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

METADATA_BYTES = 1 << 20


class Metadata(NamedTuple):
    """The data of an identity provider in a SAML metadata file."""

    entity_id: str
    sign_on_url: str
    certificates: list[str]


def read_metadata(path: Path) -> Metadata:
    """Return the data in a SAML metadata file. Raises ConfigurationError."""
    try:
        return _metadata(plain_files.read_bytes(path, METADATA_BYTES).decode("utf-8-sig"))
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} is not UTF-8 text") from None
    except ValueError as error:
        raise ConfigurationError(f"{path} {error}") from None


_METADATA = "{urn:oasis:names:tc:SAML:2.0:metadata}"
_SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}"
_BINDINGS = ("HTTP-Redirect", "HTTP-POST")


def _metadata(text: str) -> Metadata:
    from xml.etree import ElementTree

    # A document type could define entities that expand without limit or read other files.
    if re.search(r"<!(DOCTYPE|ENTITY)", text, re.IGNORECASE):
        raise ValueError("has a document type (DOCTYPE); remove it")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - no document type, so no entities
    except ElementTree.ParseError as error:
        raise ValueError(f"is not XML: {error}") from None
    entity = next(
        (
            descriptor
            for descriptor in root.iter(f"{_METADATA}EntityDescriptor")
            if _idp(descriptor) is not None
        ),
        None,
    )
    if entity is None:
        raise ValueError("is not the SAML metadata of an identity provider: it has no IDPSSODescriptor")
    descriptor = _idp(entity)
    entity_id, sign_on_url = entity.get("entityID", ""), _sign_on_url(descriptor)
    if not entity_id:
        raise ValueError("has no entityID")
    if problem := urls.problem(sign_on_url):
        raise ValueError(f"has no sign-on address (SingleSignOnService) that Qlik accepts: {problem}")
    certificates = list(dict.fromkeys(_certificates(descriptor)))
    if not 1 <= len(certificates) <= MAX_CERTIFICATES:
        raise ValueError(
            f"has {len(certificates)} signing certificates; Qlik accepts 1 to {MAX_CERTIFICATES}"
        )
    for certificate in certificates:
        certificate_expiry(certificate)
    return Metadata(entity_id, sign_on_url, certificates)


def _idp(entity: Element) -> Element | None:
    return entity.find(f"{_METADATA}IDPSSODescriptor")


def _sign_on_url(descriptor: Element | None) -> str:
    services = [] if descriptor is None else descriptor.findall(f"{_METADATA}SingleSignOnService")
    for binding in _BINDINGS:
        for service in services:
            if service.get("Binding", "").endswith(f":{binding}"):
                return service.get("Location", "")
    return ""


def _certificates(descriptor: Element | None) -> Iterator[str]:
    for key in [] if descriptor is None else descriptor.findall(f"{_METADATA}KeyDescriptor"):
        if key.get("use") != "encryption":
            for certificate in key.iter(f"{_SIGNATURE}X509Certificate"):
                yield plain(certificate.text or "")


def plain(certificate: str) -> str:
    """Return the base64 of a certificate on one line, without the lines BEGIN and END."""
    return "".join(re.sub(r"-----[A-Z ]{1,40}-----", "", certificate).split())


def certificate_expiry(certificate: str) -> datetime:
    """Return the end of validity of a certificate, in UTC. Raises ValueError if it is not a certificate.

    `certificate` is the base64 of its DER form. Source: RFC 5280, section 4.1.
    """
    import ssl

    try:
        der = base64.b64decode(certificate, validate=True)
        ssl.create_default_context().load_verify_locations(cadata=der)
        return _end_of_validity(der)
    except (ValueError, IndexError, ssl.SSLError):
        raise ValueError("has a certificate that cannot be read; export the file again") from None


def _end_of_validity(der: bytes) -> datetime:
    """Return `notAfter` of a certificate in DER form."""
    [(_, certificate)] = pem.elements(der)
    (_, to_be_signed), *_ = pem.elements(certificate)
    members = [content for tag, content in pem.elements(to_be_signed) if tag != _VERSION]
    tag, text = list(pem.elements(members[_VALIDITY]))[1]
    time = text.decode("ascii")
    if tag == _UTC_TIME:  # the year has two digits, and 50 to 99 mean the last century
        time = ("19" if time[:2] >= "50" else "20") + time
    return datetime.strptime(time, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


_VERSION, _UTC_TIME = 0xA0, 0x17
_VALIDITY = 3
"""The index of the validity in the signed part, without the version."""
