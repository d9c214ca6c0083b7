"""`tenantry operator-manifests`: manifests with which the Pulumi Kubernetes Operator runs the fleet."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tenantry.cli.commands import add_command
from tenantry.cli.output import echo, echo_text, fail
from tenantry.cli.progress import READING_FILES, working
from tenantry.cli.projects import current_project, root_of
from tenantry.cli.running import select_stacks
from tenantry.cli.shared import selection, with_options
from tenantry.providers.values.words import counted

if TYPE_CHECKING:
    from tenantry.fleet.kubernetes.manifests import Setup
    from tenantry.fleet.members import Member
    from tenantry.fleet.selection import Criteria

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
SECRETS = ("QLIK_CLIENT_ID", "QLIK_CLIENT_SECRET")
"""The variables that every run needs."""


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    add_command(
        app,
        operator_manifests,
        "operator-manifests",
        example="operator-manifests --all --commit HEAD --output k8s",
    )


@with_options(criteria=selection)
def operator_manifests(
    criteria: Criteria,
    folder: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Folder to write, for `kubectl apply -k`."),
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Write nothing. The exit code is 1 if files in --output are outdated."),
    ] = False,
    commit: Annotated[
        str, typer.Option(metavar="COMMIT", help="Commit to deploy, such as HEAD.", show_default=False)
    ] = "",
    branch: Annotated[
        str,
        typer.Option(
            metavar="BRANCH",
            help="Branch to follow, instead of --commit. Rings then do not wait for the same commit.",
        ),
    ] = "",
    repository: Annotated[
        str,
        typer.Option(
            metavar="URL", help="URL of the git repository. Default: the URL of origin.", show_default=False
        ),
    ] = "",
    git_secret: Annotated[
        str,
        typer.Option(
            metavar="SECRET", help="Secret with `accessToken` or `sshPrivateKey` for git.", show_default=False
        ),
    ] = "",
    namespace: Annotated[str, typer.Option(metavar="NAME", help="Namespace of the resources.")] = "tenantry",
    service_account: Annotated[
        str, typer.Option(metavar="NAME", help="Service account of the pods.")
    ] = "tenantry",
    credentials: Annotated[
        str,
        typer.Option(
            "--secret", metavar="SECRET", help="Secret with the credentials. Its keys are the variable names."
        ),
    ] = "tenantry",
    secret_variables: Annotated[
        list[str] | None,
        typer.Option("--secret-env", metavar="NAME", help="Read this variable from the Secret too."),
    ] = None,
    values: Annotated[
        list[str] | None,
        typer.Option("--env", metavar="NAME=VALUE", help="Set a variable that is not a secret."),
    ] = None,
    backend: Annotated[
        str,
        typer.Option(
            metavar="URL", help="URL of the backend. Default: PULUMI_BACKEND_URL.", show_default=False
        ),
    ] = "",
    secrets_provider: Annotated[
        str,
        typer.Option(
            metavar="URL", help="Secrets provider of new stacks. Default: the passphrase.", show_default=False
        ),
    ] = "",
    organization: Annotated[
        str, typer.Option(metavar="NAME", help="Organisation at Pulumi Cloud.", show_default=False)
    ] = "",
    image: Annotated[
        str,
        typer.Option(
            metavar="IMAGE", help="Image of the pods. Default: the image of the operator.", show_default=False
        ),
    ] = "",
    refresh: Annotated[
        bool,
        typer.Option("--refresh", help="Before each run, read the changes that were made outside Pulumi."),
    ] = False,
    resync: Annotated[
        bool, typer.Option("--resync", help="Run again every --seconds, even without a new commit.")
    ] = False,
    seconds: Annotated[
        int,
        typer.Option(
            min=60, metavar="SECONDS", help="Seconds between runs, or between checks of the branch."
        ),
    ] = 3600,
    overlay: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="YAML file to merge into the spec of each Stack."),
    ] = None,
) -> None:
    """Write manifests for the Pulumi Kubernetes Operator.

    Version 2 of the operator is required. Writes one `Stack` resource for each customer. Refers to secrets
    and never writes them. Each ring waits for the ring before it. If you delete a manifest, the tenant stays.
    The same input gives the same files.
    """
    from tenantry.fleet.kubernetes.folder import outdated_files, write
    from tenantry.fleet.kubernetes.manifests import HEAD, KUSTOMIZATION, Setup, manifests
    from tenantry.fleet.kubernetes.names import ManifestsRefused
    from tenantry.fleet.kubernetes.source import source_of

    if check and not folder:
        fail("--check needs --output.", code=2)
    _check_names(
        namespace=namespace, service_account=service_account, secret=credentials, git_secret=git_secret
    )
    project = current_project()
    backend = _backend(backend)
    with working(READING_FILES):
        selected = select_stacks(criteria, project).members
    ended_trials = _ended_trials(selected)
    members = [member for member in selected if member.stack not in ended_trials]
    try:
        setup = Setup(
            source_of(root_of(project), repository, commit, branch, git_secret),
            namespace,
            service_account,
            credentials,
            _secrets(secret_variables or (), backend, secrets_provider),
            _values(values or ()),
            organization,
            backend,
            secrets_provider,
            image,
            refresh,
            resync,
            seconds,
            _overlay(overlay),
        )
        files = manifests(members, project.name, setup)
    except ManifestsRefused as error:
        fail(str(error), code=2)
    broken = [member for member in members if member.broken]
    _warn(ended_trials, broken, setup, root_of(project))
    if not folder:
        texts = (text.removeprefix(HEAD) for name, text in files.items() if name != KUSTOMIZATION)
        echo_text(HEAD + "---\n".join(texts), nl=False)
    else:
        try:
            changed = outdated_files(folder, files) if check else write(folder, files)
        except OSError as error:
            fail(f"{error.filename or folder}: {error.strerror}")
        for name in changed:
            echo(f"{'stale' if check else 'written' if name in files else 'removed'}  {folder / name}")
        change_count = f"{counted(len(changed), 'file')} {'stale' if check else 'changed'}"
        echo(f"{counted(len(members), 'customer')}; {change_count}.")
        if check and changed:
            raise typer.Exit(1)
    if broken:
        raise typer.Exit(1)


def _check_names(**names: str) -> None:
    from tenantry.fleet.kubernetes.names import LABEL

    for option, name in names.items():
        if (name or option != "git_secret") and not (LABEL.fullmatch(name) and len(name) <= 63):
            fail(
                f"--{option.replace('_', '-')} {name}: use a-z, 0-9 and -, at most 63 characters.",
                code=2,
            )


def _backend(option: str) -> str:
    from tenantry.state.backend import redacted

    address = option or os.environ.get("PULUMI_BACKEND_URL", "")
    if address.startswith("file:"):
        fail(
            f"--backend {address}: a folder disappears with the pod. Give a backend that all pods can reach.",
            code=2,
        )
    if redacted(address) != address:
        fail(
            f"--backend {redacted(address)}: a manifest must not contain a password. Give the URL without "
            "it, and the password as a variable of the Secret, such as --secret-env PGPASSWORD.",
            code=2,
        )
    return address


def _secrets(additional: Sequence[str], backend: str, secrets_provider: str) -> list[str]:
    for name in additional:
        if not VARIABLE.fullmatch(name):
            fail(f"--secret-env {name}: this is not a variable name.", code=2)
    names = [*SECRETS, *additional]
    if not backend or backend.startswith(("http://", "https://")):
        names.append("PULUMI_ACCESS_TOKEN")
    elif not secrets_provider:
        names.append("PULUMI_CONFIG_PASSPHRASE")
    return list(dict.fromkeys(names))


def _values(assignments: Sequence[str]) -> dict[str, str]:
    from tenantry.fleet.kubernetes.overlay import looks_secret

    values = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not equals or not VARIABLE.fullmatch(name):
            fail(f"--env {name}: the form is NAME=VALUE", code=2)
        if looks_secret(name):
            fail(
                f"--env {name}: this looks like a secret. Put it into the Secret: --secret-env {name}", code=2
            )
        values[name] = value
    return values


def _overlay(file: Path | None) -> dict[str, Any]:
    from tenantry.fleet.kubernetes.overlay import load
    from tenantry.settings.errors import SettingsError

    if file is None:
        return {}
    try:
        return load(file)
    except SettingsError as error:
        fail("", error, code=2)
    except OSError as error:
        fail(f"--overlay {file}: {error.strerror}", code=2)


def _ended_trials(members: Sequence[Member]) -> dict[str, str]:
    """Return the last day of each trial that has ended, by stack. `up` also skips these stacks."""
    now = datetime.now(UTC)
    return {
        member.stack: member.ends_on.shown
        for member in members
        if member.ends_on and not member.broken and member.has_expired(now)
    }


def _warn(ended_trials: Mapping[str, str], broken: Sequence[Member], setup: Setup, root: Path) -> None:
    for stack, day in ended_trials.items():
        echo(f"{stack} is skipped: its trial ended on {day}. `tenantry expire` takes it down.", err=True)
    for member in broken:
        echo(f"{member.stack} will fail:", err=True)
        echo_text(str(member.broken), err=True)
    if setup.overlay.get("destroyOnFinalize"):
        echo(
            "destroyOnFinalize is set: if you delete a manifest, the tenant of the customer is deactivated.",
            err=True,
        )
    if not setup.has_own_image and not (root / "requirements.txt").is_file():
        echo(
            "There is no requirements.txt beside Pulumi.yaml, but a pod installs only what it lists. "
            "Write one with the line `.`, or give an --image that has all packages.",
            err=True,
        )
