"""Reports for tests of pages, with foreign text wherever it can appear."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

from markdown_it import MarkdownIt

from tenantry.fleet.outcome import Change, Difference, Outcome, Report, Trouble


def report_with_text(text: str) -> Report:
    """Return a report with this text in every place that can contain foreign text."""
    difference = Difference("description", text, [text, text])
    outcome = Outcome(
        text,
        "preview",
        "failed",
        customer=text,
        plan=text,
        changes=(
            Change("update", "Group", text, (difference,)),
            Change("delete", "Space", text),
            Change("replace", "App", text, (Difference("version", text, text + "2"),), ("version",)),
        ),
        drift=(Change("update", "User", text, (difference,)),),
        troubles=(Trouble(text, where=text, advice=text, code=text),),
        remarks=(text,),
        pinned=(text,),
        revive=f"revive: {text}",
        seconds=1,
    )
    new_customers = [
        Outcome(f"{text}{n}", "preview", "ok", new=True, changes=outcome.changes[:1]) for n in range(5)
    ]
    skipped = Outcome(f"{text}z", "preview", "skipped", plan=text, remarks=(text,))
    return Report("preview", (outcome, *new_customers, skipped), base=text, stopped=text, removed=(text,))


def report_about_customers(number: int, *, failed: int = 0, endangered: int = 0) -> Report:
    """Return a preview of many stacks with different changes, failures and dangers."""
    outcomes = []
    for n in range(number):
        stack = f"customer-{n:04}"
        if n < failed:
            trouble = Trouble(f"space {n} is not empty: {'x' * 200}", f"Space {n}", "move its content")
            outcomes.append(Outcome(stack, "preview", "failed", plan="gold", troubles=(trouble,)))
            continue
        changes = [Change("update", "Group", f"G{n % 200}", (Difference("roles", [f"{n}"], ["b"]),))]
        if n < failed + endangered:
            changes.append(Change("delete", "Space", f"Archive {n}"))
        outcomes.append(Outcome(stack, "preview", "ok", plan="gold", changes=tuple(changes), seconds=3))
    return Report("preview", tuple(outcomes), seconds=600, removed=("left-over",))


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.tags.append(f"/{tag}")


def tags(html: str) -> list[str]:
    """Return the tags of a page, in order."""
    parser = _Tags()
    parser.feed(html)
    parser.close()
    return parser.tags


def rendered(markdown: str) -> str:
    """Return the HTML of Markdown, rendered as CommonMark with tables, as a forge does."""
    return str(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(markdown))


def links(markdown: str) -> list[str]:
    """Return the plain texts that a forge turns into links: addresses, users, issues.

    GitHub also finds addresses directly after letters and digits. It resolves entities first.
    """
    text = unescape(re.sub(r"<[^>]*>", "", rendered(markdown)))
    return re.findall(r"\w+://\S*|www\.\S*|\S+@\w\S*|@\w\S*|[#!]\d+|GH-\d+|mailto:\w+", text)


def without_code(tags: list[str]) -> list[str]:
    """Return the tags without those of code, because foreign text may contain backticks."""
    return [tag for tag in tags if tag.strip("/") != "code"]
