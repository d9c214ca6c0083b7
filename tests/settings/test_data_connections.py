"""Data connections in a stack file: all their problems, without any secret."""

from __future__ import annotations

from tests.settings.conftest import HEAD, Folder

FILE = "stacks/Pulumi.globex.yaml"
SECRET = "hunter2-of-globex"
SPACE = "spaces: {Data: {type: shared}}\n"
SET = "  tenantry:secrets_sales:\n    secure: v1:abc:def\n"


def test_a_secret_that_is_set_is_named(folder: Folder) -> None:
    head = HEAD.replace("config:\n", f"config:\n{SET}")
    entry = "data_connections: {DB: {space: Data, datasource: d, credentials: {password: sales}}}"
    customer = folder.write(f"{SPACE}{entry}", head=head).customer()
    assert customer.data_connections["DB"].credentials == {"password": "sales"}


def test_a_secret_in_plain_text_is_refused(folder: Folder) -> None:
    head = HEAD.replace("config:\n", f"config:\n  tenantry:secrets_sales: {SECRET}\n")
    entry = "data_connections: {DB: {space: Data, datasource: d, credentials: {password: sales}}}"
    [problem] = folder.write(f"{SPACE}{entry}", head=head).problems()
    assert "secrets_sales is not encrypted" in problem
    assert SECRET not in problem


def test_all_problems_at_once(folder: Folder) -> None:
    """Each problem has its line, and no value that can be a secret."""
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
        assert [each for each in problems if each.startswith(f"{FILE}:{line}:") and words in each], output
