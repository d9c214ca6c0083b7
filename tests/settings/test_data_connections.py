"""Data connections in a stack file. No problem shows a secret."""

from __future__ import annotations

from tests.settings.conftest import HEAD, Folder

FILE = "stacks/Pulumi.globex.yaml"
SECRET = "hunter2-of-globex"
SPACE = "spaces: {Data: {type: shared}}\n"
SECRET_LINES = "  tenantry:secrets_sales:\n    secure: v1:abc:def\n"


def test_credentials_name_a_secret_of_the_stack(folder: Folder) -> None:
    head = HEAD.replace("config:\n", f"config:\n{SECRET_LINES}")
    entry = "data_connections: {DB: {space: Data, datasource: d, credentials: {password: sales}}}"
    customer = folder.write(f"{SPACE}{entry}", head=head).customer()
    assert customer.data_connections["DB"].credentials == {"password": "sales"}


def test_a_secret_in_plain_text_is_refused(folder: Folder) -> None:
    head = HEAD.replace("config:\n", f"config:\n  tenantry:secrets_sales: {SECRET}\n")
    entry = "data_connections: {DB: {space: Data, datasource: d, credentials: {password: sales}}}"
    [problem] = folder.write(f"{SPACE}{entry}", head=head).problems()
    assert "secrets_sales is not encrypted" in problem
    assert SECRET not in problem


def test_all_problems_are_reported_at_once_without_secrets(folder: Folder) -> None:
    """Each problem has its line. A value that may be a secret is not shown."""
    problems = folder.write(
        f"""
        data_connections:
          DB:
            space: Nowhere
            datasource: d
            credentials_version: 0
            credentials:
              password: missing
              token: "no name"
            properties:
              host: db.example
              Password: {SECRET}
              dsn: "Driver=x;PWD={SECRET}"
              url: https://me:{SECRET}@db.example
        """
    ).problems()
    output = "\n".join(problems)
    assert SECRET not in output
    for line, words in {
        8: "space",
        10: "credentials_version: 0 is out of range; allowed: 1 to 1000000",
        12: "this stack has no secret with this name; set it with `pulumi config set --secret",
        13: "credentials.token: this is not the name of a secret",
        16: "properties.Password: may be a secret",
        17: "properties.dsn: may be a secret",
        18: "properties.url: may be a secret",
    }.items():
        assert any(problem.startswith(f"{FILE}:{line}:") and words in problem for problem in problems), output
