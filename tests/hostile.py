"""Texts that terminals, logs, Markdown, HTML or spreadsheets interpret, as one list for all tests."""

from __future__ import annotations

import re
from collections.abc import Iterator

TERMINAL = (
    "\x1b[2J\x1b[31mred",
    "\x1b]0;title\x07",
    "\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\",
    "\x9b31mC1\x9d0;x\x9c",
    "back\x08\x08\x7f\x00bell\x07",
    "over\rwritten",
    "\u202egnp.exe\u202c",
    "\u2066isolated\u2069\u200f\u061c",
    "line\u2028separator\u2029\x85\x0b\x0c",
    "half \ud800 pair",
)
LOG = (
    "::set-output name=x::y",
    "  ::error::title",
    "one\n::add-mask::e",
    "one\r\n##[error]two",
    "##[group]x",
    "a ##vso[task.setvariable]b",
    "section_start:1:x[collapsed=true]\r\x1b[0Kx",
    "one\nINJECTED two",
    "one\tINJECTED\n\n",
)
MARKDOWN = (
    "</details><script>alert(1)</script>",
    "<!-- marker -->",
    "@org/team",
    "a|b|c",
    "`x`",
    "```",
    "one\n\n# two\n- three\r\n/close",
    "[!CAUTION]",
    "> [!CAUTION]",
    "![x](https://evil.example/x.png)",
    "[x]: https://evil.example",
    "[secret](https://evil.example)",
    "https://evil.example/x www.evil.example HTTP://evil.example",
    "1https://evil.example xwww.evil.example 7ftp://evil.example",
    "mailto:x@evil.example x@evil.example",
    "#12 and GH-12 and xGH-12 and org/name#3 and !4",
    "# heading",
    "1. item",
    "- item",
    "/close",
    "---",
    "**bold** __bold__ ~~gone~~ $x$",
    "&lt;b&gt; &#64;team",
    "\\",
    '"><img src=x onerror=alert(1)>',
)
CSV = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1", "a,b;c", 'a"b', "it's", "'=1")

ALL = (*TERMINAL, *LOG, *MARKDOWN, *CSV)

_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_COMMAND = re.compile(r"^\s*::|##\w*\[|^INJECTED", re.MULTILINE)


def faults(output: str) -> Iterator[str]:
    """Yield the parts of an output that a terminal or a runner interprets, or that imitate a line of ours."""
    for match in (*_CONTROL.finditer(output), *_COMMAND.finditer(output)):
        yield repr(output[max(0, match.start() - 40) : match.end() + 40])
