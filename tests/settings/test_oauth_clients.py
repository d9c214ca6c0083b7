"""OAuth clients in a stack file."""

from __future__ import annotations

from tests.settings.conftest import Folder

FILE = "stacks/Pulumi.globex.yaml"


def test_all_problems_are_reported_at_once_with_their_lines(folder: Folder) -> None:
    problems = folder.write(
        """
        oauth_clients:
          Server:
            app_type: web
            redirect_uris: ["http://portal.example/callback"]
            origins: ["https://portal.example"]
            grant_types: [password]
            consent: given
            secret_version: 0
          Page:
            app_type: spa
            redirect_uris:
              - https://portal.example/callback
              - myapp:/callback
              - http://portal.example
            origins: ["https://portal.example/page"]
            grant_types: [client_credentials]
            secret_version: 2
          Other:
            name: Page
            app_type: m2m
          Third:
            name: Page
            app_type: native
            origins: ["https://portal.example"]
        """
    ).problems()
    output = "\n".join(problems)
    for line, words in {
        9: 'Server.redirect_uris: "http://portal.example/callback" is not https',
        11: 'Server.grant_types[0]: "password" is not a grant type; allowed: client_credentials, urn:',
        12: "Server.consent",
        13: "secret_version: 0 is out of range; allowed: 1 to 1000000",
        18: 'Page.redirect_uris: "myapp:/callback" is not an address with https',
        19: 'Page.redirect_uris: "http://portal.example" is not https',
        20: "Page.origins",
        21: "Page.grant_types: only a web client can have grant types, and this one is spa",
        22: "Page.secret_version: only a web client has a secret, but this one is spa",
        25: "Other.app_type",
        29: "Third.origins: only a spa client",
    }.items():
        assert any(problem.startswith(f"{FILE}:{line}:") and words in problem for problem in problems), (
            line,
            output,
        )
    assert any("name" in problem and "is taken by OAuth client" in problem for problem in problems), output


def test_the_resource_gets_all_properties(folder: Folder) -> None:
    text = "oauth_clients: {Portal: {app_type: spa, origins: ['https://a.example'], scopes: [user_default]}}"
    assert folder.write(text).customer().oauth_clients["Portal"].resource_properties() == {
        "name": "Portal",
        "app_type": "spa",
        "redirect_uris": [],
        "allowed_origins": ["https://a.example"],
        "allowed_scopes": ["user_default"],
        "allowed_grant_types": [],
        "consent": "required",
        "secret_version": 1,
    }
