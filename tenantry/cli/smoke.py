"""`tenantry smoke`: what an end user sees, of one customer or of many, also between the waves of an `up`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.cli import names
from tenantry.cli.extras import needs
from tenantry.cli.output import echo, echo_text
from tenantry.cli.projects import current_project, root_of
from tenantry.cli.running import chosen_by
from tenantry.cli.shared import selection, takes
from tenantry.providers.values.words import counted
from tenantry.text import for_line

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from tenantry.cli.app_data import PublishedApp
    from tenantry.cli.end_user import Group
    from tenantry.fleet.members import Member
    from tenantry.fleet.selection import Criteria
    from tenantry.providers.qlik import Cloud, Host

PATIENCE = 120.0
STACK = "{stack}"

KEY = typer.Option(
    "--key",
    metavar="FILE",
    help="The private key (PEM) whose public half is an identity provider of the tenant; {stack} in its path "
    "stands for the name of the stack.",
    show_default=False,
)
Say = Callable[[str], None]


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(smoke)


@takes(wanted=selection)
def smoke(
    wanted: Criteria,
    key: Annotated[Path, KEY],
    groups: Annotated[
        list[str] | None,
        typer.Option(
            "--group",
            help="Key of a group in the stack file; may be given several times. Default: each idp group.",
            show_default=False,
            autocompletion=names.groups,
        ),
    ] = None,
    patience: Annotated[
        float, typer.Option("--wait", min=0, help="Seconds that Qlik may take to open apps to a new user.")
    ] = PATIENCE,
    release: Annotated[
        bool, typer.Option("--release", help="Give back the entitlement that the test user holds at the end.")
    ] = False,
) -> None:
    """Log in as a member of each group and see whether it finds its published apps, and nothing else.

    Then see whether the published apps have the data that the stack file expects (apps.<key>.expect).
    One customer after the other. The test user, tenantry-smoke, is made by the login and removed at the end.
    A login can spend an entitlement of the licence, so it is part of `up` only with --smoke. A customer who
    has no tenant yet is left out, unless it is named. The exit code is 1 if anything is wrong.
    """
    project = current_project()
    members = chosen_by(wanted, project).members
    test = SmokeTest(root_of(project), key, tuple(groups or ()), patience, release, tuple(wanted.names))
    results = list(test.of(members, result=echo_text))
    numbers = [(word, sum(each.word == word for each in results)) for word in ("ok", "failed", "left out")]
    told = ", ".join(f"{number:,} {word}" for word, number in numbers if number)
    echo(f"{counted(len(results), 'stack')}: {told}" if results else "0 stacks")
    if any(each.problems for each in results):
        raise typer.Exit(1)


@dataclass(frozen=True)
class Seen:
    """What a smoke test has seen of a stack: what is wrong, or that it was left out."""

    stack: str
    problems: tuple[str, ...] = ()
    left_out: bool = False

    @property
    def word(self) -> str:
        """How it went."""
        return "failed" if self.problems else "left out" if self.left_out else "ok"


@dataclass(frozen=True)
class SmokeTest:
    """The smoke test of the stacks of the project in the folder `root`.

    `groups`: all that somebody can log in as, where none are given. `named`: stacks that must have a tenant.
    """

    root: Path
    key: Path
    groups: tuple[str, ...] = ()
    patience: float = PATIENCE
    release: bool = False
    named: tuple[str, ...] = ()

    def of(self, members: Sequence[Member], *, result: Say) -> Iterator[Seen]:
        """Look at the stacks one after the other, and yield what was seen of each.

        `result` is told what was found, standard error what is being done.
        """
        from tenantry.providers.qlik import Cloud, QlikError

        with needs("cli"):
            import tenantry.cli.keys  # noqa: F401 (whether it can be imported)

        try:
            with Cloud.from_environment() as cloud:
                cloud.notify = _progress
                for number, member in enumerate(members, start=1):
                    if len(members) > 1:
                        _progress(f"[{number}/{len(members)}] {member.stack}")
                    seen = self._seen(cloud, member, result)
                    yield seen
        except QlikError as error:
            _progress(str(error))
            raise typer.Exit(1) from None

    def _seen(self, cloud: Cloud, member: Member, result: Say) -> Seen:
        """Look at one stack; whatever is in the way is what was seen."""
        from tenantry.cli.app_data import published_apps
        from tenantry.cli.end_user import Unfit, group_of
        from tenantry.cli.keys import KeyUnfit, read_private
        from tenantry.providers.qlik import QlikError
        from tenantry.settings import SettingsError, load_file
        from tenantry.state.backend import Backend, NoSuchStack, PulumiFailed

        stack = member.stack
        try:
            customer = load_file(member.file).customer
            try:
                outputs = Backend(self.root).outputs(stack)
            except NoSuchStack:
                outputs = {}
            if "hostname" not in outputs:
                text = f"Stack {stack} has no tenant yet: run `pulumi up --stack {stack}` first."
                result(text)
                return Seen(stack, (text,)) if stack in self.named else Seen(stack, left_out=True)
            names = self.groups or [
                name for name, group in customer.groups.items() if group.provider_type == "idp"
            ]
            checked = [group_of(customer, outputs, name) for name in dict.fromkeys(names)]
            private = read_private(Path(str(self.key).replace(STACK, stack)))
            tenant = cloud.tenant(outputs["hostname"])
            wrong = self._look(stack, tenant, private, checked, result)
            wrong += self._look_at_data(stack, tenant, published_apps(customer, outputs), result)
        except (SettingsError, PulumiFailed, Unfit, KeyUnfit, QlikError) as error:
            told = for_line(str(error)) if isinstance(error, Unfit | KeyUnfit) else str(error)
            result(f"{stack}: FAILED\n  {told}")
            return Seen(stack, (told,))
        if not checked:
            result(f"{stack}: there is no group that somebody could log in as")
        return Seen(stack, tuple(wrong))

    def _look(
        self, stack: str, tenant: Host, private: RSAPrivateKey, groups: Sequence[Group], result: Say
    ) -> list[str]:
        """Check the groups one after the other, and return what is wrong."""
        from tenantry.cli import end_user

        signer = end_user.signer_for(tenant, private)
        names = [end_user.name_of(tenant, group) for group in groups]
        _progress(
            f"Logging in to {tenant.hostname} as the test user {end_user.SUBJECT}, who is removed again.\n"
            f"{end_user.entitlements_spent(tenant)}"
        )
        wrong: list[str] = []
        for group, name in zip(groups, names, strict=True):
            problems = end_user.check(tenant, signer, group, name, self.patience)
            apps = ", ".join(group.published.values()) or "no app"
            result(_told(stack, group.key, problems, f"sees {apps} and nothing else"))
            wrong += [f"{group.key} {problem}" for problem in problems]
        if self.release:
            kinds = end_user.release_entitlements(tenant)
            result(f"{stack}: given back: {', '.join(kinds) or 'nothing, it held no entitlement'}.")
        return wrong

    def _look_at_data(
        self, stack: str, tenant: Host, apps: Sequence[PublishedApp], result: Say
    ) -> Iterator[str]:
        """Check the data of the apps one after the other, and yield what is wrong."""
        from tenantry.cli import app_data

        for app in apps:
            problems = app_data.check(tenant, app, self.patience)
            result(_told(stack, app.label, problems, "has the data that the stack file expects"))
            yield from (f"{app.label} {problem}" for problem in problems)


def _told(stack: str, name: str, problems: Sequence[str], otherwise: str) -> str:
    """Return the lines about a group or an app; `otherwise`: what to say if there are no problems."""
    if not problems:
        return for_line(f"{stack}, {name}: ok, {otherwise}")
    told = ("  " + problem.replace("\n", "\n    ") for problem in problems)
    return "\n".join([for_line(f"{stack}, {name}: FAILED"), *told])


def _progress(line: str) -> None:
    echo_text(line, err=True)
