"""Data connections and data files: the sources of the customer's own data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tenantry.providers.values import data_files
from tenantry.settings.models.appearance import ALSO_IF_FILE_CHANGES, FromFiles
from tenantry.settings.models.block import AT_CREATION, NO_REQUEST, Block, ResourceMapping, key
from tenantry.settings.values import (
    CredentialsVersion,
    DataFileName,
    FormerKeys,
    Name,
    SecretName,
    Switch,
    Tags,
    Text,
)
from tenantry.settings.violations import Violation

_SECRET_NAME = re.compile(
    r"passw|passphrase|\bpwd\b|secret|token|private_?key|api_?key|access_?key", re.IGNORECASE
)
_SECRET_INSIDE = re.compile(
    r"\b(?:password|passwd|pwd|secret|token|api_?key|access_?key)\s*=|://[^/\s:@]*:[^/\s@]+@", re.IGNORECASE
)


class DataConnection(Block):
    """A connection from the apps of a space to a data source. (Data Connections API)

    Never write a password here. Store it as a separate secret in the stack file with `pulumi config set
    --secret tenantry:secrets_<name>`, and name that secret under `credentials`. Qlik never returns a
    password, so Tenantry cannot see a change of it at Qlik. Change `credentials_version` to send it again.
    """

    mapping = ResourceMapping(
        "DataConnection",
        "data connection",
        identity=("name", "space"),
        properties={"properties": "connection_properties"},
        no_inputs=("space",),
        references=("space",),
        output=False,
        has_own_code=True,
    )

    name: Name = key(about="Its name at Qlik, unique in the space. Default: the key.")
    space: Text = key(
        about="Key of the space whose apps use it.", change="replaces the connection, under a new id"
    )
    datasource: Text = key(
        about="Id of the type of source at Qlik, its `datasourceID`.",
        change="replaces the connection, under a new id",
    )
    properties: dict[str, Any] = key(
        default_factory=dict,
        about="Properties of that type of source, such as `host`. Tenantry does not change other properties.",
    )
    credentials: dict[str, SecretName] = key(
        default_factory=dict,
        about="The name of a secret of this stack, `tenantry:secrets_<name>`, for each secret property, "
        "such as `password`.",
    )
    credentials_version: CredentialsVersion = key(
        1, about="A number. Change it to send the credentials again."
    )
    tags: Tags | None = key(None, about='Tags, such as `"release:v2.4.0"`; 31 at most.')
    renamed_from: FormerKeys | None = key(
        None,
        about="The former key, or a list of former keys, so that the new key keeps the same connection.",
        change=NO_REQUEST,
    )
    adopt: Switch = key(
        False,
        about="Take over an existing connection with this name that somebody else created.",
        change=AT_CREATION,
    )

    @classmethod
    def rules(cls, block: str, entries: Mapping[str, Any]) -> Iterator[Violation]:
        """Check that names differ in a space, that no property is a secret, and that none is set twice."""
        yield from super().rules(block, entries)
        for entry, connection in sorted(entries.items()):
            for name, value in (connection.properties or {}).items():
                keys = (block, entry, "properties", name)
                if name in (connection.credentials or {}):
                    yield Violation(keys, "is also under credentials; remove it here")
                elif _SECRET_NAME.search(name) or (isinstance(value, str) and _SECRET_INSIDE.search(value)):
                    yield Violation(
                        keys,
                        "may be a secret, which would be in the state in plain text; keep it in its own "
                        f"key, tenantry:secrets_<name>, and write credentials: {{{name}: <name>}}",
                    )


class DataFile(FromFiles):
    """A file of data that the apps of a space read, such as exchange rates. Scripts read it as
    `lib://DataFiles/<name>`. (Data Files API)

    Qlik returns no hash of a data file. A refresh detects a replaced file by its size and the date of its
    content. New content does not reload an app: increase `reload.version` of the app, too.
    """

    mapping = ResourceMapping(
        "DataFile",
        "data file",
        identity=("name", "space"),
        no_inputs=("space",),
        from_content=("sha256",),
        references=("space",),
        output=False,
    )
    files = ("path",)

    name: DataFileName = key(
        about="Its name at Qlik, with an extension that Qlik accepts, such as `.csv`, `.xlsx` or `.qvd`; "
        "unique in the space. Default: the key."
    )
    space: Text = key(about="Key of the space whose apps read it.", change="replaces the data file")
    path: Text = key(
        about="The file, 100 MB at most. Qlik accepts larger files, but each run reads the file. The path "
        "starts at the folder of the file that names it.",
        change=ALSO_IF_FILE_CHANGES,
    )
    renamed_from: FormerKeys | None = key(
        None,
        about="The former key, or a list of former keys, so that the new key keeps the same data file.",
        change=NO_REQUEST,
    )
    adopt: Switch = key(
        False,
        about="Take over an existing data file with this name that somebody else uploaded, and replace its "
        "content.",
        change=AT_CREATION,
    )

    @classmethod
    def content(cls, key: str, path: Path, entry: Mapping[str, Any]) -> dict[str, str]:
        """Return the SHA-256 of the file."""
        return {"sha256": data_files.sha256(path)}
