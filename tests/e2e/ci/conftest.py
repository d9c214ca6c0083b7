"""Fixtures for the workflows of GitHub and GitLab."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tenantry.emulator import Emulator
from tests.e2e.ci.github import GitHub
from tests.e2e.ci.gitlab import GitLab
from tests.e2e.ci.site import PLANNERS, Site
from tests.fleet.forge_server import serving


@pytest.fixture
def site(scratch: Path, qlik: Emulator) -> Iterator[Site]:
    """A repository with a customer in each ring. Nothing is deployed yet."""
    with serving() as forge:
        forge.login = "github-actions[bot]"
        site = Site(scratch, qlik, forge)
        site.write_plan("standard", spaces={"Sales": {"type": "managed"}})
        site.write("initech", name="Initech", plan="standard", ring="pilot")
        site.write("hooli", name="Hooli", ring="early", groups=PLANNERS)
        site.write("globex", name="Globex", plan="standard")
        site.push()
        yield site


@pytest.fixture
def github(site: Site) -> GitHub:
    """The simulation of GitHub, with an empty cache."""
    return GitHub(site, site.folder / "github")


@pytest.fixture
def gitlab(site: Site) -> GitLab:
    """The simulation of GitLab, with an empty cache."""
    return GitLab(site, site.folder / "gitlab")
