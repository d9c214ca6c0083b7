"""Write docs/resources.md, the reference of the resources, from their classes: `make docs`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from tenantry.providers import resource_types
from tenantry.providers.framework.properties import REQUIRED, Property
from tenantry.providers.framework.resource import Resource
from tenantry.providers.values import tokens

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE = DOCS / "resources.md"
EXAMPLE = DOCS / "examples" / "own-program" / "__main__.py"
INTRODUCTION = """\
# Resources

The kinds of resource that a customer is made of. `QlikCustomerTenant` makes them from a stack file. You can also use
them directly, in `__main__.py` of [your own repository](your-repository.md), beside `QlikCustomerTenant` or instead of it:

```python
{example}```

Every property takes a value or an output of another resource, and reads as an output. Null and unset mean the
same: the default. While a property whose default is "left alone" is unset, it is neither sent to Qlik nor compared
with what is there. The order of a list of names has no meaning. A preview also tells what is wrong with a value.

The column *change* says what another value does to the object that exists: `in place` changes it, `replaces`
makes a new one and deletes the old one, `refused` is an error, `no request` changes the state alone, and
`at creation` means that the property is of no meaning afterwards. `not kept` is for the run that makes the resource, and
not in the state.

A preview sends no request. If an object of that name exists already, it is taken over if this client made it, so
that a repeated or killed run is safe. Otherwise it is an error, unless `adopt` says to manage it from here on.
"""  # noqa: E501 (paragraphs of a page)


def pages() -> dict[Path, str]:
    """What the generated page must hold."""
    introduction = INTRODUCTION.format(example=EXAMPLE.read_text("utf-8"))
    sections = (section(name, kind) for name, kind in resource_types().items())
    closing = "This page is generated from the classes: `make docs`."
    return {PAGE: "\n".join([introduction, *sections, closing, ""])}


def section(name: str, kind: type[Resource]) -> str:
    """Describe one kind: what it is, what a program sets, what Qlik adds."""
    return "\n".join(
        [
            f"## {name}\n",
            f"{inspect.cleandoc(kind.__doc__ or '')}\n",
            f"Type token `{tokens.of(name)}`.\n",
            "| property | type | default | change | meaning |",
            "|---|---|---|---|---|",
            *(row(prop) for prop in kind.inputs()),
            "",
            *outputs(kind),
        ]
    )


def row(prop: Property[Any]) -> str:
    """Describe one property in a row."""
    hint = prop.limits.hint or ", ".join(prop.choices)
    meaning = f"{prop.doc} Allowed: {hint}." if hint else prop.doc
    cells = (
        f"`{prop.name}`",
        type_name(prop.type),
        default(prop),
        prop.change.value,
        meaning.replace("|", "\\|"),
    )
    return f"| {' | '.join(cells)} |"


def outputs(kind: type[Resource]) -> Iterator[str]:
    """Describe what Qlik adds."""
    computed = [prop for prop in kind.properties.values() if prop.computed]
    if computed:
        yield "| output | type | meaning |"
        yield "|---|---|---|"
        yield from (f"| `{prop.name}` | {type_name(prop.type)} | {prop.doc} |" for prop in computed)
        yield ""


def default(prop: Property[Any]) -> str:
    """What an unset property means."""
    if prop.default is REQUIRED:
        return "required"
    if prop.default is None:
        return "left alone" if prop.at_qlik else "none"
    return f"`{prop.default!r}`".replace("'", '"')


def type_name(hint: Any) -> str:
    """Name a type as a reader knows it: `str`, `list[str]`, or the words that are allowed."""
    if get_origin(hint) is Literal:
        return ", ".join(f'`"{word}"`' for word in get_args(hint))
    arguments = get_args(hint)
    if arguments and get_origin(hint) not in (list, dict):
        return " or ".join(type_name(argument) for argument in arguments)
    return f"`{hint.__name__ if isinstance(hint, type) and not arguments else hint}`"
