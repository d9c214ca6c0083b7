"""Webhooks in a stack file. No problem shows a secret."""

from __future__ import annotations

from tests.settings.conftest import HEAD, Folder

FILE = "stacks/Pulumi.globex.yaml"
SECRET = "hunter2-of-globex"
SECRET_LINES = "  tenantry:secrets_signing:\n    secure: v1:abc:def\n"


def test_a_webhook_names_secrets_of_the_stack(folder: Folder) -> None:
    head = HEAD.replace("config:\n", f"config:\n{SECRET_LINES}")
    entry = (
        "webhooks: {Portal: {url: 'https://p.example', event_types: [e], secret: signing, "
        "encrypted_headers: {X-Key: signing}}}"
    )
    webhook = folder.write(entry, head=head).customer().webhooks["Portal"]
    assert (webhook.name, webhook.secret, webhook.encrypted_headers) == (
        "Portal",
        "signing",
        {"X-Key": "signing"},
    )


def test_all_problems_are_reported_at_once_without_secrets(folder: Folder) -> None:
    """Each problem has its line. A value that may be a secret is not shown."""
    problems = folder.write(
        f"""
        webhooks:
          Portal:
            url: https://me:{SECRET}@portal.example
            event_types: []
            secret: missing
            secret_version: 0
            headers:
              Authorization: {SECRET}
              X-Tenant: globex
              x-tenant: initech
            encrypted_headers:
              X-Key: missing
              X-Bad: "no name"
          Other:
            name: Portal
            url: https://portal.example
            event_types: [e]
            description: {"x" * 1025}
            headers:
              X-Key: "1"
            encrypted_headers:
              x-key: "{SECRET} 2"
          Last:
            url: https://portal.example
        """
    ).problems()
    output = "\n".join(problems)
    assert SECRET not in output
    for line, words in {
        8: "url: the address contains a user name",
        9: "event_types: cannot be empty",
        10: "secret: this stack has no secret with this name; set it with `pulumi config set --secret",
        11: "secret_version: 0 is out of range; allowed: 1 to 1000000",
        12: "headers: a header occurs twice",
        13: "headers.Authorization: may be a secret",
        17: "encrypted_headers.X-Key: this stack has no secret with this name",
        18: "encrypted_headers.X-Bad: this is not the name of a secret",
        7: 'name "Portal" is taken by webhook "Other"',
        23: "description: has 1025 characters; allowed: 1024 characters at most",
        25: "headers.X-Key: is also under encrypted_headers",
        27: "encrypted_headers.x-key: this is not the name of a secret",
        28: "event_types: is missing",
    }.items():
        assert any(problem.startswith(f"{FILE}:{line}:") and words in problem for problem in problems), output
