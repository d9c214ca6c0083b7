"""What `tenantry smoke` looks for in the data of published apps."""

from __future__ import annotations

from tenantry.settings.models.block import NO_REQUEST, Block, key
from tenantry.settings.values import Count, Hours, Text


class Expectations(Block):
    """What the data of an app must be like wherever the app is published; `tenantry smoke` looks at it.

    `expect: {}` asks for any data: one table with a row.
    """

    rows: dict[str, Count] = key(
        default_factory=dict, about="For each table: how many rows it has at least.", change=NO_REQUEST
    )
    distinct_values: dict[str, Count] = key(
        default_factory=dict,
        about="For each field: how many distinct values it has, exactly.",
        change=NO_REQUEST,
    )
    field_comments: dict[str, Text] = key(
        default_factory=dict,
        about="For each field: its comment, which the load script sets with `COMMENT FIELD`. It can hold a "
        "value of the data.",
        change=NO_REQUEST,
    )
    reloaded_within_hours: Hours | None = key(
        None, about="How many hours ago the app was reloaded at most.", change=NO_REQUEST
    )
