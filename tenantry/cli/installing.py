"""How to install an extra of Tenantry that is missing here."""

from __future__ import annotations

from tenantry.starting.requirement import requirement


def how_to_install(extra: str) -> str:
    """Return a sentence that says how to get an extra, from where this Tenantry came.

    That need not be an index: where pip has noted a wheel, a commit or a folder, the command has it.
    """
    wanted = requirement((extra,))
    if " @ " in wanted:
        return f'Install it with: pip install "{wanted}"'
    return (
        f'Install Tenantry {wanted.partition("==")[2]} again, from where it came, with its extra "{extra}".'
    )
