"""Any text is either a key with one canonical form, or causes an error message.

A few fixed examples run with all tests. `make fuzz ARGS=20000` runs 20000 random ones.
"""

from __future__ import annotations

import base64
import time
from functools import cache
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tenantry.providers.values import pem
from tenantry.settings import SettingsError
from tenantry.settings.loading import resolve
from tests import pems
from tests.fuzz.examples import EXAMPLES, fuzzing
from tests.keys import public_pem

DEFAULT_EXAMPLES = 300
DEFAULT_FILE_EXAMPLES = 60
MAX_SECONDS = 2
PIECES = (
    pem.BEGIN, pem.END, "-----", "PUBLIC KEY-----", "CERTIFICATE-----", "RSA PRIVATE KEY", "\n", "\r\n",
    "\\n", "\\r", " ", "=", "====", "\0", "\ufeff", "\u00e9", "-", "MII", "A" * 5000, "-----BEGIN " * 400,
    "\U0001f600", "Proc-Type: 4,ENCRYPTED",
)  # fmt: skip


@cache
def valid_pems() -> list[str]:
    """Return valid keys and certificates, including kinds that Qlik does not accept."""
    return [
        public_pem("one"),
        pems.certificate(),
        pems.pkcs1_pem(),
        pems.elliptic_pem(),
        pems.private_pem(),
        pems.encrypted_pem(),
        pem.one_line(public_pem("one")),
        public_pem("one").replace("\n", "\\n"),
        public_pem("one") + pems.certificate(),
        "",
    ]


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Draw a PEM with damage, usually in its text or in its base64 content."""
    text = draw(st.sampled_from(valid_pems()))
    if draw(st.booleans()) and text.startswith(pem.BEGIN):
        text = _with_damaged_content(draw, text)
    for _ in range(draw(st.integers(0, 3))):
        position, size = draw(st.integers(0, len(text))), draw(st.sampled_from((0, 0, 1, 5, 64, 400)))
        text = (
            text[:position]
            + draw(st.one_of(st.just(""), st.sampled_from(PIECES), st.text(max_size=5)))
            + text[position + size :]
        )
    return text


def _with_damaged_content(draw: st.DrawFn, text: str) -> str:
    label, der = pem.content(text)
    position = draw(st.integers(0, min(len(der), 40)))
    der = der[:position] + draw(st.binary(max_size=4)) + der[position + draw(st.integers(0, 4)) :]
    return f"{pem.BEGIN}{label}-----\n{base64.encodebytes(der).decode()}{pem.END}{label}-----\n"


def test_any_text_is_a_key_or_causes_an_error() -> None:
    @fuzzing(DEFAULT_EXAMPLES)
    @given(text=texts())
    def read(text: str) -> None:
        started = time.thread_time()
        problem = pem.problem(text)
        line, lines = pem.one_line(text), pem.on_lines(text)
        pem.content(text)
        assert pem.fingerprint(text).startswith("SHA256:")
        if problem is None:
            assert pem.problem(line) is pem.problem(lines) is None
            assert pem.one_line(lines) == line == pem.one_line(line)
            assert pem.on_lines(line) == lines
            assert pem.fingerprint(line) == pem.fingerprint(lines) == pem.fingerprint(text)
            assert len(line.splitlines()) == 1
        else:
            assert len(problem.splitlines()) == 1
            assert not any(part in problem for part in text.split() if len(part) > len("CERTIFICATE-----"))
        assert not EXAMPLES or time.thread_time() - started < MAX_SECONDS

    read()


@pytest.fixture(scope="module")
def stack_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("keys")
    (root / "Pulumi.yaml").write_text("name: fuzz\nruntime: python\nstackConfigDir: stacks\n")
    (root / "stacks").mkdir()
    return root / "stacks" / "Pulumi.globex.yaml"


def test_settings_accept_a_key_or_report_the_same_problem(stack_file: Path) -> None:
    """The key is in the stack file, or in a file whose name is in the stack file."""

    def problems_with(**key: str) -> str:
        """Return the problems of settings with this key, or an empty string."""
        provider = {"issuer": "https://portal.example", "kid": "one", **key}
        customer = {"name": "Globex", "jwt_identity_providers": {"portal": provider}}
        config = {"qlik:region": "eu", "qlik:source_tenant": "templates.eu.qlikcloud.com"}
        stack_file.write_text(yaml.safe_dump({"config": config | {"tenantry:customer": customer}}))
        try:
            resolve(stack_file)
        except SettingsError as error:
            unexpected_error = error.__cause__
            problems = str(error)
        else:
            return ""
        assert unexpected_error is None, problems
        return problems

    assert problems_with(pem=public_pem("one")) == ""

    @fuzzing(DEFAULT_FILE_EXAMPLES)
    @given(text=texts())
    def read(text: str) -> None:
        problem = pem.problem(text)
        problems = problems_with(pem=text)
        assert (problems == "") == (problem is None)
        raw = text.encode("utf-8", "surrogatepass")
        stack_file.with_name("key.pem").write_bytes(raw)
        problems = problems_with(pem_file="key.pem")
        assert problem is None or problems

    read()
