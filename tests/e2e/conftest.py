"""Fixtures for tests with the real engine."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.e2e import backends
from tests.e2e.harness import PULUMI, Stack
from tests.e2e.operators import environment
from tests.packages import build

if TYPE_CHECKING:
    from tenantry.emulator import Emulator

MEMORY_FOLDER = Path("/dev/shm")


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Path]:
    """A private folder, in memory if possible, because the engine writes its state at every step."""
    if not os.access(MEMORY_FOLDER, os.W_OK):
        yield tmp_path
        return
    folder = Path(tempfile.mkdtemp(prefix="tenantry-", dir=MEMORY_FOLDER))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def session_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for the whole test session of this process, in memory if possible."""
    in_memory = os.access(MEMORY_FOLDER, os.W_OK)
    base = MEMORY_FOLDER if in_memory else tmp_path_factory.mktemp("stacks")
    folder = Path(tempfile.mkdtemp(prefix="tenantry-", dir=base))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def make_stack(session_folder: Path) -> Iterator[Callable[..., Stack]]:
    """Return a function that creates stacks, with the arguments of `Stack` after the folder.

    Their processes end with the test. The nth stack of a test is always in the same folder, see `up_cache`.
    """
    assert PULUMI.exists(), f"{PULUMI} is missing; run: make setup"
    parent = session_folder / "stacks"
    shutil.rmtree(parent, ignore_errors=True)
    parent.mkdir()
    with ExitStack() as stacks:

        def create(name: str = "globex", **options: object) -> Stack:
            folder = parent / f"{len(list(parent.iterdir()))}-{name}"
            folder.mkdir()
            return stacks.enter_context(Stack(folder, name, **options))  # type: ignore[arg-type]

        yield create


@pytest.fixture
def stack(make_stack: Callable[..., Stack], qlik: Emulator) -> Stack:
    """The stack `globex` of the real program against a fresh emulator. Write its file before `up`."""
    return make_stack(qlik=qlik)


@pytest.fixture(scope="session")
def new_backend() -> Iterator[Callable[[str], backends.Environment]]:
    """Return a function that creates an empty Postgres or S3 backend. The servers stop with the session."""
    with backends.running() as new:
        yield new


@pytest.fixture(scope="session")
def bin_(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` folder of an environment that has the wheel and not the checkout."""
    folder = tmp_path_factory.mktemp("installed")
    return environment(folder, build(folder))
