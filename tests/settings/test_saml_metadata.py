"""SAML metadata files: the properties that they supply, and their problems."""

from __future__ import annotations

import pytest

from tenantry.providers.values.saml_metadata import plain
from tests.pems import certificate, expired_certificate, private_pem
from tests.settings.conftest import Folder
from tests.settings.test_oidc_identity_providers import HEAD, OIDC

CLAIMS = "{sub: [id], name: [cn], email: [mail], groups: [groups], picture: [photo]}"
ENTRY = f"{{provider: okta, metadata_file: idp.xml, claims_mapping: {CLAIMS}}}"
BLOCK = f"saml_identity_providers: {{Login: {ENTRY}}}"
PLACE = "stacks/Pulumi.globex.yaml:6: customer.saml_identity_providers.Login.metadata_file: "
BINDING = "urn:oasis:names:tc:SAML:2.0:bindings:"


def metadata(*certificates: str, use: str = "signing", url: str = "https://login.example/sso") -> str:
    """Return the text of a metadata file like the ones that identity providers export."""
    keys = "".join(
        f"""<md:KeyDescriptor use="{use}"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>
        {plain(certificate_)}
        </ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"""
        for certificate_ in certificates
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"
    xmlns:ds="http://www.w3.org/2000/09/xmldsig#">
  <md:EntityDescriptor entityID="https://sp.example"><md:SPSSODescriptor/></md:EntityDescriptor>
  <md:EntityDescriptor entityID="https://login.example">
    <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
      {keys}
      <md:SingleSignOnService Binding="{BINDING}HTTP-POST" Location="https://login.example/post"/>
      <md:SingleSignOnService Binding="{BINDING}HTTP-Redirect" Location="{url}"/>
    </md:IDPSSODescriptor>
  </md:EntityDescriptor>
</md:EntitiesDescriptor>"""


def test_the_resource_gets_the_identity_provider_of_the_file(folder: Folder) -> None:
    """It gets the address for the redirect binding and all certificates for signing."""
    text = metadata(certificate(), expired_certificate(), certificate())
    (folder.path / "idp.xml").write_text("\ufeff" + text)
    properties = folder.write(BLOCK).customer().saml_identity_providers["Login"].resource_properties()
    assert properties["entity_id"] == "https://login.example"
    assert properties["sign_on_url"] == "https://login.example/sso"
    assert properties["certificates"] == [plain(certificate()), plain(expired_certificate())]
    assert "metadata_file" not in properties


DOCTYPE = '<!DOCTYPE x [<!ENTITY a "b">]>'


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot be read: No such file or directory"),
        ("<a", "is not XML: "),
        ("<a/>", "it has no IDPSSODescriptor"),
        (metadata(certificate()).replace("<md:Entities", f"{DOCTYPE}<md:Entities", 1), "remove it"),
        (metadata(), "has 0 signing certificates"),
        (metadata(certificate(), use="encryption"), "has 0 signing certificates"),
        (metadata(private_pem()), "has a certificate that cannot be read"),
        (metadata("nonsense"), "has a certificate that cannot be read"),
        (metadata(certificate()[:200]), "has a certificate that cannot be read"),
        (metadata(certificate(), url="http://login.example/sso"), "has no sign-on address"),
        (metadata(certificate()).replace('https://login.example"', '"'), "has no entityID"),
        (metadata(certificate()) + " " * (1 << 20), "it has more than 1,048,576 bytes"),
    ],
)
def test_an_invalid_file_is_refused(folder: Folder, content: str | None, problem: str) -> None:
    """The problem is one line with its place. It shows nothing from the file except URLs."""
    if content is not None:
        (folder.path / "idp.xml").write_text(content)
    [line] = folder.write(BLOCK).problems()
    assert line.startswith(f"{PLACE}{folder.path / 'idp.xml'} ")
    assert problem in line


def test_a_file_in_another_encoding_is_refused(folder: Folder) -> None:
    (folder.path / "idp.xml").write_bytes(metadata(certificate()).encode("utf-16"))
    [line] = folder.write(BLOCK).problems()
    assert line.endswith("idp.xml is not UTF-8 text")


def test_a_second_provider_of_another_protocol_is_refused(folder: Folder) -> None:
    """A tenant has at most one interactive identity provider."""
    (folder.path / "idp.xml").write_text(metadata(certificate()))
    problems = folder.write(f"{BLOCK}\noidc_identity_providers: {{A: {OIDC}}}", head=HEAD).problems()
    assert problems == [
        (
            "stacks/Pulumi.globex.yaml:7: customer.saml_identity_providers.Login: users already log in with "
            '"A" of oidc_identity_providers; a tenant has one interactive provider'
        )
    ]
