"""Web pages that need nothing but themselves: no server, no network, no file beside them.

Each page holds the same style (`page.css`), and the script that sorts and filters its tables (`table.js`).
Its Content-Security-Policy names both by their hashes. So a browser runs and fetches nothing else, even if
something of somebody else were to slip in. Without JavaScript all rows are there, in the order of names.
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
    """Return a page of one of the templates in this folder; text of others in it does nothing."""
    rendered = _environment().get_template(template).render(**values)
    return rendered.replace("##", "#&#35;")  # in the log of a job "##[" would be a command


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("tenantry.fleet.pages", ""),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["marked"] = _marked
    style, script = _own("page.css"), _own("table.js")
    own = f"style-src '{_hash(style)}'; script-src '{_hash(script)}'"
    policy = Markup(f"default-src 'none'; {own}; base-uri 'none'; form-action 'none'")  # noqa: S704 (ours)
    environment.globals.update(style=style, script=script, policy=policy, counted=counted)
    return environment


def _own(name: str) -> Markup:
    """Return a file of ours, which stands in a page as it is."""
    text = resources.files(__name__).joinpath(name).read_text("utf-8")
    return Markup(f"\n{text}")  # noqa: S704 (it is ours)


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _shown(value: Any) -> Any:
    """Take from a text of somebody else what a page must not hold; escaping comes after this."""
    return on_one_line(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _marked(text: str) -> Markup:
    """Return a line with what stands between backticks as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(on_one_line(text)))))  # noqa: S704 (escaped before)
