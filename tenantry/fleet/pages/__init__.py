"""Self-contained web pages, which need no server, no network and no other file.

Each page contains the same style (`page.css`) and the script that sorts and filters its tables (`table.js`).
Its Content-Security-Policy names both by their hashes. So a browser runs and fetches nothing else, even if
foreign content gets into the page. Without JavaScript, all rows are visible and sorted by name.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from tenantry.providers.values.words import counted
from tenantry.text import on_one_line

_CODE = re.compile("`([^`]+)`")


def render(template: str, **values: Any) -> str:
    """Return a page from a template of this folder. Markup in foreign text has no effect."""
    rendered = _environment().get_template(template).render(**values)
    return rendered.replace("##", "#&#35;")  # "##[" is a command in the log of a CI job


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("tenantry.fleet.pages", ""),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_on_one_line,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["marked"] = _marked
    style, script = _asset("page.css"), _asset("table.js")
    allowed = f"style-src '{_hash(style)}'; script-src '{_hash(script)}'"
    policy = Markup(f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'")  # noqa: S704 (ours)
    environment.globals.update(style=style, script=script, policy=policy, counted=counted)
    return environment


def _asset(name: str) -> Markup:
    """Return a file of this folder, unescaped."""
    text = resources.files(__name__).joinpath(name).read_text("utf-8")
    return Markup(f"\n{text}")  # noqa: S704 (our own file)


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _on_one_line(value: Any) -> Any:
    """Return foreign text on one line, without control characters. It is escaped later."""
    return on_one_line(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _marked(text: str) -> Markup:
    """Return text as HTML on one line, with text between backticks formatted as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(on_one_line(text)))))  # noqa: S704 (escaped before)
