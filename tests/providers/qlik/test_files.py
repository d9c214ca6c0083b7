from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tenantry.providers.qlik import (
    ApiError,
    ConnectionFailed,
    DeadlineExceeded,
    ResponseLost,
    UnexpectedResponse,
)
from tenantry.providers.qlik.testing import Reply
from tests.providers.qlik.conftest import TENANT, MakeHarness, error_reply
from tests.providers.qlik.test_calls import CONNECTION_RESET

LOCATION = "/api/v1/temp-contents/abc"


def test_a_download_writes_the_content_to_the_file(make_harness: MakeHarness, tmp_path: Path) -> None:
    harness = make_harness([Reply(200, content=b"x" * 1_000_000)])
    target = tmp_path / "app.qvf"
    assert harness.tenant.download(LOCATION, target) == 1_000_000
    assert target.read_bytes() == b"x" * 1_000_000
    assert list(tmp_path.iterdir()) == [target]
    assert (harness.api_calls[0].method, harness.api_calls[0].host, harness.api_calls[0].path) == (
        "GET",
        TENANT,
        LOCATION,
    )
    assert harness.api_calls[0].headers["Accept-Encoding"] == "identity"


def test_an_empty_download_writes_an_empty_file(make_harness: MakeHarness, tmp_path: Path) -> None:
    target = tmp_path / "empty"
    assert make_harness([Reply(200)]).tenant.download(LOCATION, target) == 0
    assert target.read_bytes() == b""


def test_a_download_waits_until_the_content_is_complete(make_harness: MakeHarness, tmp_path: Path) -> None:
    harness = make_harness([Reply(204), Reply(204), Reply(200, content=b"app")])
    assert harness.tenant.download(LOCATION, tmp_path / "app") == 3
    assert harness.clock.sleeps == [1, 1]


def test_a_download_waits_no_longer_than_the_deadline(make_harness: MakeHarness, tmp_path: Path) -> None:
    harness = make_harness(lambda call: Reply(204), {"TENANTRY_DEADLINE": "30"})
    with pytest.raises(DeadlineExceeded, match=f"{LOCATION} to be complete"):
        harness.tenant.download(LOCATION, tmp_path / "app")
    assert sum(harness.clock.sleeps) <= 30
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("before", [None, b"old"])
@pytest.mark.parametrize(
    ("replies", "error"),
    [
        ([error_reply(410)], ApiError),
        ([Reply(202, content=b"later")], UnexpectedResponse),
        ([Reply(206, content=b"part")], UnexpectedResponse),
        ([Reply(200, content=b"short", headers={"Content-Length": "10"})] * 4, ConnectionFailed),
        ([CONNECTION_RESET] * 4, ConnectionFailed),
    ],
)
def test_a_failed_download_changes_no_file(
    make_harness: MakeHarness,
    tmp_path: Path,
    replies: list[Reply],
    error: type[Exception],
    before: bytes | None,
) -> None:
    target = tmp_path / "app"
    if before is not None:
        target.write_bytes(before)
    harness = make_harness(list(replies))
    with pytest.raises(error):
        harness.tenant.download(LOCATION, target)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == (
        {"app": before} if before else {}
    )
    assert len(harness.api_calls) == len(replies)


def test_an_interrupted_download_starts_again(make_harness: MakeHarness, tmp_path: Path) -> None:
    incomplete = Reply(
        200, content=b"too short, but longer than the rest", headers={"Content-Length": "1000"}
    )
    harness = make_harness([incomplete, error_reply(503), Reply(200, content=b"whole")])
    assert harness.tenant.download(LOCATION, tmp_path / "app") == 5
    assert (tmp_path / "app").read_bytes() == b"whole"


def test_an_error_response_to_a_download_is_raised_and_not_saved(
    make_harness: MakeHarness, tmp_path: Path
) -> None:
    with pytest.raises(ApiError, match="TEMP-410"):
        make_harness([error_reply(410, "TEMP-410")]).tenant.download(LOCATION, tmp_path / "app")


def test_an_upload_sends_the_content_of_the_file(make_harness: MakeHarness, tmp_path: Path) -> None:
    file = tmp_path / "app.qvf"
    file.write_bytes(b"qvf" * 200_000)
    harness = make_harness([Reply(200, {"attributes": {"id": "1", "name": "Sales"}})])
    response = harness.tenant.upload("/api/v1/apps/import", file, params={"spaceId": "s", "name": "Sales"})
    assert response == {"attributes": {"id": "1", "name": "Sales"}}
    call = harness.api_calls[0]
    assert (call.method, call.params) == ("POST", {"spaceId": ["s"], "name": ["Sales"]})
    assert call.body == file.read_bytes()
    assert call.headers["Content-Type"] == "application/octet-stream"
    assert call.headers["Content-Length"] == "600000"


def test_an_upload_is_repeated_only_if_it_is_repeatable(make_harness: MakeHarness, tmp_path: Path) -> None:
    file = tmp_path / "app.qvf"
    file.write_bytes(b"qvf")
    with pytest.raises(ResponseLost):
        make_harness([CONNECTION_RESET]).tenant.upload("/x", file)
    harness = make_harness([CONNECTION_RESET, Reply(204)])
    assert harness.tenant.upload("/x", file, repeatable=True) is None
    assert [call.body for call in harness.api_calls] == [b"qvf", b"qvf"]


@pytest.mark.parametrize("refusal", [error_reply(401), error_reply(429, Retry_After="1")], ids=["401", "429"])
def test_a_refused_upload_is_sent_again_from_the_start(
    make_harness: MakeHarness, tmp_path: Path, refusal: Reply
) -> None:
    file = tmp_path / "app.qvf"
    file.write_bytes(b"qvf")
    harness = make_harness([refusal, Reply(200, {})])
    harness.tenant.upload("/x", file)
    assert [call.body for call in harness.api_calls] == [b"qvf", b"qvf"]


def test_an_upload_of_a_missing_file_sends_nothing(make_harness: MakeHarness, tmp_path: Path) -> None:
    harness = make_harness([])
    with pytest.raises(FileNotFoundError):
        harness.tenant.upload("/x", tmp_path / "nothing")


MEASURE_MEMORY = """
import resource, sys
from pathlib import Path
from tenantry.providers.qlik import Cloud
from tests.providers.qlik.wire import Wire

folder, size = Path(sys.argv[1]), int(sys.argv[2])

def script(exchange):
    if exchange.command == "POST":
        return exchange.respond(200, {})
    exchange.send_response(200)
    exchange.send_header("Content-Length", str(size))
    exchange.end_headers()
    block = bytes(1 << 20)
    for _ in range(size >> 20):
        exchange.wfile.write(block)

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10

source = folder / "source"
with source.open("wb") as file:
    file.truncate(size)
with Wire(script, discard=True) as wire:
    environ = {"QLIK_CLIENT_ID": "i", "QLIK_CLIENT_SECRET": "s", "QLIK_CLOUD_ENDPOINT": wire.url}
    with Cloud(environ) as cloud:
        tenant = cloud.tenant("a.eu.qlikcloud.com")
        tenant.post("/warm-up", {})
        before = peak()
        tenant.upload("/upload", source)
        assert wire.api_requests[-1].headers["Content-Length"] == str(size)
        assert tenant.download("/download", folder / "target") == size
        print(peak() - before)
(folder / "target").unlink()
"""


def test_a_large_file_is_not_loaded_into_memory(tmp_path: Path) -> None:
    megabytes = 192
    process = subprocess.run(
        [sys.executable, "-c", MEASURE_MEMORY, str(tmp_path), str(megabytes << 20)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    assert int(process.stdout) < 24
