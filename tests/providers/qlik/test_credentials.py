from __future__ import annotations

import json
import shlex
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tenantry.providers.qlik import Cloud, CredentialsCommandFailed, CredentialsMissing, credentials
from tenantry.providers.qlik.credentials import CredentialSource
from tests.providers.qlik.secrecy import everything_said

GENERAL = {"QLIK_CLIENT_ID": "id", "QLIK_CLIENT_SECRET": "s3cret"}
EUROPE = {"QLIK_CLIENT_ID_EU": "eu-id", "QLIK_CLIENT_SECRET_EU": "eu-s3cret"}
ORGANISATION = {"QLIK_ORG_CLIENT_ID": "org-id", "QLIK_ORG_CLIENT_SECRET": "org-s3cret"}


@pytest.fixture
def command(tmp_path: Path) -> Any:
    """Make a command that prints `text`, fails with `code`, and counts its runs in `runs`."""
    runs = tmp_path / "runs"
    script = tmp_path / "print it.py"
    script.write_text(
        "import sys\n"
        f"open({str(runs)!r}, 'a').write('x')\n"
        "sys.stdout.write(sys.argv[1]); sys.stderr.write(sys.argv[1]); sys.exit(int(sys.argv[2]))\n"
    )

    def make(text: Any, code: int = 0) -> dict[str, str]:
        text = text if isinstance(text, str) else json.dumps(text)
        return {"QLIK_CREDENTIALS_COMMAND": shlex.join([sys.executable, str(script), text, str(code)])}

    make.runs = lambda: len(runs.read_text()) if runs.exists() else 0  # type: ignore[attr-defined]
    return make


def pair(found: credentials.Credentials) -> tuple[str, str]:
    return found.client_id, found.client_secret


def test_general_variables() -> None:
    found = CredentialSource(GENERAL).region("eu")
    assert pair(found) == ("id", "s3cret")
    assert found.source == "QLIK_CLIENT_ID and QLIK_CLIENT_SECRET"


def test_a_regions_own_variables_come_first() -> None:
    source = CredentialSource(GENERAL | EUROPE)
    assert pair(source.region("eu")) == ("eu-id", "eu-s3cret")
    assert pair(source.region("us")) == ("id", "s3cret")


def test_hyphens_of_a_region_become_underscores() -> None:
    environ = {"QLIK_CLIENT_ID_US_GOV": "a", "QLIK_CLIENT_SECRET_US_GOV": "b"}
    assert pair(CredentialSource(environ).region("us-gov")) == ("a", "b")


def test_organisation() -> None:
    source = CredentialSource(GENERAL | ORGANISATION)
    assert source.has_organisation
    assert pair(source.organisation()) == ("org-id", "org-s3cret")


def test_a_regions_client_is_never_used_for_the_organisation_or_the_reverse() -> None:
    assert not CredentialSource(GENERAL | EUROPE).has_organisation
    with pytest.raises(CredentialsMissing, match="QLIK_ORG_CLIENT_ID and QLIK_ORG_CLIENT_SECRET"):
        CredentialSource(GENERAL | EUROPE).organisation()
    with pytest.raises(CredentialsMissing):
        CredentialSource(ORGANISATION).region("eu")


def test_missing_names_everything_that_was_looked_for() -> None:
    with pytest.raises(CredentialsMissing) as caught:
        CredentialSource({}).region("eu")
    text = str(caught.value)
    for name in [*EUROPE, *GENERAL, "QLIK_CREDENTIALS_COMMAND"]:
        assert name in text


@pytest.mark.parametrize("missing", [*GENERAL, *EUROPE])
def test_half_a_pair_is_an_error_and_not_completed_from_elsewhere(missing: str) -> None:
    environ = {name: value for name, value in (GENERAL | EUROPE).items() if name != missing}
    if missing in GENERAL:
        environ = {name: value for name, value in environ.items() if name not in EUROPE}
    with pytest.raises(CredentialsMissing, match=f"{missing} is not"):
        CredentialSource(environ).region("eu")


def test_command_with_one_client(command: Any) -> None:
    source = CredentialSource(command({"client_id": "a", "client_secret": "b"}))
    assert pair(source.region("eu")) == ("a", "b")
    assert source.region("eu").source.startswith("QLIK_CREDENTIALS_COMMAND")
    assert not source.has_organisation


def test_command_with_regions_and_organisation(command: Any) -> None:
    printed = {
        "regions": {"eu": {"client_id": "a", "client_secret": "b"}},
        "organisation": {"client_id": "c", "client_secret": "d"},
    }
    source = CredentialSource(command(printed))
    assert pair(source.region("eu")) == ("a", "b")
    assert pair(source.organisation()) == ("c", "d")
    with pytest.raises(CredentialsMissing, match=r"regions\.us"):
        source.region("us")


