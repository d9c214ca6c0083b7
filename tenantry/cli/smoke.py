"""`tenantry smoke`: a check of what end users see, for one or many customers, and between waves of `up`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tenantry.cli import names
from tenantry.cli.commands import add_command
from tenantry.cli.extras import needs
from tenantry.cli.output import echo, echo_text
from tenantry.cli.projects import current_project, root_of
from tenantry.cli.running import select_stacks
from tenantry.cli.shared import selection, with_options
from tenantry.providers.values.words import counted
from tenantry.text import for_line

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from tenantry.cli.app_data import PublishedApp
    from tenantry.cli.end_user import Group
    from tenantry.fleet.members import Member
    from tenantry.fleet.selection import Criteria
    from tenantry.providers.qlik import Cloud, Host

DEFAULT_WAIT_SECONDS = 120.0
STACK = "{stack}"

KEY = typer.Option(
    "--key",
    metavar="FILE",
    help="Private key (PEM) of a JWT identity provider of the tenant. {stack} in the path is replaced by the "
    "name of the stack.",
    show_default=False,
)
PrintResult = Callable[[str], None]


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    add_command(app, smoke, example="smoke acme --key keys/acme/private.pem")


@with_options(criteria=selection)
def smoke(
    criteria: Criteria,
    key: Annotated[Path, KEY],
    groups: Annotated[
        list[str] | None,
        typer.Option(
            "--group",
            metavar="GROUP",
            help="Key of a group in the stack file. Can be repeated. Default: each idp group.",
            show_default=False,
            autocompletion=names.groups,
        ),
    ] = None,
    wait_seconds: Annotated[
        float,
        typer.Option(
            "--wait", min=0, metavar="SECONDS", help="How long to wait until Qlik opens apps to a new user."
        ),
    ] = DEFAULT_WAIT_SECONDS,
    release: Annotated[
        bool, typer.Option("--release", help="At the end, release the entitlement of the test user.")
    ] = False,
) -> None:
    """Log in as a user of each group and check what they see.

    The user must see the published apps of the group, and nothing else. Also checks that the published apps
    have the data that the stack file expects (apps.<key>.expect). The login creates the test user
    tenantry-smoke, and the command deletes it at the end. A login can use an entitlement of the licence, so
    `up` runs this only with --smoke. Skips customers who have no tenant yet, unless you name them. The exit
    code is 1 if there are problems.
    """
    project = current_project()
    members = select_stacks(criteria, project).members
    test = SmokeTest(root_of(project), key, tuple(groups or ()), wait_seconds, release, tuple(criteria.names))
    results = list(test.run(members, print_result=echo_text))
    numbers = [
        (word, sum(result.word == word for result in results)) for word in ("ok", "failed", "left out")
    ]
    totals = ", ".join(f"{number:,} {word}" for word, number in numbers if number)
    echo(f"{counted(len(results), 'stack')}: {totals}" if results else "0 stacks")
    if any(result.problems for result in results):
        raise typer.Exit(1)


@dataclass(frozen=True)
class SmokeResult:
    """The result of a smoke test for a stack. `left_out`: the stack was not tested."""

    stack: str
    problems: tuple[str, ...] = ()
    left_out: bool = False

    @property
    def word(self) -> str:
        """The result in one or two words."""
        return "failed" if self.problems else "left out" if self.left_out else "ok"


@dataclass(frozen=True)
class SmokeTest:
    """The smoke test of stacks of the project in the folder `root`.

    `groups` are the keys of the groups to check, by default all idp groups. The stacks in `required_stacks`
    must have a tenant.
    """

    root: Path
    key: Path
    groups: tuple[str, ...] = ()
    wait_seconds: float = DEFAULT_WAIT_SECONDS
    release: bool = False
    required_stacks: tuple[str, ...] = ()

    def run(self, members: Sequence[Member], *, print_result: PrintResult) -> Iterator[SmokeResult]:
        """Test the stacks one after the other, and yield their results.

        `print_result` prints the results. The progress goes to standard error.
        """
        from tenantry.providers.qlik import Cloud, QlikError

        with needs("cli"):
            import tenantry.cli.keys  # noqa: F401 (fails here if a library is missing)

        try:
            with Cloud.from_environment() as cloud:
                cloud.notify = _progress
                for number, member in enumerate(members, start=1):
                    if len(members) > 1:
                        _progress(f"[{number}/{len(members)}] {member.stack}")
                    yield self._test(cloud, member, print_result)
        except QlikError as error:
            _progress(str(error))
            raise typer.Exit(1) from None

    def _test(self, cloud: Cloud, member: Member, print_result: PrintResult) -> SmokeResult:
        """Test one stack. An error that prevents the test becomes its result."""
        from tenantry.cli.app_data import published_apps
        from tenantry.cli.end_user import SmokeTestRefused, group_of
        from tenantry.cli.keys import UnusableKey, read_private
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
                print_result(text)
                return (
                    SmokeResult(stack, (text,))
                    if stack in self.required_stacks
                    else SmokeResult(stack, left_out=True)
                )
            names = self.groups or [
                name for name, group in customer.groups.items() if group.provider_type == "idp"
            ]
            groups = [group_of(customer, outputs, name) for name in dict.fromkeys(names)]
            private_key = read_private(Path(str(self.key).replace(STACK, stack)))
            tenant = cloud.tenant(outputs["hostname"])
            problems = self._check_groups(stack, tenant, private_key, groups, print_result)
            problems += self._check_data(stack, tenant, published_apps(customer, outputs), print_result)
        except (SettingsError, PulumiFailed, SmokeTestRefused, UnusableKey, QlikError) as error:
            text = for_line(str(error)) if isinstance(error, SmokeTestRefused | UnusableKey) else str(error)
            print_result(f"{stack}: FAILED\n  {text}")
            return SmokeResult(stack, (text,))
        if not groups:
            print_result(f"{stack}: it has no idp group, so no user can log in")
        return SmokeResult(stack, tuple(problems))

    def _check_groups(
        self,
        stack: str,
        tenant: Host,
        private_key: RSAPrivateKey,
        groups: Sequence[Group],
        print_result: PrintResult,
    ) -> list[str]:
        """Check the groups one after the other, and return the problems."""
        from tenantry.cli import end_user

        signer = end_user.signer_for(tenant, private_key)
        names = [end_user.name_of(tenant, group) for group in groups]
        _progress(
            f"Logging in to {tenant.hostname} as the test user {end_user.SUBJECT}, which is deleted later.\n"
            f"{end_user.entitlements_spent(tenant)}"
        )
        all_problems: list[str] = []
        for group, name in zip(groups, names, strict=True):
            problems = end_user.check(tenant, signer, group, name, self.wait_seconds)
            apps = ", ".join(group.published.values()) or "no app"
            print_result(_lines(stack, group.key, problems, f"sees {apps} and nothing else"))
            all_problems += [f"{group.key} {problem}" for problem in problems]
        if self.release:
            kinds = end_user.release_entitlements(tenant)
            print_result(f"{stack}: released entitlements: {', '.join(kinds) or 'none'}.")
        return all_problems

    def _check_data(
        self, stack: str, tenant: Host, apps: Sequence[PublishedApp], print_result: PrintResult
    ) -> Iterator[str]:
        """Check the data of the apps one after the other, and yield the problems."""
        from tenantry.cli import app_data

        for app in apps:
            problems = app_data.check(tenant, app, self.wait_seconds)
            print_result(_lines(stack, app.label, problems, "has the data that the stack file expects"))
            yield from (f"{app.label} {problem}" for problem in problems)


def _lines(stack: str, name: str, problems: Sequence[str], success_text: str) -> str:
    """Return the lines about a group or an app. `success_text` is the text if there are no problems."""
    if not problems:
        return for_line(f"{stack}, {name}: ok, {success_text}")
    lines = ("  " + problem.replace("\n", "\n    ") for problem in problems)
    return "\n".join([for_line(f"{stack}, {name}: FAILED"), *lines])


def _progress(line: str) -> None:
    echo_text(line, err=True)
