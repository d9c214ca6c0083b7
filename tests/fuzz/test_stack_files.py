"""Any stack file and plan result in settings or in a list of problems.

A few fixed examples run with all tests. `make fuzz ARGS=20000` runs 20000 random ones.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given

from tenantry.fleet.members import Member, members
from tenantry.settings import SettingsError, check_plan
from tenantry.settings.loading import resolve
from tenantry.settings.models import Settings
from tenantry.settings.origins import as_mapping, values_of
from tests.fuzz.examples import EXAMPLES, fuzzing
from tests.fuzz.stack_files import damaged_files, generated_files

DEFAULT_EXAMPLES = 150
EXTRA_MEMORY_BYTES = 1 << 30
MAX_SECONDS = 2


@pytest.fixture(scope="module")
def stack_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stack file in a project with a second, valid stack file."""
    root = tmp_path_factory.mktemp("fuzz")
    (root / "Pulumi.yaml").write_text("name: fuzz\nruntime: python\nstackConfigDir: stacks\n")
    (root / "stacks" / "plans").mkdir(parents=True)
    (root / "stacks" / "Pulumi.good.yaml").write_text(
        "config:\n  qlik:region: eu\n  qlik:source_tenant: templates.eu.qlikcloud.com\n"
        "  tenantry:customer: {name: Good}\n"
    )
    return root / "stacks" / "Pulumi.globex.yaml"


@pytest.fixture(scope="module")
def bounded_memory() -> Iterator[None]:
    """Limit the additional memory of the process. Code that needs more gets a MemoryError."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + EXTRA_MEMORY_BYTES, hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


@pytest.mark.usefixtures("bounded_memory")
@pytest.mark.parametrize("files", [generated_files, damaged_files])
def test_any_file_results_in_settings_or_problems(stack_file: Path, files: object) -> None:
    @fuzzing(DEFAULT_EXAMPLES)
    @given(content=files())  # type: ignore[operator]
    def read(content: tuple[bytes, bytes]) -> None:
        stack_file.write_bytes(content[0])
        (stack_file.parent / "plans" / "gold.yaml").write_bytes(content[1])
        started = time.thread_time()
        _read(stack_file)
        assert not EXAMPLES or time.thread_time() - started < MAX_SECONDS

    read()


def _read(stack_file: Path) -> None:
    result: Settings | SettingsError
    try:
        result = resolve(stack_file).settings
        assert as_mapping(values_of(stack_file))
    except SettingsError as error:
        result = error
        _check_problems(error)
    good = stack_file.with_name("Pulumi.good.yaml")
    fuzzed, valid = members({"globex": stack_file, "good": good})
    expected = Member("good", good, "Good", files=(good,), grace_days=30, source_tenant=valid.source_tenant)
    assert valid == replace(expected, digest=valid.digest)
    assert (fuzzed.broken is None) == isinstance(result, Settings)
    try:
        check_plan(stack_file.parent / "plans" / "gold.yaml")
    except SettingsError as error:
        _check_problems(error)


def _check_problems(error: SettingsError) -> None:
    """Check that each problem is one line with a file, and that there was no unexpected error."""
    assert error.__cause__ is None, error
    assert error.problems
    assert len(str(error).splitlines()) == len(error.problems) + 1
    assert all(problem.file and problem.text for problem in error.problems)
