"""Options that several commands have, each stated once.

    @takes(wanted=selection, output=reports)
    def preview(wanted: Wanted, output: Output, refresh: …) -> None: …

The command has the options of `selection` and of `reports` as well as its own, and gets what they return.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, get_type_hints

import typer

from tenantry.cli import names
from tenantry.cli.output import fail
from tenantry.settings.rules import choices

if TYPE_CHECKING:
    from tenantry.fleet.notify import Notifier, Target
    from tenantry.fleet.notify.events import Kind
    from tenantry.fleet.selection import Criteria

Command = Callable[..., None]


def takes(**groups: Callable[..., Any]) -> Callable[[Command], Command]:
    """Give a command the options of functions, and what these make of them as arguments of their names."""

    def decorate(command: Command) -> Command:
        options = {name: list(_options(make)) for name, make in groups.items()}
        # What a group makes is no option, so its type need not be there at run time.
        own = _options(command, but=groups)
        parameters = [*chain.from_iterable(options.values()), *own]

        @functools.wraps(command)
        def called(**given: Any) -> None:
            made = {
                name: groups[name](**{each.name: given.pop(each.name) for each in parts})
                for name, parts in options.items()
            }
            command(**made, **given)

        called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        called.__annotations__ = {each.name: each.annotation for each in parameters}
        return called

    return decorate


def _options(command: Callable[..., Any], but: Iterable[str] = ()) -> Iterator[inspect.Parameter]:
    for name, each in inspect.signature(command).parameters.items():
        if name not in but:
            declared = SimpleNamespace(__annotations__={name: each.annotation})
            hints = get_type_hints(declared, command.__globals__, include_extras=True)
            yield each.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY)


Stacks = Annotated[
    list[str] | None,
    typer.Argument(help="Names of the stacks.", show_default=False, autocompletion=names.stacks),
]
Every = Annotated[bool, typer.Option("--all", help="Every stack that has a file.")]
Plans = Annotated[
    list[str] | None,
    typer.Option(
        "--plan", help="Customers of this plan, or of one that extends it.", autocompletion=names.plans
    ),
]
Rings = Annotated[
    list[str] | None,
    typer.Option("--ring", help="Customers of this ring: pilot, early or broad.", autocompletion=names.rings),
]
Tags = Annotated[
    list[str] | None,
    typer.Option(
        "--tag",
        metavar="KEY=VALUE",
        help="Customers with this tag; of several values of one key any.",
        autocompletion=names.tags,
    ),
]
ChangedSince = Annotated[
    str,
    typer.Option(
        metavar="GITREF",
        help="Stacks whose file, plan or keys have changed since this commit; all if the code has.",
        show_default=False,
    ),
]
Sample = Annotated[
    int | None,
    typer.Option(min=0, help="With --changed-since: if the code has changed, only so many of the rest."),
]
OneShard = Annotated[
    str, typer.Option(metavar="K/N", help="Part K of N of what is selected.", show_default=False)
]
Times = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="With --shard: report.json of an earlier run, by which all parts are as much work. "
        "Give all parts the same.",
    ),
]


def any_selection(
    stacks: Stacks = None,
    every: Every = False,
    plans: Plans = None,
    rings: Rings = None,
    tags: Tags = None,
    changed_since: ChangedSince = "",
    sample: Sample = None,
    shard: OneShard = "",
    times: Times = None,
) -> Criteria:
    """Return which stacks are asked for; nothing at all means every one."""
    from tenantry.fleet import selection as fleet
    from tenantry.fleet.selection import Criteria, Shard, UnknownSelection

    if times and not shard:
        fail("--times: for which part? Give --shard as well.", code=2)
    try:
        part = Shard.parse(shard) if shard else None
        if part and times:
            part = replace(part, seconds=fleet.times(times))
    except UnknownSelection as error:
        fail(str(error), code=2)
    if every and stacks:
        fail("Name stacks or give --all, not both.", code=2)
    if sample is not None and not changed_since:
        fail("--sample: of what has changed since when? Give --changed-since as well.", code=2)
    values: dict[str, set[str]] = {}
    for key, value in map(_pair, tags or ()):
        values.setdefault(key, set()).add(value)
    return Criteria(
        tuple(stacks or ()),
        every,
        tuple(plans or ()),
        tuple(rings or ()),
        values,
        changed_since,
        sample,
        part,
    )


@functools.wraps(any_selection)
def selection(**given: Any) -> Criteria:
    """Return which stacks are asked for; the command ends where that is nothing at all."""
    wanted = any_selection(**given)
    if not wanted.is_given:
        fail("Which stacks? Name them, or give --all, --plan, --ring, --tag or --changed-since.", code=2)
    return wanted


def _pair(tag: str) -> tuple[str, str]:
    key, equals, value = tag.partition("=")
    if not equals or not key:
        fail(f"--tag {tag}: write KEY=VALUE", code=2)
    return key, value


class Notices(NamedTuple):
    """Whom to tell of a run, and of what: words of `tenantry.fleet.notify.events.KINDS`."""

    targets: tuple[Target, ...]
    about: tuple[Kind, ...]

    def notifiers(self, project: str, operation: str, stacks: int) -> list[Notifier]:
        """Return what follows a run over so many stacks; nothing if nobody is to be told."""
        if not self.targets:
            return []
        from tenantry.fleet.notify import Notifier
        from tenantry.fleet.notify.events import Run

        return [Notifier(self.targets, Run(project, operation), stacks, self.about)]


def notices(
    notify: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WHERE",
            help="Tell a webhook, Slack or Teams: an address, or env:NAME of the variable that holds it.",
            show_default=False,
        ),
    ] = None,
    about: Annotated[
        str,
        typer.Option(
            "--notify-about",
            metavar="EVENTS",
            help="Of which events: begun, failed, drifted, stopped, ended, trials. Default: all.",
            show_default=False,
        ),
    ] = "",
) -> Notices:
    """Return whom to tell of a run."""
    if not notify:
        if about:
            fail("--notify-about: who is told? Give --notify as well.", code=2)
        return Notices((), ())
    from tenantry.fleet.notify import Target, UnusableTarget
    from tenantry.fleet.notify.events import KINDS

    wanted = [each.strip() for each in about.split(",")] if about else KINDS
    if unknown := [each for each in wanted if each not in KINDS]:
        fail(f"--notify-about {unknown[0]}: there is no such event{choices(unknown[0], KINDS)}", code=2)
    try:
        targets = tuple(map(Target.parse, notify))
    except UnusableTarget as error:
        fail(f"--notify: {error}.", code=2)
    return Notices(targets, tuple(each for each in KINDS if each in wanted))


class Output(NamedTuple):
    """How a report is wanted: one form on standard output, and all of them in a folder."""

    form: str
    folder: Path | None


def reports(
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print it as Markdown, as for a pull request.")
    ] = False,
    as_html: Annotated[bool, typer.Option("--html", help="Print it as a page of HTML.")] = False,
    folder: Annotated[
        Path | None,
        typer.Option("--reports", metavar="DIR", help="Write report.json, report.md and report.html here."),
    ] = None,
) -> Output:
    """Return how the report is wanted."""
    forms = [name for name, on in (("json", as_json), ("markdown", as_markdown), ("html", as_html)) if on]
    if len(forms) > 1:
        fail(f"--{' and --'.join(forms)}: one of them can be printed; --reports DIR writes all.", code=2)
    return Output(forms[0] if forms else "", folder)
