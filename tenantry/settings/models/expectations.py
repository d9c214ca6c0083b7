"""Expectations that `tenantry smoke` checks in the data of published apps."""

from __future__ import annotations

from tenantry.settings.models.block import NO_REQUEST, Block, key
from tenantry.settings.values import Count, Hours, Text


class Expectations(Block):
    """Expectations about the data of an app. `tenantry smoke` checks them in every published copy.

    `expect: {}` expects any data: at least one table with a row.
    """

    rows: dict[str, Count] = key(
        default_factory=dict, about="The smallest number of rows of each table.", change=NO_REQUEST
    )
    distinct_values: dict[str, Count] = key(
        default_factory=dict,
        about="The exact number of distinct values of each field.",
        change=NO_REQUEST,
    )
    field_comments: dict[str, Text] = key(
        default_factory=dict,
        about="The comment of each field, which the load script sets with `COMMENT FIELD`. The script can "
        "write a value of the data into it.",
        change=NO_REQUEST,
    )
    reloaded_within_hours: Hours | None = key(
        None, about="The largest number of hours since the last reload of the app.", change=NO_REQUEST
    )
