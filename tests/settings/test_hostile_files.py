"""Malformed or hostile files: each one is a problem of its own stack only."""

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


def test_a_value_in_place_of_a_block_is_refused(folder: Folder) -> None:
    assert folder.write('apps: {Sales Overview: "2.4.0"}').problems() == [
        f'{FILE}:6: customer.apps.Sales Overview: must be a mapping of keys, not "2.4.0"'
    ]


@pytest.mark.parametrize("block", ["web_integrations", "jwt_identity_providers", "users", "admins", "groups"])
@pytest.mark.parametrize("value", ["text", "[1]", "1.5", "true", "{}", '{"": {}}', "{a: {name: [1]}}"])
def test_entries_of_any_shape_cause_no_internal_error(folder: Folder, block: str, value: str) -> None:
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
def test_malformed_values_are_refused(folder: Folder, customer: str, expected: str) -> None:
    [first, *_] = folder.write(customer).problems()
    assert first.startswith(f"{FILE}:{expected}")


def test_a_pem_that_is_not_ascii_is_refused(folder: Folder) -> None:
    bad = public_pem().replace("A", "É", 3).replace("\n", "\\n")
    folder.write(f'jwt_identity_providers: {{web: {{issuer: i, kid: k, pem: "{bad}"}}}}')
    assert folder.problems() == [
        f"{FILE}:6: customer.jwt_identity_providers.web.pem: is damaged: there is no base64 of a public key "
        "between the lines BEGIN and END"
    ]


def test_a_plan_with_a_number_as_a_block_has_no_entries_to_remove(folder: Folder) -> None:
    folder.write("plan: odd\ngroups: {Sales: }", odd="groups: 7\n")
    assert folder.problems() == [
        f"{FILE}:7: customer.groups.Sales: an empty value removes what the plan has, but "
        "stacks/plans/odd.yaml does not have this key; for an entry with only defaults, write Sales: {}"
    ]


