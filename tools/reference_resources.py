"""Write docs/resources.md, the resource reference, from the resource classes: `make docs`."""

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

These are the resource types of a customer. `QlikCustomerTenant` creates the resources from a stack file. You can also use
them directly in `__main__.py` of [your own repository](your-repository.md), next to `QlikCustomerTenant` or instead of it:

```python
{example}```

Set a property to a value or to an output of another resource. You read it as an output. Null and unset both mean the
default. If the default of a property is "left alone" and you do not set it, Tenantry does not send it to Qlik and does
not compare it. The order of a list of names has no meaning. A preview also reports invalid values.

The column *change* says what a new value does to an existing object: `in place` changes it, `replaces` creates a new
object and deletes the old one, `refused` is an error, `no request` changes only the state, and `at creation` means that
the property has no effect after the object is created. A `not kept` property has an effect only in the run that creates
the resource, and is not stored in the state.

A preview sends no request. If an object with that name exists already and this client created it, Tenantry takes it
over, so you can safely repeat a run or kill it. If somebody else created it, the run fails, unless you set `adopt` to
manage the object from now on.
"""  # noqa: E501 (paragraphs of a page)


def pages() -> dict[Path, str]:
    """Return the expected content of the generated page."""
    introduction = INTRODUCTION.format(example=EXAMPLE.read_text("utf-8"))
    sections = (section(name, kind) for name, kind in resource_types().items())
    closing = "This page is generated from the classes: `make docs`."
    return {PAGE: "\n".join([introduction, *sections, closing, ""])}


def section(name: str, kind: type[Resource]) -> str:
    """Describe one resource type: its purpose, its properties, and the outputs that Qlik adds."""
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
    """Describe one property as a row of the table."""
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
    """Describe the outputs that Qlik adds."""
    computed = [prop for prop in kind.properties.values() if prop.computed]
    if computed:
        yield "| output | type | meaning |"
        yield "|---|---|---|"
        yield from (f"| `{prop.name}` | {type_name(prop.type)} | {prop.doc} |" for prop in computed)
        yield ""


def default(prop: Property[Any]) -> str:
    """Describe the meaning of an unset property."""
    if prop.default is REQUIRED:
        return "required"
    if prop.default is None:
        return "left alone" if prop.at_qlik else "none"
    return f"`{prop.default!r}`".replace("'", '"')


def type_name(hint: Any) -> str:
    """Return a readable name of a type: `str`, `list[str]`, or the allowed words."""
    if get_origin(hint) is Literal:
        return ", ".join(f'`"{word}"`' for word in get_args(hint))
    arguments = get_args(hint)
    if arguments and get_origin(hint) not in (list, dict):
        return " or ".join(type_name(argument) for argument in arguments)
    return f"`{hint.__name__ if isinstance(hint, type) and not arguments else hint}`"