def test_variables_come_before_the_command(command: Any) -> None:
    source = CredentialSource(GENERAL | command({"client_id": "a", "client_secret": "b"}))
    assert pair(source.region("eu")) == ("id", "s3cret")
    assert command.runs() == 0


def test_command_runs_once_for_all_threads(command: Any) -> None:
    source = CredentialSource(command({"client_id": "a", "client_secret": "b"}))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(source.region, ["eu", "us", "de", "ap"] * 3))
    assert {pair(each) for each in found} == {("a", "b")}
    assert command.runs() == 1


def test_failing_command_runs_once_too(command: Any) -> None:
    source = CredentialSource(command("", 3))
    for _ in range(3):
        with pytest.raises(CredentialsCommandFailed, match="exit code 3"):
            source.region("eu")
    assert command.runs() == 1


def test_command_has_no_shell(command: Any, tmp_path: Path) -> None:
    environ = command({"client_id": "a", "client_secret": "b"})
    environ["QLIK_CREDENTIALS_COMMAND"] += f" ; touch {tmp_path / 'touched'}"
    CredentialSource(environ).region("eu")
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize(
    ("printed", "code", "why"),
    [
        ('{"client_id": "a", "client_secret": "topsecret"}', 1, "exit code 1"),
        ("topsecret", 0, "not JSON"),
        ('["topsecret"]', 0, "not a JSON object"),
        ('{"client_id": "topsecret"}', 0, "client_secret"),
        ('{"client_id": "topsecret", "client_secret": 7}', 0, "client_secret"),
        ('{"client_id": "topsecret", "client_secret": ""}', 0, "client_secret"),
        ('{"regions": {"eu": "topsecret"}}', 0, "regions.eu"),
        ('{"regions": "topsecret"}', 0, "regions"),
    ],
)
def test_unusable_output_is_named_and_never_shown(command: Any, printed: str, code: int, why: str) -> None:
    with pytest.raises(CredentialsCommandFailed, match="QLIK_CREDENTIALS_COMMAND") as caught:
        CredentialSource(command(printed, code)).region("eu")
    assert why in str(caught.value)
    assert "topsecret" not in everything_said(caught.value)


@pytest.mark.parametrize("text", ["/no/such/program topsecret", "'topsecret", "/ topsecret"])
def test_command_that_cannot_start(text: str) -> None:
    with pytest.raises(CredentialsCommandFailed) as caught:
        CredentialSource({"QLIK_CREDENTIALS_COMMAND": text}).region("eu")
    assert "topsecret" not in everything_said(caught.value)


def test_command_of_blanks_is_none() -> None:
    with pytest.raises(CredentialsMissing):
        CredentialSource({"QLIK_CREDENTIALS_COMMAND": "  "}).region("eu")


def test_command_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "COMMAND_SECONDS", 0.2)
    hangs = shlex.join(
        [
            sys.executable,
            "-c",
            "import sys; print('topsecret'); sys.stdout.flush(); sys.stdin.close();"
            " import time; time.sleep(30)",
        ]
    )
    with pytest.raises(CredentialsCommandFailed, match=r"it took more than 0\.2 s") as caught:
        CredentialSource({"QLIK_CREDENTIALS_COMMAND": hangs}).region("eu")
    assert "topsecret" not in everything_said(caught.value)


def test_command_cannot_wait_for_input() -> None:
    reads = shlex.join([sys.executable, "-c", "input()"])
    with pytest.raises(CredentialsCommandFailed, match="exit code 1"):
        CredentialSource({"QLIK_CREDENTIALS_COMMAND": reads}).region("eu")


def test_nothing_is_read_before_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*GENERAL, *EUROPE, *ORGANISATION, "QLIK_CREDENTIALS_COMMAND", "QLIK_CLOUD_ENDPOINT"]:
        monkeypatch.delenv(name, raising=False)
    with Cloud.from_environment() as cloud:
        host = cloud.tenant("acme.eu.qlikcloud.com")
        assert not cloud.has_organisation
        with pytest.raises(CredentialsMissing):
            host.get("/api/v1/spaces")


def test_from_environment_reads_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    with Cloud.from_environment() as cloud:
        for name, value in ORGANISATION.items():
            monkeypatch.setenv(name, value)
        assert cloud.has_organisation


def test_representations_show_no_secret() -> None:
    source = CredentialSource(GENERAL)
    shown = repr(source) + repr(source.region("eu")) + str(source.region("eu")) + repr(Cloud(GENERAL))
    assert "s3cret" not in shown
    assert "'id'" not in shown
    assert shown.count("[secure]") >= 4
