"""Origins of the content security policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tenantry.settings.models.block import AT_CREATION, NO_REQUEST, Block, ResourceMapping, key
from tenantry.settings.values import CspDescription, CspName, FormerKeys, HostSource, Switch
from tenantry.settings.violations import Violation

CSP_ORIGINS_PER_TENANT = 256
CSP_HEADER_LENGTH = 6144
"""In characters. Qlik also counts its own origins; Tenantry does not."""


class CspOrigin(Block):
    """An origin in the tenant's content security policy: what extensions can load from it, and whether its
    pages can show the tenant in a frame. (CSP Origins API)
    """

    mapping = ResourceMapping("CspOrigin", "CSP origin", identity=("origin",), output=False)

    name: CspName = key(about="Its name at Qlik. Default: the key.")
    origin: HostSource = key(
        about="The host, `[scheme://]host[:port]`, without a path; `*.` at its start matches all subdomains."
    )
    description: CspDescription | None = key(None, about="Why it is allowed; 1024 characters at most.")
    child_src: Switch = key(False, about="Workers and frames can be loaded from it.")
    connect_src: Switch = key(False, about="Scripts can connect to it.")
    connect_src_wss: Switch = key(False, about="Scripts can open WebSockets to it.")
    font_src: Switch = key(False, about="Fonts can be loaded from it.")
    form_action: Switch = key(False, about="Forms can be sent to it.")
    frame_ancestors: Switch = key(False, about="Its pages can show the tenant in a frame.")
    frame_src: Switch = key(False, about="Frames can show its pages.")
    img_src: Switch = key(False, about="Images can be loaded from it.")
    media_src: Switch = key(False, about="Audio and video can be loaded from it.")
    object_src: Switch = key(False, about="Plug-ins can be loaded from it.")
    script_src: Switch = key(False, about="Scripts can be loaded from it.")
    style_src: Switch = key(False, about="Style sheets can be loaded from it.")
    worker_src: Switch = key(False, about="Workers can be loaded from it.")
    renamed_from: FormerKeys | None = key(
        None,
        about="The former key, or a list of former keys, so that the new key keeps the same entry.",
        change=NO_REQUEST,
    )
    adopt: Switch = key(
        False,
        about="Take over an existing entry for this origin. Qlik does not say who created an entry, so "
        "Tenantry takes over an identical entry even without `adopt`.",
        change=AT_CREATION,
    )

    @classmethod
    def rules(cls, block: str, entries: Mapping[str, Any]) -> Iterator[Violation]:
        """Check that origins differ, that each entry allows something, and that the limits of Qlik hold."""
        taken: dict[str, str] = {}
        for name, entry in sorted(entries.items()):
            at = block, name
            first = taken.setdefault(entry.origin, name)
            if first != name and entry.origin is not None:
                text = f'"{entry.origin}" is also the origin of "{first}"; combine the two entries'
                yield Violation((*at, "origin"), text)
            if all(getattr(entry, directive) is False for directive in DIRECTIVES):
                text = f"allows nothing; set at least one of {', '.join(DIRECTIVES)} to true"
                yield Violation(at, text, incomplete=True)
        if len(entries) > CSP_ORIGINS_PER_TENANT:
            text = f"has {len(entries)} entries; Qlik allows {CSP_ORIGINS_PER_TENANT} per tenant"
            yield Violation((block,), text)
        length = sum(
            len(entry.origin or "") + 1
            for entry in entries.values()
            for directive in DIRECTIVES
            if getattr(entry, directive)
        )
        if length > CSP_HEADER_LENGTH:
            text = (
                f"makes a header of {length} characters (each origin once for each directive that is true); "
                f"Qlik allows {CSP_HEADER_LENGTH}"
            )
            yield Violation((block,), text)


DIRECTIVES = tuple(
    name
    for name, field in CspOrigin.model_fields.items()
    if name.endswith(("_src", "_wss")) or name in ("form_action", "frame_ancestors")
)
