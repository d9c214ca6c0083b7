"""Load scripts, and the logs of reloads."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenantry.providers.qlik import ConfigurationError
from tenantry.providers.values import reload_logs, scripts

LOG = """Started loading data

Connecting to Sales DB
Connected
The following error occurred:
Connector reply error: SQL##f - SqlState: 28P01, ErrorMsg: password authentication failed for user "reader"

The error occurred here:
SQL SELECT * FROM orders
WHERE region = 'eu'

Data has not been loaded. Please correct the error and try loading again.
"""


def test_a_digest_does_not_depend_on_line_endings() -> None:
    assert scripts.digest("a;\r\nb; \r\n\r\n") == scripts.digest("a;\nb;")
    assert scripts.digest("a;\nb;") != scripts.digest("a;\n\nb;")


def test_all_texts_are_replaced_in_one_pass() -> None:
    """Replaced text is not replaced again, and a longer text has precedence."""
    text = "'a' 'ab' $(x) 'a'"
    assert scripts.replace_texts(text, {"'a'": "'ab'", "'ab'": "'c'", "$(x)": r"\1"}) == r"'ab' 'c' \1 'ab'"
    with pytest.raises(ConfigurationError, match=r'does not contain "b\\"", "z", which'):
        scripts.replace_texts(text, {"'a'": "x", 'b"': "x", "z": "x"})


def test_variables_match_only_whole_names() -> None:
    text = "SET vA = 1; LET vB.x = $(vA);"
    assert scripts.unknown_variables(text, ["vA", "vB.x", "vB", "A", "x"]) == ["vB", "A", "x"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b" \n", "is empty"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"x" * (scripts.MAX_BYTES + 1), "has more than 1,000,000 bytes"),
        (None, "No such file"),
    ],
)
def test_an_invalid_script_file_is_an_error(tmp_path: Path, content: bytes | None, message: str) -> None:
    file = tmp_path / "sales.qvs"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=message):
        scripts.read(file)


def test_the_failure_of_a_log_has_the_error_and_the_statement() -> None:
    assert reload_logs.failure(LOG) == (
        "Connector reply error: SQL##f - SqlState: 28P01, ErrorMsg: password authentication failed for user "
        "\"reader\" in: SQL SELECT * FROM orders WHERE region = 'eu'"
    )


def test_the_failure_of_an_unknown_log_has_its_last_lines() -> None:
    assert reload_logs.failure("one\ntwo\nthree\nfour\n") == "two three four"
    assert reload_logs.failure("") == ""


@pytest.mark.parametrize(
    "text",
    [
        "ODBC CONNECT TO 'x;UID=me;PWD=hunter2;Db=y'",
        'password = "hunter2 of globex"',
        "https://me:hunter2@db.example/x",
        "api_key: hunter2, more",
        "token 'hunter2'",
        "Authorization: Bearer hunter2hunter2",
    ],
)
def test_the_failure_of_a_log_has_no_secret(text: str) -> None:
    assert "hunter2" not in reload_logs.failure(f"{reload_logs.ERROR}\n{text}\n")


def test_a_long_statement_is_cut() -> None:
    assert len(reload_logs.without_secrets("LOAD x " * 200)) == reload_logs.LONGEST + 1
