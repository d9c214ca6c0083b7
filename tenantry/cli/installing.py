"""The advice for a missing extra of Tenantry."""

from __future__ import annotations

from tenantry.starting.requirement import requirement


def how_to_install(extra: str) -> str:
    """Return a sentence that says how to install an extra from the source of this installation.

    If pip recorded a wheel, a commit or a folder as the source, the command names it.
    """
    pip_requirement = requirement((extra,))
    if " @ " in pip_requirement:
        return f'Install it with: pip install "{pip_requirement}"'
    version = pip_requirement.partition("==")[2]
    return f'Install Tenantry {version} again from the same source, with its extra "{extra}".'
