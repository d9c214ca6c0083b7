"""The bundle: the content of the repository archive, and the archives that a worker refuses."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from tenantry.fleet.cluster import bundle
from tenantry.fleet.cluster.bundle import digest, pack, unpack
from tenantry.fleet.cluster.errors import BundleRefused
from tests.fleet.conftest import Repository


def unpacked_files(root: Path, folder: Path) -> dict[str, str]:
    """Return the texts of the files that a worker gets, by path."""
    packed = pack(root)
    unpack(packed.archive, packed.sha256, folder)
    files = [file for file in folder.rglob("*") if file.is_file()]
    return {file.relative_to(folder).as_posix(): file.read_text() for file in files}


def test_a_bundle_has_tracked_and_new_files_but_no_ignored_ones(
    repository: Repository, tmp_path: Path
) -> None:
    repository.customer("acme")
    repository.write(".gitignore", "ignored\n")
    repository.commit()
    repository.write("ignored", "no")
    repository.write("new.py", "new")
    (repository.root / "Pulumi.yaml").write_text("name: tenantry\nruntime: python\n")
    found = unpacked_files(repository.root, tmp_path / "unpacked")
    assert found.keys() == {".gitignore", "Pulumi.yaml", "new.py", "stacks/Pulumi.acme.yaml"}
    assert found["Pulumi.yaml"] == "name: tenantry\nruntime: python\n", (
        "the file in the working tree, not the committed one"
    )


def test_the_bundle_of_a_project_in_a_subfolder_has_the_whole_repository(
    repository: Repository, tmp_path: Path
) -> None:
    """The program may import from anywhere in the repository."""
    repository.write("lib/shared.py")
    repository.write("customers/Pulumi.yaml", "name: tenantry\nruntime: python\n")
    repository.commit()
    root = repository.root / "customers"
    packed = pack(root)
    assert packed.path_in_bundle(root) == "customers"
    assert packed.path_in_bundle(root / "Pulumi.yaml") == "customers/Pulumi.yaml"
    assert "lib/shared.py" in unpacked_files(root, tmp_path / "unpacked")


def test_without_git_a_bundle_has_no_virtual_environments_caches_or_states(
    repository: Repository, tmp_path: Path
) -> None:
    repository.customer("acme")
    for name in (
        ".venv/x.py",
        "env/pyvenv.cfg",
        "__pycache__/x",
        "state/.pulumi/stacks/x.json",
        "node_modules/x",
    ):
        repository.write(name)
    assert unpacked_files(repository.root, tmp_path / "unpacked").keys() == {
        "Pulumi.yaml",
        "stacks/Pulumi.acme.yaml",
    }


def test_a_bundle_has_no_state_even_if_git_does_not_ignore_it(repository: Repository) -> None:
    repository.write("state/.pulumi/stacks/tenantry/acme.json")
    repository.commit()
    assert pack(repository.root).names == {"Pulumi.yaml"}


@pytest.mark.parametrize("name", [".env", "deploy/.env.prod", "signing.key", "id.pem"])
def test_files_that_look_like_credentials_are_left_out_and_named(repository: Repository, name: str) -> None:
    repository.commit()
    repository.write(name, "-----BEGIN EC PRIVATE KEY-----\n" if name == "id.pem" else "x")
    repository.write("public.pem", "-----BEGIN PUBLIC KEY-----\n")
    packed = pack(repository.root)
    assert packed.names == {"Pulumi.yaml", "public.pem"}
    assert packed.left_out == (f"{name} (looks like a credential)",)
    with pytest.raises(BundleRefused, match="is not in the bundle"):
        packed.path_in_bundle(repository.root / name)


def test_links_inside_the_repository_become_copies(repository: Repository, tmp_path: Path) -> None:
    repository.write("lib/code.py", "code")
    (repository.root / "linked").symlink_to("lib")
    (repository.root / "one.py").symlink_to("lib/code.py")
    (tmp_path / "outside").write_text("secret")
    (repository.root / "out").symlink_to(tmp_path / "outside")
    repository.commit()
    found = unpacked_files(repository.root, tmp_path / "unpacked")
    assert found["linked/code.py"] == found["one.py"] == found["lib/code.py"] == "code"
    assert "out" not in found
    assert pack(repository.root).left_out == ("out (outside of the repository)",)


def test_a_file_outside_of_the_repository_is_refused(repository: Repository, tmp_path: Path) -> None:
    repository.commit()
    with pytest.raises(BundleRefused, match=f"{tmp_path / 'Pulumi.acme.yaml'} is outside of the repository"):
        pack(repository.root).path_in_bundle(tmp_path / "Pulumi.acme.yaml")


def test_the_same_files_have_the_same_digest(repository: Repository) -> None:
    repository.customer("acme")
    first = pack(repository.root)
    (repository.root / "Pulumi.yaml").touch()
    assert pack(repository.root).sha256 == first.sha256
    repository.customer("globex")
    assert pack(repository.root).sha256 != first.sha256


def test_a_repository_that_is_too_large_is_refused(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.write("large", "x" * 2_000)
    monkeypatch.setattr(bundle, "MAX_BYTES", 1_000)
    with pytest.raises(BundleRefused, match="its largest file is large"):
        pack(repository.root)


def test_a_bundle_with_another_digest_is_refused(repository: Repository, tmp_path: Path) -> None:
    packed = pack(repository.root)
    with pytest.raises(BundleRefused, match="does not match its SHA-256"):
        unpack(packed.archive[:-1] + b"x", packed.sha256, tmp_path / "unpacked")
    assert not (tmp_path / "unpacked").exists()


def archive(*entries: tuple[str, bytes]) -> bytes:
    """Return an archive with entries of these names and types."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, kind in entries:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "/etc/passwd"
            tar.addfile(entry)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("../out", tarfile.REGTYPE),
        ("/out", tarfile.REGTYPE),
        ("a/../../out", tarfile.REGTYPE),
        ("link", tarfile.SYMTYPE),
        ("link", tarfile.LNKTYPE),
        ("pipe", tarfile.FIFOTYPE),
    ],
)
def test_a_bundle_with_an_entry_that_is_not_allowed_is_refused(
    name: str, kind: bytes, tmp_path: Path
) -> None:
    content = archive(("good", tarfile.REGTYPE), (name, kind))
    with pytest.raises(BundleRefused, match="an entry that is not allowed"):
        unpack(content, digest(content), tmp_path / "a" / "unpacked")
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


def test_a_file_that_is_not_an_archive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleRefused, match="cannot be unpacked"):
        unpack(b"none", digest(b"none"), tmp_path / "unpacked")
