"""Options that several commands share, each defined once.

    @with_options(criteria=selection, output=reports)
    def preview(criteria: Criteria, output: Output, refresh: …) -> None: …

The command has the options of `selection` and `reports` as well as its own. It receives their results.
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


def with_options(**groups: Callable[..., Any]) -> Callable[[Command], Command]:
    """Add the options of functions to a command, and pass the results of these functions to it.

    The keyword of a function is the name of the command's parameter for its result.
    """

    def decorate(command: Command) -> Command:
        options = {name: list(_options(group_function)) for name, group_function in groups.items()}
        # The result of a group function is not an option, so its type need not exist at run time.
        own_options = _options(command, exclude=groups)
        parameters = [*chain.from_iterable(options.values()), *own_options]

        @functools.wraps(command)
        def wrapper(**arguments: Any) -> None:
            values = {
                name: groups[name](**{option.name: arguments.pop(option.name) for option in group_options})
                for name, group_options in options.items()
            }
            command(**values, **arguments)

        wrapper.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        wrapper.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return wrapper

    return decorate


def _options(command: Callable[..., Any], exclude: Iterable[str] = ()) -> Iterator[inspect.Parameter]:
    for name, parameter in inspect.signature(command).parameters.items():
        if name not in exclude:
            declared = SimpleNamespace(__annotations__={name: parameter.annotation})
            hints = get_type_hints(declared, command.__globals__, include_extras=True)
            yield parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY)


Stacks = Annotated[
    list[str] | None,
    typer.Argument(metavar="STACK", help="Names of stacks.", show_default=False, autocompletion=names.stacks),
]
Every = Annotated[bool, typer.Option("--all", help="Select every stack that has a file.")]
Plans = Annotated[
    list[str] | None,
    typer.Option(
        "--plan",
        metavar="PLAN",
        help="Select the customers on this plan, or on a plan that extends it.",
        autocompletion=names.plans,
    ),
]
Rings = Annotated[
    list[str] | None,
    typer.Option(
        "--ring",
        metavar="RING",
        help="Select the customers in this ring: pilot, early or broad.",
        autocompletion=names.rings,
    ),
]
Tags = Annotated[
    list[str] | None,
    typer.Option(
        "--tag",
        metavar="KEY=VALUE",
        help="Select the customers with this tag. Several values of one key: any of them.",
        autocompletion=names.tags,
    ),
]
ChangedSince = Annotated[
    str,
    typer.Option(
        metavar="GITREF",
        help="Select the stacks whose file, plan or keys changed since this commit; all if the code changed.",
        show_default=False,
    ),
]
Sample = Annotated[
    int | None,
    typer.Option(
        min=0,
        metavar="N",
        help="With --changed-since, if the code changed: select only N of the other stacks.",
    ),
]
OneShard = Annotated[
    str,
    typer.Option(
        metavar="K/N", help="Divide the selected stacks into N parts and use only part K.", show_default=False
    ),
]
Times = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="With --shard: report.json of an earlier run, to divide the work evenly. "
        "Give all parts the same file.",
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
    """Return the criteria for the stacks. Without any option, all stacks are selected."""
    from tenantry.fleet import selection as fleet
    from tenantry.fleet.selection import Criteria, Shard, UnknownSelection

    if times and not shard:
        fail("--times needs --shard.", code=2)
    try:
        part = Shard.parse(shard) if shard else None
        if part and times:
            part = replace(part, seconds=fleet.times(times))
    except UnknownSelection as error:
        fail(str(error), code=2)
    if every and stacks:
        fail("Give stack names or --all, not both.", code=2)
    if sample is not None and not changed_since:
        fail("--sample needs --changed-since.", code=2)
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
def selection(**options: Any) -> Criteria:
    """Return the criteria for the stacks. Without any option, the command ends with an error."""
    criteria = any_selection(**options)
    if not criteria.is_given:
        fail(
            "No stacks are selected. Name them, or give --all, --plan, --ring, --tag or --changed-since.",
            code=2,
        )
    return criteria


def _pair(tag: str) -> tuple[str, str]:
    key, equals, value = tag.partition("=")
    if not equals or not key:
        fail(f"--tag {tag}: the form is KEY=VALUE", code=2)
    return key, value


class Notices(NamedTuple):
    """The targets for notifications of a run, and the events to send."""

    targets: tuple[Target, ...]
    about: tuple[Kind, ...]

    def notifiers(self, project: str, operation: str, stacks: int) -> list[Notifier]:
        """Return the notifiers of a run over `stacks` stacks. Without `--notify`, there are none."""
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
            help="Notify a webhook, Slack or Teams: its URL, or env:NAME for a variable that holds the URL.",
            show_default=False,
        ),
    ] = None,
    about: Annotated[
        str,
        typer.Option(
            "--notify-about",
            metavar="EVENTS",
            help="Events to send: begun, failed, drifted, stopped, ended, trials. Default: all.",
            show_default=False,
        ),
    ] = "",
) -> Notices:
    """Return the targets for notifications of a run, and the events to send."""
    if not notify:
        if about:
            fail("--notify-about needs --notify.", code=2)
        return Notices((), ())
    from tenantry.fleet.notify import Target, UnusableTarget
    from tenantry.fleet.notify.events import KINDS

    kinds = [word.strip() for word in about.split(",")] if about else KINDS
    if unknown := [word for word in kinds if word not in KINDS]:
        fail(f"--notify-about {unknown[0]}: there is no such event{choices(unknown[0], KINDS)}", code=2)
    try:
        targets = tuple(map(Target.parse, notify))
    except UnusableTarget as error:
        fail(f"--notify: {error}.", code=2)
    return Notices(targets, tuple(kind for kind in KINDS if kind in kinds))


class Output(NamedTuple):
    """The destination of a report: one format goes to standard output, all formats go into a folder."""

    form: str
    folder: Path | None


def reports(
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print the report as Markdown, for example for a pull request.")
    ] = False,
    as_html: Annotated[bool, typer.Option("--html", help="Print the report as HTML.")] = False,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--reports", metavar="DIR", help="Write report.json, report.md and report.html into this folder."
        ),
    ] = None,
) -> Output:
    """Return the destination of the report."""
    forms = [
        name for name, is_set in (("json", as_json), ("markdown", as_markdown), ("html", as_html)) if is_set
    ]
    if len(forms) > 1:
        fail(
            f"--{' and --'.join(forms)}: only one of them can be printed. --reports DIR writes all of them.",
            code=2,
        )
    return Output(forms[0] if forms else "", folder)
