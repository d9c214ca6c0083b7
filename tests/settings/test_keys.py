"""Keys of JWT identity providers, inline or in their own files, and the places of their problems."""

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
def test_a_key_can_be_in_the_stack_file_or_in_its_own_file(folder: Folder, pem: str) -> None:
    folder.write(with_pem(pem))
    assert key_of(folder) == pem
    folder.write(f"{PROVIDER}    pem: '{one_line(pem)}'")
    assert key_of(folder) == one_line(pem)
    write_key(folder, pem)
    folder.write(with_file("keys/portal.pem"))
    assert key_of(folder) == pem
    folder.write(with_file(str(folder.path / "keys" / "portal.pem")))
    assert key_of(folder) == pem


def test_the_path_is_relative_to_the_folder_of_the_file_that_contains_it(folder: Folder) -> None:
    """A plan has its key files next to it, for every stack that uses it."""
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


def test_a_customer_can_replace_the_key_of_its_plan_with_a_file(folder: Folder) -> None:
    write_key(folder, public_pem("two"))
    customer = "plan: standard\njwt_identity_providers: {portal: {pem: null, pem_file: keys/portal.pem}}"
    folder.write(customer, standard=with_pem(public_pem()))
    assert key_of(folder) == public_pem("two")
    folder.write("plan: standard\njwt_identity_providers: {portal: null}", standard=with_pem(public_pem()))
    assert folder.customer().jwt_identity_providers == {}


def test_a_private_key_is_refused_and_not_shown(folder: Folder) -> None:
    secret = private_pem()
    [inline] = folder.write(with_pem(secret)).problems()
    assert inline.startswith(
        f"{FILE}:10: {AT}.pem: is a private key, and the public key is required (openssl pkey "
    )
    write_key(folder, secret)
    [in_key_file] = folder.write(with_file("keys/portal.pem")).problems()
    assert in_key_file.startswith(f"{FILE}:10: {AT}.pem_file: keys/portal.pem is a private key")
    write_key(folder, secret, "plans/portal.pem")
    [in_file_of_plan] = folder.write("plan: standard", standard=with_file("portal.pem")).problems()
    assert in_file_of_plan.startswith(f"{PLAN}:5: jwt_identity_providers.portal.pem_file: ")
    for problem in (inline, in_key_file, in_file_of_plan):
        assert not any(line in problem for line in secret.splitlines())


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
def test_mistakes_are_reported_with_their_lines(folder: Folder, customer: str, expected: list[str]) -> None:
    problems = folder.write(customer).problems()
    assert len(problems) == len(expected)
    for text in expected:
        assert any(text in problem for problem in problems), problems


def test_a_key_file_that_is_not_pem_is_refused(folder: Folder) -> None:
    (folder.path / "portal.der").write_bytes(b"\x30\x82\xff\xfe\x00")
    [problem] = folder.write(with_file("portal.der")).problems()
    assert "stacks/portal.der is not PEM: the line -----BEGIN PUBLIC KEY-----" in problem


def test_a_plan_can_leave_the_key_to_the_customer(folder: Folder) -> None:
    """A missing key is then a problem of the customer."""
    folder.write("plan: standard", standard=PROVIDER)
    tenantry.settings.check_plan(folder.path / "plans" / "standard.yaml")
    [problem] = folder.problems()
    assert "pem or pem_file is required" in problem
    write_key(folder, public_pem())
    folder.write("plan: standard\njwt_identity_providers: {portal: {pem_file: keys/portal.pem}}")
    assert key_of(folder) == public_pem()


def test_one_issuer_can_have_two_keys(folder: Folder) -> None:
    """It has two during a rotation. Also, two issuers can use the same key id."""
    second = (
        f"{PROVIDER}    pem: {one_line(public_pem())}\n  next: {{issuer: https://oem.example, kid: '2027'"
    )
    folder.write(f"{second}, pem: {one_line(public_pem('two'))}}}")
    assert list(folder.customer().jwt_identity_providers) == ["portal", "next"]
    other = second.replace("https://oem.example, kid: '2027'", "https://other.example, kid: '2026'")
    folder.write(f"{other}, pem: {one_line(public_pem('two'))}}}")
    assert len(folder.customer().jwt_identity_providers) == 2
