"""A certificate for Qlik's host names, and the authority (CA) that signs it."""

from __future__ import annotations

import fcntl
import os
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import trustme

from tenantry.emulator.hosts import DATACENTERS, DOMAIN

CA_FILE = "emulator-ca.pem"
CERTIFICATE_FILE = "emulator.pem"
KEY_FILE = "emulator.key"


def create_certificate(folder: Path) -> dict[str, Any]:
    """Create a key, a certificate and its authority, once per folder.

    The authority's key is thrown away, so nobody can sign anything else with it.

    Args:
        folder: the folder for `emulator-ca.pem`, which clients must trust, `emulator.pem` and `emulator.key`.

    Returns:
        uvicorn's options.

    Raises:
        OSError: the folder is not writable, one of these names is not a regular file, or the files are not a
            certificate with its key.
    """
    files = [folder / name for name in (CA_FILE, CERTIFICATE_FILE, KEY_FILE)]
    with _locked(folder):
        for file in files:
            if file.exists() and not file.is_file():
                raise OSError(f"{file} is not a regular file. Remove it, or use another data folder")
        if not all(file.exists() for file in files):
            authority = trustme.CA()
            names = (*(f"*.{region}.{DOMAIN}" for region in DATACENTERS), f"console.{DOMAIN}", "localhost")
            certificate = authority.issue_cert(*names)
            chain = b"".join(pem.bytes() for pem in certificate.cert_chain_pems)
            # Delete all files first. Otherwise a crash can leave an old file beside a new one.
            for file in files:
                file.unlink(missing_ok=True)
            for file, content in zip(
                files, (authority.cert_pem.bytes(), chain, certificate.private_key_pem.bytes()), strict=True
            ):
                _write(file, content)
        _check(*files[1:])
    return {"ssl_certfile": str(folder / CERTIFICATE_FILE), "ssl_keyfile": str(folder / KEY_FILE)}


def _check(chain: Path, key: Path) -> None:
    """Raise OSError unless the files are a certificate and its key."""
    try:
        # Without a password here, OpenSSL asks for one at the terminal if the key is encrypted, and waits.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain, key, password="")
    except ssl.SSLError as error:
        problem = f"{chain} and {key} are not a certificate and its key ({error.reason or error})"
        raise OSError(f"{problem}. Remove them, or use another data folder") from None


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Lock a folder, so that one emulator at a time creates its files."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write(file: Path, content: bytes) -> None:
    """Write a file atomically, readable by its owner only."""
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}-", delete=False) as temporary:
        try:
            temporary.write(content)
            temporary.flush()
            os.replace(temporary.name, file)
        except BaseException:
            os.unlink(temporary.name)
            raise
