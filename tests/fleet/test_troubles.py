"""The errors of a stack, each on one line."""

from __future__ import annotations

import traceback

import pytest

from tenantry.fleet.events import Log, LoggedError
from tenantry.fleet.troubles import IS_PROTECTED, from_command, from_log, from_text
from tenantry.providers.framework.facts import QlikRefused
from tenantry.settings.errors import Problem, SettingsError

CLI_ERRORS = {
    "error: getting stack configuration: get stack secrets manager: incorrect passphrase": (
        "the passphrase is wrong",
        "PULUMI_CONFIG_PASSPHRASE",
    ),
    "error: getting stack configuration: get stack secrets manager: passphrase must be set with X": (
        "no passphrase is set",
        "PULUMI_CONFIG_PASSPHRASE",
    ),
    "error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or "
    "delete the lock file with `pulumi cancel`.\n  file:///x.json: created by root@vm (pid 29558) at "
    "2026-11-26T11:37:04Z": (
        "the stack has been locked by a run of root@vm since 2026-11-26T11:37:04Z",
        "`tenantry unlock acme`",
    ),
    'error: Pulumi CLI version 3.100.0 does not satisfy the version range ">=3.254.0"': (
        "the Pulumi CLI 3.100.0 is too old: Pulumi.yaml requires >=3.254.0",
        "tenantry install-pulumi",
    ),
    "error: failed to load checkpoint: unexpected end of JSON input": (
        "its state or its lock is incomplete",
        "docs/backends.md",
    ),
    "error: could not write: write /x/y: no space left on device": ("the disk is full", "free some space"),
    "error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions": (
        "no backend is set",
        "PULUMI_BACKEND_URL",
    ),
    'error: unable to open state directory "file:///x": stat /x: no such file or directory': (
        "the backend's folder does not exist: /x",
        "run `mkdir -p /x`",
    ),
    "error: getting stack configuration: invalid YAML file: yaml: line 1: did not find": (
        "the stack file is not valid YAML: yaml: line 1: did not find",
        "tenantry settings acme",
    ),
    "error: an unknown error\nmore of it": ("an unknown error", ""),
    "": ("`pulumi` ended with exit code 5 and printed no error", ""),
}


@pytest.mark.parametrize(("printed", "expected"), CLI_ERRORS.items())
def test_errors_of_the_cli_have_a_text_and_advice(printed: str, expected: tuple[str, str]) -> None:
    text, advice = expected
    trouble = from_command("acme", printed, 5)
    assert trouble.text.startswith(text)
    assert advice in trouble.advice
    assert "\n" not in trouble.line


def test_passwords_in_addresses_are_hidden() -> None:
    """The CLI prints the complete address of a database that it cannot reach."""
    printed = (
        'error: unable to open state database "postgres://team:top-secret@db:1/x?sslmode=disable": failed to '
        "ping PostgreSQL: dial tcp 127.0.0.1:1: connect: connection refused"
    )
    trouble = from_command("acme", printed, 1)
    assert trouble.text.startswith("the backend cannot be reached")
    assert "top-secret" not in repr(trouble)
    assert "***@db:1" in trouble.text


@pytest.mark.parametrize("password", ["p@ss", "p/ss", "a@b@c", "p:?#ss"])
def test_unusual_passwords_are_hidden(password: str) -> None:
    trouble = from_command("acme", f'error: "postgres://team:{password}@db/x": connection refused', 1)
    assert password not in repr(trouble)
    assert "ss@" not in repr(trouble)
    assert "***@db/x" in trouble.text


def test_errors_of_qlik_have_code_and_trace_id() -> None:
    text = "POST x.eu.qlikcloud.com/y answered 403 TENANTS-22 Quota (traceId 4f-1)\nTake down\n  trials."
    trouble = from_text(text, "Tenant tenant", [QlikRefused("403", "TENANTS-22", "4f-1")])
    assert (trouble.code, trouble.trace_id, trouble.where) == ("TENANTS-22", "4f-1", "Tenant tenant")
    assert trouble.text == text.partition("\n")[0]
    assert trouble.advice == "Take down trials."
    assert trouble.details == text
    assert from_text("GET h/p answered 500", facts=[QlikRefused("500", "", "")]).code == "500"
    assert from_text("no answer at all").code == ""


def test_a_full_disk_is_recognised_in_engine_errors() -> None:
    trouble = from_text("failed to save snapshot: write x.json: no space left on device", "Group Analysts")
    assert (trouble.text, trouble.where) == ("the disk is full", "Group Analysts")


def test_a_protected_resource_has_advice() -> None:
    text = 'resource "urn:pulumi:a::b::c::d" cannot be deleted\nbecause it is protected. To unprotect the ...'
    errors = [LoggedError(text, "Tenant tenant"), LoggedError("no", "Space Sales")]
    protected, other = from_log(Log(errors=errors, registered={"urn"}), ["Tenant tenant", "Space Sales"])
    assert protected.line.startswith(
        f"Space Sales, Tenant tenant: {IS_PROTECTED} → to delete it: 1. put it back"
    )
    assert "urn:" not in protected.line
    assert other.line == "Space Sales: no"
    (protected,) = from_log(Log(errors=errors[:1]))
    assert "2. run `tenantry destroy`" in protected.line, "a destroy removes nothing from the file"


def test_the_summary_of_the_engine_and_repeated_errors_are_left_out() -> None:
    errors = [
        LoggedError("no", "Space Sales"),
        LoggedError("no", "Space Sales"),
        LoggedError("update failed"),
    ]
    assert [trouble.line for trouble in from_log(Log(errors=errors))] == ["Space Sales: no"]


def test_problems_of_settings_are_listed_one_by_one() -> None:
    """The program that `pulumi` runs prints all problems in one message."""
    error = SettingsError(
        "stack acme",
        [
            Problem("stacks/Pulumi.acme.yaml", 3, "customer.plan", "no such plan"),
            Problem("stacks/plans/gold.yaml", 0, "", "is gone"),
        ],
    )
    text = str(error)
    troubles = list(from_log(Log(errors=[LoggedError(text)])))
    assert [(trouble.where, trouble.text) for trouble in troubles] == [
        ("stacks/Pulumi.acme.yaml:3", "customer.plan: no such plan"),
        ("stacks/plans/gold.yaml", "is gone"),
    ]


def test_an_exception_of_the_program_is_one_line_with_its_location() -> None:
    """The last exception of a traceback is the one that ended the program."""
    errors: list[BaseException] = []
    try:
        try:
            raise KeyError("first")
        except KeyError as error:
            raise ValueError("no such thing\nmore of it") from error
    except ValueError as error:
        errors.append(error)
    printed = "".join(traceback.format_exception(errors[0]))
    trouble = from_text(f"Program failed with an unhandled exception:\n{printed}")
    assert trouble.text == "the program failed: ValueError: no such thing"
    (frame,) = traceback.extract_tb(errors[0].__traceback__)
    assert trouble.where == f"{__file__}:{frame.lineno}"
    assert "more of it" in trouble.details
    assert "Traceback" not in trouble.line
