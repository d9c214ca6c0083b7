"""The help of a command: a summary on one line, an example, and placeholders instead of types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup


class ReadableCommand(TyperCommand):
    """A command whose help shows no Python types."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the arguments and options of the command."""
        return list(map(_without_type, super().get_params(ctx)))


class ReadableGroup(TyperGroup):
    """A group of commands whose help shows no Python types."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the options of the group."""
        return list(map(_without_type, super().get_params(ctx)))


def add_command(
    app: typer.Typer, command: Callable[..., None], name: str | None = None, *, example: str, **settings: Any
) -> None:
    """Add a command. The first paragraph of its docstring is its summary in the list of commands."""
    # The terminal wraps a paragraph only if it contains no line feeds.
    paragraphs = [" ".join(paragraph.split()) for paragraph in (command.__doc__ or "").split("\n\n")]
    app.command(
        name,
        cls=ReadableCommand,
        help="\n\n".join(paragraphs),
        short_help=paragraphs[0],
        epilog=f"Example: `tenantry {example}`",
        **settings,
    )(command)


def _without_type(parameter: Any) -> Any:
    """Return the parameter with a placeholder, such as STACK, where Typer shows a type, such as `<str>`."""
    if parameter.param_type_name == "argument":
        parameter.display_type_rich = _no_type
    if parameter.metavar is None:
        is_flag = getattr(parameter, "is_flag", False)
        parameter.metavar = "" if is_flag else parameter.name.upper().replace("_", "-")
    return parameter


def _no_type(ctx: Any) -> None:
    """Show no type after the name of an argument."""
