"""Load scripts of apps, and replacements in them for one customer."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from tenantry.providers.qlik import ConfigurationError
from tenantry.providers.values.plain_files import read_bytes

MAX_BYTES = 1_000_000
"""The largest size of a script. Qlik publishes no limit."""


def read(path: Path) -> str:
    """Return the text of a script file.

    Raises ConfigurationError if it is missing, empty, too large or not UTF-8.
    """
    try:
        text = read_bytes(path, MAX_BYTES).decode("utf-8-sig")
    except OSError as error:
        raise ConfigurationError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} is not UTF-8 text") from None
    if not text.strip():
        raise ConfigurationError(f"{path} is empty")
    return text


def digest(text: str) -> str:
    """Return a digest of a script, independent of its line ends."""
    lines = "\n".join(line.rstrip() for line in text.strip().splitlines())
    return hashlib.sha256(lines.encode()).hexdigest()[:16]


def digest_of_replacements(replacements: Mapping[str, str]) -> str:
    """Return a digest of replacements."""
    return digest(json.dumps(replacements, sort_keys=True))


def replace_texts(text: str, replacements: Mapping[str, str]) -> str:
    """Return a script with all replacements made in one pass.

    Raises ConfigurationError with the texts that do not occur in the script.
    """
    if missing := [old for old in replacements if old not in text]:
        raise ConfigurationError(
            f"the template's load script does not contain {_listed(missing)}, which `replace` names. Correct "
            "the spelling, or the script of the template"
        )
    longest_first = sorted(replacements, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, longest_first)))
    return pattern.sub(lambda found: replacements[found[0]], text)


def unknown_variables(text: str, names: Iterable[str]) -> list[str]:
    """Return the names that do not occur in a script as whole words."""
    return [name for name in names if not re.search(rf"(?<![\w.]){re.escape(name)}(?![\w.])", text)]


def _listed(texts: Iterable[str]) -> str:
    return ", ".join(map(json.dumps, texts))
