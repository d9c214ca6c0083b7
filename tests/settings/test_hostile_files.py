"""Odd or hostile files: each one is a problem of its own stack only."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tenantry.fleet.members import members
from tenantry.settings import SettingsError, check_plan
from tenantry.settings import document as documents
from tenantry.settings.document import MAX_VALUES, read
from tenantry.settings.files import KEY_BYTES, STACK_FILE_BYTES
from tenantry.settings.merge import complete
from tenantry.settings.nodes import MAX_DEPTH
from tests.keys import public_pem
from tests.settings.conftest import HEAD, Folder

FILE = "stacks/Pulumi.globex.yaml"
LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)
MERGES = "m0: &m0 {k: 1}\n" + "".join(
    f"m{n}: &m{n} {{k{n}: {{<<: *m{n - 1}}}, l{n}: {{<<: *m{n - 1}}}}}\n" for n in range(1, 40)
)
SAME_MERGES = f"big: &big {{{', '.join(f'k{n}: 1' for n in range(2000))}}}\nx: {{<<: [{'*big, ' * 2000}]}}\n"


def test_a_value_where_a_block_belongs(folder: Folder) -> None:
    assert folder.write('apps: {Sales Overview: "2.4.0"}').problems() == [
        f'{FILE}:6: customer.apps.Sales Overview: must be a mapping of keys, not "2.4.0"'
    ]


@pytest.mark.parametrize("block", ["web_integrations", "jwt_identity_providers", "users", "admins", "groups"])
@pytest.mark.parametrize("value", ["text", "[1]", "1.5", "true", "{}", '{"": {}}', "{a: {name: [1]}}"])
def test_entries_of_any_shape(folder: Folder, block: str, value: str) -> None:
    folder.write(f"{block}: {{one: {value}, two: {{}}}}\nspaces: {{one: {value}}}\napps: {{one: {value}}}")
    assert not [line for line in folder.problems() if "bug in Tenantry" in line]


@pytest.mark.parametrize(
    ("customer", "expected"),
    [
        ("name: 2026-01-01T00:00:00+24:00", "6: customer.name: this key is already on line 5"),
        (f"alias: {'1' * 5000}", '6: customer.alias: "' + "1" * 5000 + '" has 5,000 characters; an alias'),
        ('plan: "a\\0b"', '6: customer.plan: there is no plan "a\\u0000b"'),
        ("tags: &t {<<: *t}", "6: customer.tags: this anchor contains itself"),
        ("apps: " + "[" * 900 + "]" * 900, f"6: this file is refused: it is nested more than {MAX_DEPTH}"),
        ("apps: " + "[" * 100_000, f"6: this file is refused: it is nested more than {MAX_DEPTH}"),
        ("- " * 5000 + "x", "6: "),
        ('tags: {"a\\e[31m": "\\u202e"}\nx: 1', "7: customer.x: unknown key"),
    ],
    ids=["offset", "digits", "nul", "merges itself", "deep", "deeper", "deep lists", "escapes"],
)
def test_odd_values(folder: Folder, customer: str, expected: str) -> None:
    [first, *_] = folder.write(customer).problems()
    assert first.startswith(f"{FILE}:{expected}")


def test_a_pem_that_is_not_ascii(folder: Folder) -> None:
    bad = public_pem().replace("A", "É", 3).replace("\n", "\\n")
    folder.write(f'jwt_identity_providers: {{web: {{issuer: i, kid: k, pem: "{bad}"}}}}')
    assert folder.problems() == [
        f"{FILE}:6: customer.jwt_identity_providers.web.pem: is damaged: there is no base64 of a public key "
        "between the lines BEGIN and END"
    ]


def test_a_plan_whose_block_is_a_number(folder: Folder) -> None:
    folder.write("plan: odd\ngroups: {Sales: }", odd="groups: 7\n")
    assert folder.problems() == [
        f"{FILE}:7: customer.groups.Sales: an empty value removes what the plan has, but "
        "stacks/plans/odd.yaml does not have this key; for an entry with only defaults, write Sales: {}"
    ]


@pytest.mark.parametrize("text", [LAUGHS, MERGES, SAME_MERGES], ids=["aliases", "merges", "the same merges"])
def test_yaml_that_grows_is_refused_before_it_has_grown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    made = 0

    class Counted(documents.Place):
        def __init__(self, *args: object) -> None:
            nonlocal made
            made += 1
            super().__init__(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(documents, "Place", Counted)
    (tmp_path / "file.yaml").write_text(text)
    document = read(tmp_path / "file.yaml")
    [problem] = document.problems
    assert f"this file is refused: it has more than {MAX_VALUES:,} values" in problem.text
    assert (document.value, document.places) == (None, {})
    assert made <= 2 * MAX_VALUES + 2


def test_a_chain_of_merges_is_no_deeper_than_nesting_may_be(tmp_path: Path) -> None:
    chain = "m0: &m0 {k: 1}\n" + "".join(f"m{n}: &m{n} {{<<: *m{n - 1}}}\n" for n in range(1, 900))
    (tmp_path / "file.yaml").write_text(chain)
    assert [each.text for each in read(tmp_path / "file.yaml").problems] == [
        f"this file is refused: it is nested more than {MAX_DEPTH} levels deep"
    ]


def test_a_file_that_is_too_large(folder: Folder) -> None:
    folder.stack_file.write_text(HEAD + "#" * STACK_FILE_BYTES)
    assert folder.problems() == [f"{FILE}: cannot be read: it has more than {STACK_FILE_BYTES:,} bytes"]


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_what_is_no_plain_file_is_refused_at_once(folder: Folder, kind: str) -> None:
    """Nobody writes into the pipe, and the device never ends, so reading them would never return."""
    odd = folder.path / "odd.pem"
    _make(odd, kind)
    _make(folder.stack_file, kind)
    [problem] = folder.problems()
    assert problem.startswith(f"{FILE}: cannot be read: ")
    folder.stack_file.rmdir() if kind == "folder" else folder.stack_file.unlink()
    folder.write("jwt_identity_providers: {web: {issuer: i, kid: k, pem_file: odd.pem}}")
    [problem] = folder.problems()
    assert problem.startswith(
        f"{FILE}:6: customer.jwt_identity_providers.web.pem_file: stacks/odd.pem cannot be"
    )


def _make(path: Path, kind: str) -> None:
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        assert stat.S_ISCHR(Path("/dev/zero").stat().st_mode)
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()


def test_a_key_file_that_is_too_large(folder: Folder) -> None:
    (folder.path / "big.pem").write_text("x" * (KEY_BYTES + 1))
    folder.write("jwt_identity_providers: {web: {issuer: i, kid: k, pem_file: big.pem}}")
    [problem] = folder.problems()
    assert problem.endswith(f"stacks/big.pem cannot be read: it has more than {KEY_BYTES:,} bytes")


def test_whatever_is_raised_is_a_problem_of_its_own_stack(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unknown bug in Tenantry does not affect the other stacks."""
    folder.write()
    other = folder.path / "Pulumi.other.yaml"
    other.write_text(folder.stack_file.read_text().replace("Globex", "Unlucky"))

    def unlucky(values: dict[str, object]) -> object:
        if values.get("name") == "Unlucky":
            raise RecursionError("with a secret")
        return complete(values)

    monkeypatch.setattr("tenantry.settings.loading.complete", unlucky)
    good, bad = members({"globex": folder.stack_file, "other": other})
    assert good.broken is None
    assert bad.broken is not None
    [problem] = bad.broken.problems
    assert str(problem).startswith("stacks/Pulumi.other.yaml: Tenantry cannot process this file (Recurs")
    assert "secret" not in problem.text
    assert (bad.customer, bad.unknown) == ("Unlucky", frozenset())


