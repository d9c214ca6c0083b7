"""How to install a missing extra of Tenantry."""

from __future__ import annotations

from tenantry.starting.requirement import requirement


def how_to_install(extra: str) -> str:
    """Return a sentence that says how to install an extra from the source of this installation.

    If pip recorded a wheel, a commit or a folder as the source, the command names it.
    """
    wanted = requirement((extra,))
    if " @ " in wanted:
        return f'Install it with: pip install "{wanted}"'
    return (
        f'Install Tenantry {wanted.partition("==")[2]} again from the same source, with its extra "{extra}".'
    )
