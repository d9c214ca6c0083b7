"""Escaping of text from outside, with one function for each output format.

Names, keys and descriptions come from authors of stack files and users of a tenant. Errors come from Qlik and
Pulumi. Each may contain commands for a terminal, a job log, Markdown or a spreadsheet. The functions here
return text that is shown but not executed.

| output | function |
|---|---|
| a terminal, a job log, messages of a provider | `for_terminal`; `for_line` for one line |
| one line of a page | `on_one_line` |
| Markdown, and HTML in Markdown | `for_markdown` |
| HTML | `on_one_line`, then Jinja's escaping |
| a cell of CSV | `for_csv` |

This module imports no other module of the project, so that every package can use it.
"""

from __future__ import annotations

import re
from functools import lru_cache

HIDDEN = "[secret]"
"""The placeholder of a secret. It stays readable in Markdown source."""

# Control characters (C0 except tab and line feed, DEL, C1), line separators, characters that change the
# writing direction, and halves of surrogate pairs, which UTF-8 cannot encode.
_CONTROLS = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_CONTROL = re.compile(f"[{_CONTROLS}]")
_BREAK = re.compile(r"[\t\n]")
_GAP = re.compile(rf"[\s{_CONTROLS}\u200b\ufeff]+")

# Commands of CI runners: GitHub's "::error::" at the start of a line, after any space, and GitHub's
# "##[error]", "##vso[…]" and "##teamcity[…]" anywhere. GitLab's commands contain an escape character.
_COMMAND = re.compile(r"^([^\S\n]*):(?=:)|#(?=#\w{0,20}\[)", re.MULTILINE)

# Excel, LibreOffice and Google Sheets run such a cell as a formula, also with full-width characters.
_FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")

_HIDDEN = re.compile(re.escape(HIDDEN) + r"(?![(\[:])")
# At the start of a line, more characters are markup, because they start a list, a heading or a command.
_MARKUP = re.compile(r"(?<![^\W_])_|_(?![^\W_])|[`*\[\]|\\~^$=]|^[-+#/:]")
_NUMBERED = re.compile(r"^(\d+)([.)])(?=\s|$)")
# "@team" would notify people; "#1" and "!1" would link an issue.
_REFERENCE = re.compile(r"([@#!%$~^])(?=[\w\"'&{(/:])")
# URLs become links without any markup, some even directly after a letter or a digit.
_ADDRESS = re.compile(r"(:)(?=//)|(www)(?=\.)|((?:mailto|xmpp):)", re.IGNORECASE)
_REPOSITORY_REFERENCE = re.compile(r"(GH-)(?=\d)", re.IGNORECASE)


def for_terminal(text: str) -> str:
    r"""Return text for a terminal or a job log. Line feeds and tabs stay unchanged.

    Control characters are escaped as in JSON, such as `\u001b`, so that JSON stays valid.
    """
    text = _CONTROL.sub(lambda found: _escape(found[0]), text)
    return _COMMAND.sub(lambda found: f"{found[1] or ''}{_escape(found[0][-1])}", text)


def for_line(text: str) -> str:
    """Return text for one line of a terminal or log, with line feeds and tabs escaped too."""
    return _BREAK.sub(lambda found: _escape(found[0]), for_terminal(text))


def on_one_line(text: str) -> str:
    """Return text on one line. Each run of whitespace and control characters becomes one space."""
    return _GAP.sub(" ", text).strip()


@lru_cache(maxsize=20_000)
def for_markdown(text: str) -> str:
    """Return text on one line that Markdown, and HTML in Markdown, show unchanged.

    The result creates no markup, no link and no column, and notifies nobody. Markup characters become
    entities, and a zero-width space breaks references.
    """
    return HIDDEN.join(map(_escape_markdown, _HIDDEN.split(on_one_line(text))))


def for_csv(text: str) -> str:
    """Return text on one line for a CSV cell. A spreadsheet does not run it as a formula.

    A formula gets an apostrophe in front. Other text without control characters stays unchanged.
    """
    text = for_line(text)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _escape(character: str) -> str:
    return f"\\u{ord(character):04x}"


def _escape_markdown(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = _REFERENCE.sub("\\1\u200b", text)
    text = _ADDRESS.sub("\\g<0>\u200b", text)
    text = _REPOSITORY_REFERENCE.sub("\\1\u200b", text)
    text = _NUMBERED.sub(lambda found: f"{found[1]}&#{ord(found[2])};", text)
    return _MARKUP.sub(lambda found: f"&#{ord(found[0])};", text)
