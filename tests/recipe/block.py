"""Banners, which are lines of text that every user sees."""

from __future__ import annotations

from tenantry.settings.models.block import AT_CREATION, NO_REQUEST, Block, ResourceMapping, key
from tenantry.settings.values import Name, Switch, Text


class Banner(Block):
    """A line of text that every user sees. (Banners API)"""

    mapping = ResourceMapping("Banner", "banner", identity=("name",), properties={"text": "content"})

    name: Name = key(about="Its name at Qlik. Default: the key.")
    text: str | None = key(None, about="The text that users read.")
    renamed_from: Text | None = key(
        None, about="The former key, so that a new key keeps the same banner.", change=NO_REQUEST
    )
    adopt: Switch = key(
        False, about="Take over a banner of that name that somebody else created.", change=AT_CREATION
    )
