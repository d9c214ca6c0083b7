"""How text of others comes out of Tenantry: one function for each place that takes text.

Names, keys and descriptions come from whoever writes stack files or works in a tenant, errors from Qlik and
Pulumi. Each may hold what a terminal, a job's log, Markdown or a spreadsheet would obey. Here it becomes text
that shows what it is and does nothing.

| where it goes | function |
|---|---|
| a terminal, a job's log, what `pulumi` shows for a provider | `for_terminal`; `for_line` for one line |
| a page that has one line for it | `on_one_line` |
| Markdown, and HTML in Markdown | `for_markdown` |
| HTML | `on_one_line`, then Jinja's escaping |
| a cell of CSV | `for_csv` |

This module needs no other of the project, so that every package can use it.
"""

from __future__ import annotations

import re
from functools import lru_cache

HIDDEN = "[secret]"
"""What stands for a secret. It stays readable in the source of Markdown."""

# Controls of terminals (C0 but for tab and line feed, DEL, C1), separators of lines, what turns the direction
# of writing around, and halves of surrogate pairs, which cannot be written as UTF-8.
_CONTROLS = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_CONTROL = re.compile(f"[{_CONTROLS}]")
_BREAK = re.compile(r"[\t\n]")
_GAP = re.compile(rf"[\s{_CONTROLS}\u200b\ufeff]+")

# What a runner takes for a command: "::error::" of GitHub at the beginning of a line, after any space, and
# "##[error]" of GitHub, "##vso[…]" and "##teamcity[…]" anywhere. Those of GitLab hold an escape character.
_COMMAND = re.compile(r"^([^\S\n]*):(?=:)|#(?=#\w{0,20}\[)", re.MULTILINE)

# Excel, LibreOffice and Google Sheets take such a cell for a formula, those in full width included.
_FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")

_HIDDEN = re.compile(re.escape(HIDDEN) + r"(?![(\[:])")
# At the beginning of a line some more would make a list or a heading, or a command at GitLab or in a log.
_MARKUP = re.compile(r"(?<![^\W_])_|_(?![^\W_])|[`*\[\]|\\~^$=]|^[-+#/:]")
_NUMBERED = re.compile(r"^(\d+)([.)])(?=\s|$)")
# "@team" would ping people; "#1" and "!1" would leave a note there.
_REFERENCE = re.compile(r"([@#!%$~^])(?=[\w\"'&{(/:])")
# Addresses become links without any markup, some also right after a letter or a digit.
_ADDRESS = re.compile(r"(:)(?=//)|(www)(?=\.)|((?:mailto|xmpp):)", re.IGNORECASE)
_REPOSITORY_REFERENCE = re.compile(r"(GH-)(?=\d)", re.IGNORECASE)


def for_terminal(text: str) -> str:
    r"""Return text for a terminal or the log of a job, line feeds and tabs as they are.

    What either would obey is written as JSON writes it, such as `\u001b`; so JSON stays the same JSON.
    """
    text = _CONTROL.sub(lambda found: _escape(found[0]), text)
    return _COMMAND.sub(lambda found: f"{found[1] or ''}{_escape(found[0][-1])}", text)


def for_line(text: str) -> str:
    """Return text for one line of a terminal or log: as `for_terminal`, line feeds and tabs escaped too."""
    return _BREAK.sub(lambda found: _escape(found[0]), for_terminal(text))


def on_one_line(text: str) -> str:
    """Return text on one line, each gap and each control character as one space."""
    return _GAP.sub(" ", text).strip()


@lru_cache(maxsize=20_000)
def for_markdown(text: str) -> str:
    """Return text so that it stands on a Markdown page, or in HTML on it, as what it is, on one line.

    It makes no markup, no link and no column, and pings nobody: what Markdown could take for markup is
    written as entities, which it takes for text, and references are broken by a space without width.
    """
    return HIDDEN.join(map(_inert, _HIDDEN.split(on_one_line(text))))


def for_csv(text: str) -> str:
    """Return text for a cell of CSV, on one line; a spreadsheet shows it and calculates nothing.

    An apostrophe comes before what would be a formula. All other text without controls stays as it is.
    """
    text = for_line(text)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _escape(character: str) -> str:
    return f"\\u{ord(character):04x}"


def _inert(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = _REFERENCE.sub("\\1\u200b", text)
    text = _ADDRESS.sub("\\g<0>\u200b", text)
    text = _REPOSITORY_REFERENCE.sub("\\1\u200b", text)
    text = _NUMBERED.sub(lambda found: f"{found[1]}&#{ord(found[2])};", text)
    return _MARKUP.sub(lambda found: f"&#{ord(found[0])};", text)
