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
from tests.providers.qlik.secrecy import all_text

GENERAL = {"QLIK_CLIENT_ID": "id", "QLIK_CLIENT_SECRET": "s3cret"}
EUROPE = {"QLIK_CLIENT_ID_EU": "eu-id", "QLIK_CLIENT_SECRET_EU": "eu-s3cret"}
ORGANISATION = {"QLIK_ORG_CLIENT_ID": "org-id", "QLIK_ORG_CLIENT_SECRET": "org-s3cret"}


@pytest.fixture
def command(tmp_path: Path) -> Any:
    """Return a function that writes a command. It prints `text`, exits with `code` and counts its runs."""
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


def pair(client: credentials.Credentials) -> tuple[str, str]:
    """Return the id and the secret of a client."""
    return client.client_id, client.client_secret


def test_a_region_uses_the_general_variables() -> None:
    client = CredentialSource(GENERAL).region("eu")
    assert pair(client) == ("id", "s3cret")
    assert client.source == "QLIK_CLIENT_ID and QLIK_CLIENT_SECRET"


def test_a_regions_own_variables_come_first() -> None:
    source = CredentialSource(GENERAL | EUROPE)
    assert pair(source.region("eu")) == ("eu-id", "eu-s3cret")
    assert pair(source.region("us")) == ("id", "s3cret")


def test_hyphens_of_a_region_become_underscores() -> None:
    environ = {"QLIK_CLIENT_ID_US_GOV": "a", "QLIK_CLIENT_SECRET_US_GOV": "b"}
    assert pair(CredentialSource(environ).region("us-gov")) == ("a", "b")


def test_the_organisation_has_its_own_variables() -> None:
    source = CredentialSource(GENERAL | ORGANISATION)
    assert source.has_organisation
    assert pair(source.organisation()) == ("org-id", "org-s3cret")


def test_region_and_organisation_never_use_each_others_client() -> None:
    assert not CredentialSource(GENERAL | EUROPE).has_organisation
    with pytest.raises(CredentialsMissing, match="QLIK_ORG_CLIENT_ID and QLIK_ORG_CLIENT_SECRET"):
        CredentialSource(GENERAL | EUROPE).organisation()
    with pytest.raises(CredentialsMissing):
        CredentialSource(ORGANISATION).region("eu")


def test_the_error_for_missing_credentials_names_every_variable() -> None:
    with pytest.raises(CredentialsMissing) as caught:
        CredentialSource({}).region("eu")
    text = str(caught.value)
    for name in [*EUROPE, *GENERAL, "QLIK_CREDENTIALS_COMMAND"]:
        assert name in text


@pytest.mark.parametrize("missing", [*GENERAL, *EUROPE])
def test_an_incomplete_pair_is_an_error_and_is_not_completed_from_another_pair(missing: str) -> None:
    environ = {name: value for name, value in (GENERAL | EUROPE).items() if name != missing}
    if missing in GENERAL:
        environ = {name: value for name, value in environ.items() if name not in EUROPE}
    with pytest.raises(CredentialsMissing, match=f"{missing} is not"):
        CredentialSource(environ).region("eu")


def test_a_command_can_print_one_client(command: Any) -> None:
    source = CredentialSource(command({"client_id": "a", "client_secret": "b"}))
    assert pair(source.region("eu")) == ("a", "b")
    assert source.region("eu").source.startswith("QLIK_CREDENTIALS_COMMAND")
    assert not source.has_organisation


def test_a_command_can_print_clients_for_regions_and_the_organisation(command: Any) -> None:
    output = {
        "regions": {"eu": {"client_id": "a", "client_secret": "b"}},
        "organisation": {"client_id": "c", "client_secret": "d"},
    }
    source = CredentialSource(command(output))
    assert pair(source.region("eu")) == ("a", "b")
    assert pair(source.organisation()) == ("c", "d")
    with pytest.raises(CredentialsMissing, match=r"regions\.us"):
        source.region("us")


