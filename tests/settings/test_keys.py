"""Keys of JWT identity providers, inline or from a file, and the file and line of their problems."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent
from typing import Any

import pytest

import tenantry.settings
from tenantry.providers.values.pem import one_line
from tests.keys import public_pem
from tests.pems import certificate, private_pem
from tests.settings.conftest import Folder

FILE = "stacks/Pulumi.globex.yaml"
PLAN = "stacks/plans/standard.yaml"
PROVIDER = """\
jwt_identity_providers:
  portal:
    issuer: https://oem.example
    kid: "2026"
"""
AT = "customer.jwt_identity_providers.portal"


def with_pem(pem: str) -> str:
    return f"{PROVIDER}    pem: |\n{indent(pem, '      ')}"


def with_file(path: str) -> str:
    return f"{PROVIDER}    pem_file: {path}\n"


def write_key(folder: Folder, text: str, path: str = "keys/portal.pem") -> Path:
    file = folder.path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    return file


def key_of(folder: Folder) -> Any:
    return folder.customer().jwt_identity_providers["portal"].pem


@pytest.mark.parametrize("pem", [public_pem(), certificate()], ids=["public key", "certificate"])
def test_a_key_stands_in_the_file_or_beside_it(folder: Folder, pem: str) -> None:
    folder.write(with_pem(pem))
    assert key_of(folder) == pem
    folder.write(f"{PROVIDER}    pem: '{one_line(pem)}'")
    assert key_of(folder) == one_line(pem)
    write_key(folder, pem)
    folder.write(with_file("keys/portal.pem"))
    assert key_of(folder) == pem
    folder.write(with_file(str(folder.path / "keys" / "portal.pem")))
    assert key_of(folder) == pem


def test_the_path_is_from_the_folder_of_the_file_that_says_it(folder: Folder) -> None:
    """A plan has its key files beside it, for every stack that uses it."""
    write_key(folder, public_pem("two"), "keys/portal.pem")
    write_key(folder, public_pem("one"), "plans/keys/portal.pem")
    folder.write("plan: standard", standard=with_file("keys/portal.pem"))
    assert key_of(folder) == public_pem("one")
    tenantry.settings.check_plan(folder.path / "plans" / "standard.yaml")
    folder.write(
        "plan: standard\njwt_identity_providers: {portal: {pem_file: keys/portal.pem}}",
        standard=with_file("keys/portal.pem"),
    )
    assert key_of(folder) == public_pem("two")


def test_a_customer_puts_a_file_in_the_place_of_a_plans_key(folder: Folder) -> None:
    write_key(folder, public_pem("two"))
    over = "plan: standard\njwt_identity_providers: {portal: {pem: null, pem_file: keys/portal.pem}}"
    folder.write(over, standard=with_pem(public_pem()))
    assert key_of(folder) == public_pem("two")
    folder.write("plan: standard\njwt_identity_providers: {portal: null}", standard=with_pem(public_pem()))
    assert folder.customer().jwt_identity_providers == {}


def test_a_private_key_in_the_file_is_refused_and_not_shown(folder: Folder) -> None:
    secret = private_pem()
    [inline] = folder.write(with_pem(secret)).problems()
    assert inline.startswith(
        f"{FILE}:10: {AT}.pem: is a private key, and the public key is required (openssl pkey "
    )
    write_key(folder, secret)
    [beside] = folder.write(with_file("keys/portal.pem")).problems()
    assert beside.startswith(f"{FILE}:10: {AT}.pem_file: keys/portal.pem is a private key")
    write_key(folder, secret, "plans/portal.pem")
    [below] = folder.write("plan: standard", standard=with_file("portal.pem")).problems()
    assert below.startswith(f"{PLAN}:5: jwt_identity_providers.portal.pem_file: ")
    for expected in (inline, beside, below):
        assert not any(line in expected for line in secret.splitlines())


MISTAKES = [
    (
        with_file("keys/none.pem"),
        [f"10: {AT}.pem_file: keys/none.pem cannot be read: No such file or directory"],
    ),
    (with_file("plans"), [f"10: {AT}.pem_file: stacks/plans cannot be read: Is a directory"]),
    (
        f"{PROVIDER}    pem: {one_line(public_pem())}\n    pem_file: keys/portal.pem",
        [f"11: {AT}.pem_file: give pem or pem_file, not both"],
    ),
    (PROVIDER, [f"7: {AT}.pem: pem or pem_file is required"]),
    (
        with_pem(public_pem()[:200]),
        [f"10: {AT}.pem: is cut off: the line -----END …----- is missing"],
    ),
    (f"{PROVIDER}    pem: [a, b]", [f"10: {AT}.pem: must be text, not a list"]),
    (
        f"{PROVIDER}    pem: {one_line(public_pem())}\n    clock_tolerance_seconds: 7201",
        [f"11: {AT}.clock_tolerance_seconds: 7201 is out of range; allowed: 0 to 7200"],
    ),
    (
        f"{PROVIDER}    pem: {one_line(public_pem())}\n    description: {'x' * 129}",
        [f"11: {AT}.description: has 129 characters; allowed: 128 characters at most"],
    ),
    (
        with_pem(public_pem()).replace('"2026"', "2026"),
        [f'9: {AT}.kid: YAML reads 2026 as a number; put it in quotes: kid: "2026"'],
    ),
    (
        f"{with_pem(public_pem())}\n  next: {{issuer: https://oem.example, kid: '2026', pem: x}}",
        [
            'jwt_identity_providers.portal.kid: "2026" is also the kid of "next", which has the same '
            "issuer; each key needs its own kid",
            "jwt_identity_providers.next.pem: is not PEM",
        ],
    ),
]


@pytest.mark.parametrize(("customer", "expected"), MISTAKES, ids=range(len(MISTAKES)))
def test_mistakes(folder: Folder, customer: str, expected: list[str]) -> None:
    """All problems are reported, with file and line."""
    problems = folder.write(customer).problems()
    assert len(problems) == len(expected)
    for text in expected:
        assert any(text in problem for problem in problems), problems


def test_a_file_that_is_no_text(folder: Folder) -> None:
    (folder.path / "portal.der").write_bytes(b"\x30\x82\xff\xfe\x00")
    [problem] = folder.write(with_file("portal.der")).problems()
    assert "stacks/portal.der is not PEM: the line -----BEGIN PUBLIC KEY-----" in problem


def test_a_plan_may_leave_the_key_to_the_customer(folder: Folder) -> None:
    """A missing key is a problem of the customer."""
    folder.write("plan: standard", standard=PROVIDER)
    tenantry.settings.check_plan(folder.path / "plans" / "standard.yaml")
    [problem] = folder.problems()
    assert "pem or pem_file is required" in problem
    write_key(folder, public_pem())
    folder.write("plan: standard\njwt_identity_providers: {portal: {pem_file: keys/portal.pem}}")
    assert key_of(folder) == public_pem()


def test_two_keys_of_one_issuer(folder: Folder) -> None:
    """This is the case during a rotation. Two issuers can use the same key id."""
    second = (
        f"{PROVIDER}    pem: {one_line(public_pem())}\n  next: {{issuer: https://oem.example, kid: '2027'"
    )
    folder.write(f"{second}, pem: {one_line(public_pem('two'))}}}")
    assert list(folder.customer().jwt_identity_providers) == ["portal", "next"]
    other = second.replace("https://oem.example, kid: '2027'", "https://other.example, kid: '2026'")
    folder.write(f"{other}, pem: {one_line(public_pem('two'))}}}")
    assert len(folder.customer().jwt_identity_providers) == 2