@pytest.mark.parametrize("text", [LAUGHS, MERGES, SAME_MERGES], ids=["aliases", "merges", "the same merges"])
def test_yaml_that_expands_too_much_is_refused_before_it_expands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    created_places = 0

    class CountedPlace(documents.Place):
        def __init__(self, *args: object) -> None:
            nonlocal created_places
            created_places += 1
            super().__init__(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(documents, "Place", CountedPlace)
    (tmp_path / "file.yaml").write_text(text)
    document = read(tmp_path / "file.yaml")
    [problem] = document.problems
    assert f"this file is refused: it has more than {MAX_VALUES:,} values" in problem.text
    assert (document.value, document.places) == (None, {})
    assert created_places <= 2 * MAX_VALUES + 2


def test_a_chain_of_merges_counts_as_nesting(tmp_path: Path) -> None:
    chain = "m0: &m0 {k: 1}\n" + "".join(f"m{n}: &m{n} {{<<: *m{n - 1}}}\n" for n in range(1, 900))
    (tmp_path / "file.yaml").write_text(chain)
    assert [problem.text for problem in read(tmp_path / "file.yaml").problems] == [
        f"this file is refused: it is nested more than {MAX_DEPTH} levels deep"
    ]


def test_a_stack_file_that_is_too_large_is_refused(folder: Folder) -> None:
    folder.stack_file.write_text(HEAD + "#" * STACK_FILE_BYTES)
    assert folder.problems() == [f"{FILE}: cannot be read: it has more than {STACK_FILE_BYTES:,} bytes"]


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_anything_but_a_regular_file_is_refused_without_being_read(folder: Folder, kind: str) -> None:
    """Nothing writes to the pipe, and the device never ends, so reading them would never return."""
    _create(folder.path / "odd.pem", kind)
    _create(folder.stack_file, kind)
    [problem] = folder.problems()
    assert problem.startswith(f"{FILE}: cannot be read: ")
    folder.stack_file.rmdir() if kind == "folder" else folder.stack_file.unlink()
    folder.write("jwt_identity_providers: {web: {issuer: i, kid: k, pem_file: odd.pem}}")
    [problem] = folder.problems()
    assert problem.startswith(
        f"{FILE}:6: customer.jwt_identity_providers.web.pem_file: stacks/odd.pem cannot be"
    )


def _create(path: Path, kind: str) -> None:
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        assert stat.S_ISCHR(Path("/dev/zero").stat().st_mode)
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()


def test_a_key_file_that_is_too_large_is_refused(folder: Folder) -> None:
    (folder.path / "big.pem").write_text("x" * (KEY_BYTES + 1))
    folder.write("jwt_identity_providers: {web: {issuer: i, kid: k, pem_file: big.pem}}")
    [problem] = folder.problems()
    assert problem.endswith(f"stacks/big.pem cannot be read: it has more than {KEY_BYTES:,} bytes")


def test_an_unexpected_error_is_a_problem_of_its_own_stack(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug in Tenantry must not affect the other stacks."""
    folder.write()
    other = folder.path / "Pulumi.other.yaml"
    other.write_text(folder.stack_file.read_text().replace("Globex", "Unlucky"))

    def fail_for_unlucky(values: dict[str, object]) -> object:
        if values.get("name") == "Unlucky":
            raise RecursionError("with a secret")
        return complete(values)

    monkeypatch.setattr("tenantry.settings.loading.complete", fail_for_unlucky)
    good, bad = members({"globex": folder.stack_file, "other": other})
    assert good.broken is None
    assert bad.broken is not None
    [problem] = bad.broken.problems
    assert str(problem).startswith("stacks/Pulumi.other.yaml: Tenantry cannot process this file (Recurs")
    assert "secret" not in problem.text
    assert (bad.customer, bad.unknown) == ("Unlucky", frozenset())


def test_an_unexpected_error_in_a_plan_is_a_problem_of_the_plan(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write(gold="groups: {}\n")

    def fail(_: object) -> None:
        raise ValueError

    monkeypatch.setattr("tenantry.settings.loading.complete", fail)
    with pytest.raises(SettingsError, match=r"plan gold:\n.*ValueError in test_hostile_files.py"):
        check_plan(folder.path / "plans" / "gold.yaml")


BY_PULUMI = "\nencryptionsalt: v1:x=:v1:y"


def test_the_advice_considers_that_pulumi_may_have_rewritten_the_file(folder: Folder) -> None:
    """Pulumi rewrites `2.10` without quotes as 2.1, and `007` as 7."""
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
    ("key", "original"),
    [("2026-01-02 00:00:00 +0000 UTC", "2026-01-02"), ("<nil>", "~")],
    ids=["date", "null"],
)
def test_a_key_that_pulumi_has_rewritten_is_reported_with_the_original(
    folder: Folder, key: str, original: str
) -> None:
    assert folder.write(f"groups:\n  {key}: {{}}").problems() == [
        f'{FILE}:7: customer.groups.{key}: Pulumi has rewritten this key; restore it, in quotes: "{original}"'
    ]


@pytest.mark.parametrize("stack", [".", "..", "-x", ".x", "a b"])
def test_an_invalid_stack_name_is_a_problem_of_its_own_stack(folder: Folder, stack: str) -> None:
    """Such a name could be read as another folder or as an option of a command."""
    folder.write()
    odd = folder.path / f"Pulumi.{stack}.yaml"
    odd.write_text(folder.stack_file.read_text())
    stacks = members({"globex": folder.stack_file, stack: odd})
    assert [member.broken is None for member in stacks] == [member.stack == "globex" for member in stacks]
    [broken] = [member.broken for member in stacks if member.broken]
    assert f'"{stack}" is not a valid stack name' in str(broken)


@pytest.mark.parametrize("id", ["a/b", "../x", "..", "a?b", "a#b", "a b"])
def test_an_id_that_would_change_the_path_of_a_request_is_refused(folder: Folder, id: str) -> None:
    folder.write(f'revive: {{hostname: x1.eu.qlikcloud.com, tenant_id: "{id}"}}')
    assert folder.problems() == [
        f'{FILE}:6: customer.revive.tenant_id: "{id}" is not a Qlik id; allowed: letters, digits, - and _'
    ]