def test_variables_come_before_the_command(command: Any) -> None:
    source = CredentialSource(GENERAL | command({"client_id": "a", "client_secret": "b"}))
    assert pair(source.region("eu")) == ("id", "s3cret")
    assert command.runs() == 0


def test_the_command_runs_once_for_all_threads(command: Any) -> None:
    source = CredentialSource(command({"client_id": "a", "client_secret": "b"}))
    with ThreadPoolExecutor(4) as pool:
        clients = list(pool.map(source.region, ["eu", "us", "de", "ap"] * 3))
    assert {pair(client) for client in clients} == {("a", "b")}
    assert command.runs() == 1


def test_a_failing_command_runs_only_once(command: Any) -> None:
    source = CredentialSource(command("", 3))
    for _ in range(3):
        with pytest.raises(CredentialsCommandFailed, match="exit code 3"):
            source.region("eu")
    assert command.runs() == 1


def test_the_command_runs_without_a_shell(command: Any, tmp_path: Path) -> None:
    environ = command({"client_id": "a", "client_secret": "b"})
    environ["QLIK_CREDENTIALS_COMMAND"] += f" ; touch {tmp_path / 'touched'}"
    CredentialSource(environ).region("eu")
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize(
    ("output", "code", "reason"),
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
def test_the_error_for_invalid_output_never_shows_the_output(
    command: Any, output: str, code: int, reason: str
) -> None:
    with pytest.raises(CredentialsCommandFailed, match="QLIK_CREDENTIALS_COMMAND") as caught:
        CredentialSource(command(output, code)).region("eu")
    assert reason in str(caught.value)
    assert "topsecret" not in all_text(caught.value)


@pytest.mark.parametrize("text", ["/no/such/program topsecret", "'topsecret", "/ topsecret"])
def test_a_command_that_cannot_start_is_an_error(text: str) -> None:
    with pytest.raises(CredentialsCommandFailed) as caught:
        CredentialSource({"QLIK_CREDENTIALS_COMMAND": text}).region("eu")
    assert "topsecret" not in all_text(caught.value)


def test_a_blank_command_counts_as_unset() -> None:
    with pytest.raises(CredentialsMissing):
        CredentialSource({"QLIK_CREDENTIALS_COMMAND": "  "}).region("eu")


def test_a_command_that_hangs_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "COMMAND_SECONDS", 0.2)
    command = shlex.join(
        [
            sys.executable,
            "-c",
            "import sys; print('topsecret'); sys.stdout.flush(); sys.stdin.close();"
            " import time; time.sleep(30)",
        ]
    )
    with pytest.raises(CredentialsCommandFailed, match=r"it took more than 0\.2 s") as caught:
        CredentialSource({"QLIK_CREDENTIALS_COMMAND": command}).region("eu")
    assert "topsecret" not in all_text(caught.value)


def test_the_command_has_no_input() -> None:
    command = shlex.join([sys.executable, "-c", "input()"])
    with pytest.raises(CredentialsCommandFailed, match="exit code 1"):
        CredentialSource({"QLIK_CREDENTIALS_COMMAND": command}).region("eu")


def test_credentials_are_read_when_the_first_request_needs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*GENERAL, *EUROPE, *ORGANISATION, "QLIK_CREDENTIALS_COMMAND", "QLIK_CLOUD_ENDPOINT"]:
        monkeypatch.delenv(name, raising=False)
    with Cloud.from_environment() as cloud:
        host = cloud.tenant("acme.eu.qlikcloud.com")
        assert not cloud.has_organisation
        with pytest.raises(CredentialsMissing):
            host.get("/api/v1/spaces")


def test_from_environment_follows_changes_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with Cloud.from_environment() as cloud:
        for name, value in ORGANISATION.items():
            monkeypatch.setenv(name, value)
        assert cloud.has_organisation


def test_representations_show_no_secret() -> None:
    source = CredentialSource(GENERAL)
    text = repr(source) + repr(source.region("eu")) + str(source.region("eu")) + repr(Cloud(GENERAL))
    assert "s3cret" not in text
    assert "'id'" not in text
    assert text.count("[secure]") >= 4
