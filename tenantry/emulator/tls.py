"""A certificate for Qlik's host names, and the authority that vouches for it."""

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


def certificate(folder: Path) -> dict[str, Any]:
    """Make a key, a certificate and its authority, once per folder.

    The authority's key is thrown away: nobody can have it vouch for anything else.

    Args:
        folder: gets `emulator-ca.pem` to be trusted by clients, `emulator.pem` and `emulator.key`.

    Returns:
        uvicorn's options.

    Raises:
        OSError: the folder cannot be written, or one of these names is not a regular file there, or what is
            there is no certificate with its key.
    """
    files = [folder / name for name in (CA_FILE, CERTIFICATE_FILE, KEY_FILE)]
    with _alone(folder):
        for file in files:
            if file.exists() and not file.is_file():
                raise OSError(f"{file} is not a regular file: remove it, or keep the data in another folder")
        if not all(file.exists() for file in files):
            authority = trustme.CA()
            names = (*(f"*.{region}.{DOMAIN}" for region in DATACENTERS), f"console.{DOMAIN}", "localhost")
            issued = authority.issue_cert(*names)
            chain = b"".join(each.bytes() for each in issued.cert_chain_pems)
            # All go first: an old one beside a new one would be taken for a pair by the next start.
            for file in files:
                file.unlink(missing_ok=True)
            for file, content in zip(
                files, (authority.cert_pem.bytes(), chain, issued.private_key_pem.bytes()), strict=True
            ):
                _write(file, content)
        _check(*files[1:])
    return {"ssl_certfile": str(folder / CERTIFICATE_FILE), "ssl_keyfile": str(folder / KEY_FILE)}


def _check(chain: Path, key: Path) -> None:
    """Refuse files that are no certificate with its key."""
    try:
        # Without a password OpenSSL asks for that of an encrypted key, and waits at the terminal for good.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(chain, key, password="")
    except ssl.SSLError as error:
        why = f"{chain} and {key} are no certificate with its key ({error.reason or error})"
        raise OSError(f"{why}: remove them, or keep the data in another folder") from None


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one emulator at a time make the files of a folder."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield
    finally:
        os.close(opened)


def _write(file: Path, content: bytes) -> None:
    """Put a file in its place, whole or not at all, and for nobody else to read."""
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}-", delete=False) as made:
        try:
            made.write(content)
            made.flush()
            os.replace(made.name, file)
        except BaseException:
            os.unlink(made.name)
            raise
