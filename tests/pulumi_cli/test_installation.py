"""Tests of the sources of the Pulumi CLI, and of `.venv/bin/pulumi`, with fake commands."""

from __future__ import annotations

import hashlib
import http.server
import io
import os
import platform
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tenantry.pulumi_cli import build, golang, installation, release
from tenantry.pulumi_cli.stamps import Stamps
from tenantry.pulumi_cli.steps import SetupError

Fake = Callable[..., Path]


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    """Return a function that writes an executable shell script `folder/name` with a body."""

    def write_script(folder: Path | str, name: str, body: str) -> Path:
        file = tmp_path / folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/sh\n{body}\n")
        file.chmod(0o755)
        return file

    return write_script


@pytest.fixture
def fake_cli(fake: Fake) -> Callable[..., Path]:
    """Return a function that writes a fake Pulumi CLI with its plugins, and returns its folder."""

    def write_cli(folder: str, version: str) -> Path:
        for plugin in release.PLUGINS:
            fake(folder, plugin, "")
        return fake(folder, "pulumi", f"echo v{version}").parent

    return write_cli


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    """Serve the files in `tmp_path/www`. Yields the URL of the server and the requested paths."""
    requests: list[str] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(tmp_path / "www"))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            requests.append(self.path)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as web:
        thread = threading.Thread(target=web.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{web.server_port}", requests
        web.shutdown()
        thread.join()


def set_path(monkeypatch: pytest.MonkeyPatch, *folders: Path) -> None:
    """Set PATH to these folders and the folders of the system."""
    monkeypatch.setenv("PATH", os.pathsep.join([*map(str, folders), "/usr/bin", "/bin"]))


def test_the_wrapper_starts_the_cli_with_the_python_of_the_environment(fake: Fake, tmp_path: Path) -> None:
    """It works with unusual folder names, arguments with spaces, and another Python in the variables."""
    cli = fake("the 'odd' $HOME folder", "pulumi", 'echo "$PULUMI_PYTHON_CMD|$PATH|$1|$2"')
    venv = tmp_path / "a venv"
    wrapper = fake(venv / "bin", "pulumi", "")
    wrapper.write_text(installation.wrapper_script(cli, venv))
    env = {"PATH": "/usr/bin:/bin", "PULUMI_PYTHON_CMD": "python2"}
    result = subprocess.run(
        [wrapper, "up", "--message=a b"], env=env, text=True, check=True, capture_output=True
    )
    path = f"{venv / 'bin'}:{cli.parent}:/usr/bin:/bin"
    assert result.stdout == f"{venv / 'bin' / 'python'}|{path}|up|--message=a b\n"
    assert installation.target_of(wrapper) == cli


def test_the_folder_of_the_cache_can_be_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("TENANTRY_CACHE", raising=False)
    assert installation.cache() == Path("/home/ada/.cache/tenantry")
    monkeypatch.setenv("XDG_CACHE_HOME", "/big")
    assert installation.cache() == Path("/big/tenantry")
    monkeypatch.setenv("TENANTRY_CACHE", str(tmp_path))
    assert installation.cache() == tmp_path


def test_a_cli_on_path_is_used_and_searched_for_once(
    fake_cli: Callable[..., Path], fake: Fake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = fake_cli("installed", "3.300.1")
    set_path(monkeypatch, home)
    venv = tmp_path / ".venv"
    installation.ensure(venv, Stamps(venv))
    assert installation.target_of(venv / "bin" / "pulumi") == home / "pulumi"
    monkeypatch.setattr(release, "on_path", pytest.fail)
    installation.ensure(venv, Stamps(venv))


def test_a_deleted_cli_is_searched_for_again(
    fake_cli: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first, second = fake_cli("first", "3.300.1"), fake_cli("second", "3.300.2")
    set_path(monkeypatch, first, second)
    venv = tmp_path / ".venv"
    installation.ensure(venv, Stamps(venv))
    (first / "pulumi").unlink()
    installation.ensure(venv, Stamps(venv))
    assert installation.target_of(venv / "bin" / "pulumi") == second / "pulumi"


@pytest.mark.parametrize(
    ("version", "missing_plugin", "expected"),
    [
        ("3.253.9", "", "3.253.9 is not used: 3.254.0 or newer is required"),
        ("3.300.0", "pulumi-language-python", "pulumi-language-python is missing"),
        ("none", "", "did not print a version"),
    ],
)
def test_an_unusable_cli_on_path_is_reported_with_the_reason(
    fake_cli: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    version: str,
    missing_plugin: str,
    expected: str,
) -> None:
    home = fake_cli("installed", version)
    if missing_plugin:
        (home / missing_plugin).unlink()
    set_path(monkeypatch, home)
    assert release.on_path(tmp_path, installation.MARK) is None
    assert expected in capsys.readouterr().out


def test_a_wrapper_of_tenantry_is_not_used_as_the_cli(
    fake_cli: Callable[..., Path], fake: Fake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A wrapper that starts its own script, or the one of another checkout, runs in a loop."""
    home = fake_cli(".venv/bin", "3.300.0")
    set_path(monkeypatch, home)
    assert release.on_path(home, installation.MARK) is None
    other = fake("other/bin", "pulumi", "")
    other.write_text(installation.wrapper_script(home / "pulumi", tmp_path / "other"))
    set_path(monkeypatch, other.parent)
    assert release.on_path(home, installation.MARK) is None


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., release.Archive]:
    """Return a function that publishes an archive with these files as the known release."""

    def publish(files: dict[str, str]) -> release.Archive:
        name = "pulumi-v3.300.0-linux-x64.tar.gz"
        file = tmp_path / "www" / name
        file.parent.mkdir(exist_ok=True)
        with tarfile.open(file, "w:gz") as tar:
            for path, text in files.items():
                member = tarfile.TarInfo(path)
                member.size = len(text)
                tar.addfile(member, io.BytesIO(text.encode()))
            link = tarfile.TarInfo("pulumi/link")
            link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
            tar.addfile(link)
        known = release.Archive(name, "3.300.0", hashlib.sha256(file.read_bytes()).hexdigest())
        monkeypatch.setattr(release, "known", lambda: known)
        return known

    return publish


CLI = "#!/bin/sh\necho v3.300.0\n"


def test_the_official_release_is_downloaded_once_and_unpacked(
    archive: Callable[..., release.Archive], server: tuple[str, list[str]], tmp_path: Path
) -> None:
    """Only the programs in its folder are unpacked. Links and paths to other folders are ignored."""
    address, requests = server
    known = archive(
        {"pulumi/pulumi": CLI, "pulumi/pulumi-language-python": "", "pulumi/../../x": "", "y": ""}
    )
    cli = release.installed(tmp_path / "cache", f"{address}/")
    assert cli
    assert release.version_of(cli) == (3, 300, 0)
    assert sorted(file.name for file in cli.parent.iterdir()) == ["pulumi", "pulumi-language-python"]
    assert [file.name for file in cli.parent.parent.iterdir()] == ["bin"]
    assert release.installed(tmp_path / "cache", f"{address}/") == cli
    assert requests == [f"/{known.name}"]
    assert not (tmp_path / "x").exists()


def test_an_archive_with_another_content_is_refused(
    archive: Callable[..., release.Archive],
    server: tuple[str, list[str]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One additional byte is enough, even though the archive can still be unpacked."""
    known = archive({"pulumi/pulumi": CLI})
    with (tmp_path / "www" / known.name).open("ab") as file:
        file.write(b"\0")
    assert release.installed(tmp_path / "cache", f"{server[0]}/") is None
    assert f"{known.sha256} is expected." in capsys.readouterr().out
    assert [file.name for file in (tmp_path / "cache").iterdir()] == ["pulumi.lock"]


@pytest.mark.parametrize("files", [{}, {"pulumi/pulumi": "#!/bin/sh\nexit 1\n"}])
def test_an_archive_without_a_working_cli_leaves_nothing(
    archive: Callable[..., release.Archive],
    server: tuple[str, list[str]],
    tmp_path: Path,
    files: dict[str, str],
) -> None:
    archive(files)
    assert release.installed(tmp_path / "cache", f"{server[0]}/") is None
    assert [file.name for file in (tmp_path / "cache").iterdir()] == ["pulumi.lock"]


def test_a_failed_download_prints_the_reason_and_is_not_an_error(
    server: tuple[str, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "www").mkdir()
    assert release.installed(tmp_path / "cache", f"{server[0]}/") is None
    assert "The download failed: HTTP Error 404" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("system", "machine", "kind"),
    [
        ("Linux", "x86_64", "linux-x64"),
        ("Linux", "aarch64", "linux-arm64"),
        ("Darwin", "arm64", "darwin-arm64"),
        ("Darwin", "x86_64", "darwin-x64"),
        ("Linux", "riscv64", None),
    ],
)
def test_each_supported_machine_has_a_known_archive(
    monkeypatch: pytest.MonkeyPatch, system: str, machine: str, kind: str | None
) -> None:
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    known = release.known()
    assert (known and known.name.removeprefix(f"pulumi-v{known.version}-")) == (kind and f"{kind}.tar.gz")
    assert known is None or tuple(map(int, known.version.split("."))) >= release.MINIMUM


COMPILE = """\
import sys
from pathlib import Path
from tenantry.pulumi_cli import build
build.compiled(Path(sys.argv[1]))
"""
GO = """\
case "$1" in
  env) echo go1.99.1 ;;
  list) echo '{sdk}' ;;
  build)
    echo built >> '{log}'
    sleep 0.3
    while [ "$1" != -o ]; do shift; done
    printf '#!/bin/sh\\necho v{version}\\n' > "$2"
    chmod +x "$2"
    {after}
    ;;
esac"""


@pytest.fixture
def go(fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Return a function that puts a fake `go` on PATH, and returns its log with one line per build.

    The fake builds and then runs the commands in `after`.
    """

    def install_go(after: str = "") -> Path:
        dist = tmp_path / "sdk" / "python" / "dist"
        dist.mkdir(parents=True, exist_ok=True)
        (dist / build.PROVIDER).write_text("#!/bin/sh\n")
        log = tmp_path / "builds"
        log.write_text("")
        body = GO.format(sdk=tmp_path / "sdk", log=log, after=after, version=build.pinned())
        set_path(monkeypatch, fake("go/bin", "go", body).parent)
        return log

    return install_go


def test_a_build_is_complete_and_has_the_language_host_of_the_environment(
    go: Callable[..., Path], tmp_path: Path
) -> None:
    go()
    venv = tmp_path / "my venv"
    cli = build.assembled(tmp_path / "cache", venv)
    assert cli == venv / "pulumi" / "pulumi"
    assert release.version_of(cli) >= release.MINIMUM
    for plugin in release.PLUGINS:
        assert os.access(cli.parent / plugin, os.X_OK)
    host = (cli.parent / "pulumi-language-python").read_text()
    assert f"exec '{venv / 'bin' / 'python'}' -P " in host
    assert (build.RECIPE.folder / "language_host.py").exists()


def test_two_concurrent_installations_build_once(go: Callable[..., Path], tmp_path: Path) -> None:
    log = go()
    processes = [subprocess.Popen([sys.executable, "-c", COMPILE, tmp_path / "cache"]) for _ in range(2)]
    assert [process.wait(60) for process in processes] == [0, 0]
    assert log.read_text() == "built\n"


def test_a_failed_build_leaves_nothing_and_names_the_next_steps(
    go: Callable[..., Path], tmp_path: Path
) -> None:
    go(after="echo 'module lookup disabled'; exit 1")
    with pytest.raises(SetupError, match=r"(?s)module lookup disabled.*GOPROXY.*on PATH yourself"):
        build.compiled(tmp_path / "cache")
    assert [file.name for file in (tmp_path / "cache").iterdir()] == ["pulumi.lock"]


def test_an_old_go_is_not_used(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A Python package provides Go. Its caches are in the same folder, and are deleted with it."""
    set_path(monkeypatch, fake("go/bin", "go", "echo go1.25.9").parent)
    monkeypatch.setattr(golang, "run", lambda command, **_: "go1.25.9" if "GOVERSION" in command else "")
    scratch = tmp_path / "scratch"
    command = golang.command(build.RECIPE, scratch)
    assert command[-1] == scratch / "bin" / "go"
    assert f"GOPATH={scratch / 'path'}" in command
    assert "Go from the Python package" in capsys.readouterr().out


def test_the_cli_is_copied_if_it_cannot_be_linked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "source"
    source.write_text("text")
    source.chmod(0o755)
    build.link_or_copy(source, tmp_path / "linked")
    assert (tmp_path / "linked").samefile(source)

    def refuse(*_: object) -> None:
        raise OSError("Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    build.link_or_copy(source, tmp_path / "copied")
    assert not (tmp_path / "copied").samefile(source)
    assert os.access(tmp_path / "copied", os.X_OK)


def test_the_installation_needs_no_package() -> None:
    """`make setup` runs it before it installs packages. The option `-S` hides installed packages."""
    root = Path(installation.__file__).parents[2]
    code = "import tenantry.pulumi_cli.installation, sys; sys.exit('yaml' in sys.modules)"
    subprocess.run([sys.executable, "-S", "-c", code], cwd=root, check=True)