def test_a_plan_is_a_case_of_its_own(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.write(gold="groups: {}\n")

    def fail(_: object) -> None:
        raise ValueError

    monkeypatch.setattr("tenantry.settings.loading.complete", fail)
    with pytest.raises(SettingsError, match=r"plan gold:\n.*ValueError in test_hostile_files.py"):
        check_plan(folder.path / "plans" / "gold.yaml")


BY_PULUMI = "\nencryptionsalt: v1:x=:v1:y"


def test_what_pulumi_has_written_anew_is_not_advised_as_the_right_version(folder: Folder) -> None:
    """Pulumi has rewritten `2.10` without quotes as 2.1, and `007` as 7."""
    people = 'admins: {Ada: {email: "ada@example.com"}}\nusers: {Bo: {subject: 7}}\n'
    apps = "apps: {A: {template: T, version: 2.1, staging: S}}\nspaces: {S: {type: shared}}"
    advice = [': YAML reads 7 as a number; put it in quotes: subject: "7"']
    advice += [': YAML reads 2.1 as a number; put it in quotes: version: "2.1"']
    assert [line.partition(": customer.")[2] for line in folder.write(people + apps).problems()] == [
        f"users.Bo.subject{advice[0]}",
        f"apps.A.version{advice[1]}",
    ]
    folder.stack_file.write_text(folder.stack_file.read_text() + BY_PULUMI)
    assert [line.partition(": customer.")[2] for line in folder.problems()] == [
        f"users.Bo.subject{advice[0]}; if Pulumi rewrote the file, quote the original instead, such as 07",
        f"apps.A.version{advice[1]}; if Pulumi rewrote the file, quote the original instead, such as 2.10",
    ]


@pytest.mark.parametrize(
    ("key", "was"), [("2026-01-02 00:00:00 +0000 UTC", "2026-01-02"), ("<nil>", "~")], ids=["date", "nothing"]
)
def test_a_key_that_pulumi_has_written_anew(folder: Folder, key: str, was: str) -> None:
    assert folder.write(f"groups:\n  {key}: {{}}").problems() == [
        f'{FILE}:7: customer.groups.{key}: Pulumi has rewritten this key; restore it, in quotes: "{was}"'
    ]


@pytest.mark.parametrize("stack", [".", "..", "-x", ".x", "a b"])
def test_a_stack_that_no_stack_may_be_called(folder: Folder, stack: str) -> None:
    """Such a name would be another folder, or an option. The other stacks are not affected."""
    folder.write()
    odd = folder.path / f"Pulumi.{stack}.yaml"
    odd.write_text(folder.stack_file.read_text())
    found = members({"globex": folder.stack_file, stack: odd})
    assert [each.broken is None for each in found] == [each.stack == "globex" for each in found]
    [broken] = [each.broken for each in found if each.broken]
    assert f'"{stack}" is not a valid stack name' in str(broken)


@pytest.mark.parametrize("id", ["a/b", "../x", "..", "a?b", "a#b", "a b"])
def test_an_id_that_would_lead_elsewhere(folder: Folder, id: str) -> None:
    folder.write(f'revive: {{hostname: x1.eu.qlikcloud.com, tenant_id: "{id}"}}')
    assert folder.problems() == [
        f'{FILE}:6: customer.revive.tenant_id: "{id}" is not a Qlik id; allowed: letters, digits, - and _'
    ]
