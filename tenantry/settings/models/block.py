"""What all blocks of a stack file have in common."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, Field

IN_PLACE = "in place"
AT_CREATION = "read only when it is made"
NEW_IMPORT = "imported anew and republished; published apps keep their id"
NO_REQUEST = "nothing at Qlik"
NEVER_CUT_OFF = "refused: add a second entry"


def key(default: Any = ..., *, about: str, change: str = IN_PLACE, **more: Any) -> Any:
    """Declare a key of a block: its default, what it does, and what a change of it means for what exists."""
    return Field(default, description=about, json_schema_extra={"x-change": change}, **more)


class Block(BaseModel):
    """A mapping of known keys; every other key is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def block_of(annotation: Any) -> type[Block] | None:
    """Return the block that an annotation is about: `Group` of `dict[str, Group]`; None if there is none."""
    if isinstance(annotation, type) and issubclass(annotation, Block):
        return annotation
    return next((block for part in get_args(annotation) if (block := block_of(part))), None)
