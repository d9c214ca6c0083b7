"""`tenantry operator-manifests`: the fleet as the Pulumi Kubernetes Operator runs it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tenantry.cli.output import echo, echo_text, fail
from tenantry.cli.progress import READING_FILES, working
from tenantry.cli.projects import current_project, root_of
from tenantry.cli.running import chosen_by
from tenantry.cli.shared import selection, takes
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
    app.command("operator-manifests")(operator_manifests)


@takes(wanted=selection)
def operator_manifests(
    wanted: Criteria,
    folder: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Write a folder for `kubectl apply -k`."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit code 1 if files in --output are stale.")
    ] = False,
    commit: Annotated[
        str, typer.Option(help="Commit that the customers run, such as HEAD.", show_default=False)
    ] = "",
    branch: Annotated[
        str,
        typer.Option(help="Instead: a branch to follow. Rings then do not wait for the same commit."),
    ] = "",
    repository: Annotated[
        str, typer.Option(help="Address of the git repository. Default: that of origin.", show_default=False)
    ] = "",
    git_secret: Annotated[
        str,
        typer.Option(
            metavar="SECRET", help="Secret with `accessToken` or `sshPrivateKey` for git.", show_default=False
        ),
    ] = "",
    namespace: Annotated[str, typer.Option(help="Namespace of the resources.")] = "tenantry",
    service_account: Annotated[str, typer.Option(help="Service account of the pods.")] = "tenantry",
    credentials: Annotated[
        str, typer.Option("--secret", help="Secret that has the credentials, by the names of the variables.")
    ] = "tenantry",
    secret_variables: Annotated[
        list[str] | None,
        typer.Option("--secret-env", metavar="NAME", help="One more variable from that Secret."),
    ] = None,
    values: Annotated[
        list[str] | None,
        typer.Option("--env", metavar="NAME=VALUE", help="A variable that is not a secret."),
    ] = None,
    backend: Annotated[
        str, typer.Option(help="Address of the backend. Default: PULUMI_BACKEND_URL.", show_default=False)
    ] = "",
    secrets_provider: Annotated[
        str,
        typer.Option(
            help="What encrypts secrets of new stacks. Default: the passphrase.", show_default=False
        ),
    ] = "",
    organization: Annotated[str, typer.Option(help="Organisation at Pulumi Cloud.", show_default=False)] = "",
    image: Annotated[
        str, typer.Option(help="Image of the pods. Default: the operator's own.", show_default=False)
    ] = "",
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Look at Qlik before each run for what was changed there.")
    ] = False,
    resync: Annotated[
        bool, typer.Option("--resync", help="Run again every --seconds, also without a new commit.")
    ] = False,
    seconds: Annotated[
        int, typer.Option(min=60, help="How often to run again, or to look at the branch.")
    ] = 3600,
    overlay: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="YAML that is merged into the spec of each Stack."),
    ] = None,
) -> None:
    """Write one `Stack` resource for each customer, for the Pulumi Kubernetes Operator (version 2).

    Secrets are referred to and never written. A manifest that is taken away takes no tenant down. Each ring
    waits for the one before it. The same input gives the same files.
    """
    from tenantry.fleet.kubernetes.folder import outdated_files, write
    from tenantry.fleet.kubernetes.manifests import HEAD, KUSTOMIZATION, Setup, manifests
    from tenantry.fleet.kubernetes.names import ManifestsRefused
    from tenantry.fleet.kubernetes.source import source_of

    if check and not folder:
        fail("--check: of which folder? Give --output as well.", code=2)
    _check_names(
        namespace=namespace, service_account=service_account, secret=credentials, git_secret=git_secret
    )
    project = current_project()
    backend = _backend(backend)
    with working(READING_FILES):
        chosen = chosen_by(wanted, project).members
    held = _held(chosen)
    members = [each for each in chosen if each.stack not in held]
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
    broken = [each for each in members if each.broken]
    _warn(held, broken, setup, root_of(project))
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
        done = f"{counted(len(changed), 'file')} {'stale' if check else 'changed'}"
        echo(f"{counted(len(members), 'customer')}; {done}.")
        if check and changed:
            raise typer.Exit(1)
    if broken:
        raise typer.Exit(1)


def _check_names(**names: str) -> None:
    from tenantry.fleet.kubernetes.names import LABEL

    for option, name in names.items():
        if (name or option != "git_secret") and not (LABEL.fullmatch(name) and len(name) <= 63):
            fail(
                f"--{option.replace('_', '-')} {name}: Kubernetes takes a-z, 0-9 and -, at most 63.",
                code=2,
            )


def _backend(given: str) -> str:
    from tenantry.state.backend import redacted

    address = given or os.environ.get("PULUMI_BACKEND_URL", "")
    if address.startswith("file:"):
        fail(f"--backend {address}: a folder goes with the pod. Give a backend that all pods reach.", code=2)
    if redacted(address) != address:
        fail(
            f"--backend {redacted(address)}: a manifest holds no password. Give the address without it, and "
            "the password as a variable of the Secret, such as --secret-env PGPASSWORD.",
            code=2,
        )
    return address


def _secrets(more: Sequence[str], backend: str, secrets_provider: str) -> list[str]:
    for name in more:
        if not VARIABLE.fullmatch(name):
            fail(f"--secret-env {name}: that is no name of a variable.", code=2)
    found = [*SECRETS, *more]
    if not backend or backend.startswith(("http://", "https://")):
        found.append("PULUMI_ACCESS_TOKEN")
    elif not secrets_provider:
        found.append("PULUMI_CONFIG_PASSPHRASE")
    return list(dict.fromkeys(found))


def _values(given: Sequence[str]) -> dict[str, str]:
    from tenantry.fleet.kubernetes.overlay import looks_secret

    found = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not VARIABLE.fullmatch(name):
            fail(f"--env {name}: write NAME=VALUE", code=2)
        if looks_secret(name):
            fail(
                f"--env {name}: that looks like a secret. Put it into the Secret: --secret-env {name}", code=2
            )
        found[name] = value
    return found


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


def _held(members: Sequence[Member]) -> dict[str, str]:
    """Return the trials that have ended, by stack, and when they did: `up` leaves them out, too."""
    now = datetime.now(UTC)
    return {
        each.stack: each.ends_on.shown
        for each in members
        if each.ends_on and not each.broken and each.expired(now)
    }


def _warn(held: Mapping[str, str], broken: Sequence[Member], setup: Setup, root: Path) -> None:
    for stack, day in held.items():
        echo(f"{stack} is left out: its trial ended on {day}. `tenantry expire` takes it down.", err=True)
    for each in broken:
        echo(f"{each.stack} will fail:", err=True)
        echo_text(str(each.broken), err=True)
    if setup.overlay.get("destroyOnFinalize"):
        echo("destroyOnFinalize: whoever deletes a manifest takes that customer's tenant down.", err=True)
    if not setup.own_image and not (root / "requirements.txt").is_file():
        echo(
            "There is no requirements.txt beside Pulumi.yaml, and a pod installs nothing else. "
            "Write one with a line `.`, or give an --image that has all of it.",
            err=True,
        )
