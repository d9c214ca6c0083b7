from __future__ import annotations

import pytest

from tenantry.providers.qlik.redaction import redacted

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    "secret",
    [
        JWT,
        JWT.rpartition(".")[0],
        f"Bearer {JWT}",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_text_that_looks_like_a_secret_is_redacted(secret: str) -> None:
    text = redacted(f"before {secret} after", None)
    assert secret not in text
    assert "MIIE" not in text
    assert "eyJ" not in text
    assert text.startswith("before ")
    assert text.endswith(" after")


@pytest.mark.parametrize(
    "body",
    [
        {"client_secret": "p4ssw"},
        {"licenseKey": "p4ssw"},
        {"qPassword": "p4ssw"},
        [{"op": "replace", "value": {"clientSecret": "p4ssw"}}],
        {"credentials": {"user": "p4ssw"}},
        {"options": {"staticKeys": [{"pem": "p4ssw"}]}},
    ],
    ids=repr,
)
def test_a_sent_value_with_a_secret_name_is_redacted(body: object) -> None:
    assert redacted("no p4ssw here", body) == "no [secure] here"


@pytest.mark.parametrize("form", ["a/b+c d%e", "a/b%2Bc%20d%25e", "a%2Fb%2Bc+d%25e"])
def test_a_url_encoded_secret_is_redacted(form: str) -> None:
    assert redacted(f"x={form}&y", {"client_secret": "a/b+c d%e"}) == "x=[secure]&y"


def test_longer_secrets_are_replaced_first() -> None:
    assert redacted("abcdef", {"secret": "abcd", "password": "abcdef"}) == "[secure]"


@pytest.mark.parametrize("body", [None, {"name": "Sales"}, {"secret": ""}, {"secret": "s"}, {"secret": 7}])
def test_other_text_is_unchanged(body: object) -> None:
    text = "Sales: the eyJ of the space is bearer of news, 7 times"
    assert redacted(text, body) == text
