"""A report as GitHub-flavoured Markdown, for a comment or an issue: never longer than a forge takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from tenantry.fleet.outcome import Report
from tenantry.fleet.report import table
from tenantry.fleet.report.grouping import Page, Section, page
from tenantry.fleet.report.lines import Line
from tenantry.fleet.report.words import shortened
from tenantry.providers.values.words import counted
from tenantry.text import for_markdown

MAX_CHARACTERS = 60_000
"""GitHub takes 65,536 characters, and not all of its API counts the same way."""

MAX_INLINE_NAMES = 3
"""The most stacks that are named beside a line; more are folded away below it."""

MAX_NAMES = 100
UNLIMITED_NAMES = 1_000_000
BRIEF_CHARACTERS = 80
MAX_LINK_CHARACTERS = 1000


class _Block:
    """One section as it is to be shown: how many names a line has, how long a line is, how many there are."""

    def __init__(self, section: Section) -> None:
        self.section = section
        self.names = UNLIMITED_NAMES if section.vital else MAX_NAMES
        self.brief = False
        self.most = len(section.lines)
        self._text: dict[tuple[int, bool, int], str] = {}

    @property
    def text(self) -> str:
        """The section as Markdown."""
        key = (self.names, self.brief, self.most)
        if key not in self._text:
            self._text[key] = self._written()
        return self._text[key]

    def _written(self) -> str:
        section = self.section
        title = f"{section.title}: {section.stacks:,}" if section.stacks else section.title
        written = list(_lines(section, section.lines[: self.most], self.names, brief=self.brief))
        if rest := section.lines[self.most :]:
            written.append(_left_out(section, rest))
        body = "\n".join(written).strip("\n")
        if not section.red:
            return f"### {title}\n\n{body}\n"
        quoted = f"[!CAUTION]\n**{title}**\n\n{body}".split("\n")
        return "".join(f"> {line}".rstrip() + "\n" for line in quoted)


def markdown(report: Report, *, limit: int = MAX_CHARACTERS, marker: str = "", link: str = "") -> str:
    """Return a report as Markdown of at most `limit` characters, also where those are counted as bytes.

    `marker`: an HTML comment for the first line, by which the text is found again. `link`: where the whole
    report is. What does not fit is left out from the end, dangers and failures last, and the text says so.
    """
    told = page(report)
    head = _head(told, marker)
    blocks = [_Block(section) for section in told.sections]
    for stacks in (
        _table(report),
        f"The table of all {counted(len(told.outcomes), 'stack')} does not fit here.\n",
    ):
        text = _join(head, blocks, stacks, _foot(link))
        if _size(text) <= limit:
            return text
    foot = _foot(link, cut=True)
    _fit(blocks, limit - _size(head, foot))
    text = _join(head, blocks, foot)
    return text if _size(text) <= limit else _last_resort(told, limit, marker, foot)


def _head(told: Page, marker: str) -> str:
    against = f" against {for_markdown(told.base)}" if told.base else ""
    said = f"{told.summary}{against}." if told.outcomes else f"No stack is concerned{against}."
    if told.nothing:
        said += f" {told.nothing}."
    return "\n".join([*([marker] if marker else []), f"## {told.title}", "", said]) + "\n"


def _foot(link: str, *, cut: bool = False) -> str:
    said = ["Not all of it fits here: names, lines and the table of all stacks were left out."] if cut else []
    if link and len(link) <= MAX_LINK_CHARACTERS:
        url = link.replace(" ", "%20").replace("<", "%3C").replace(">", "%3E")
        is_url = link.startswith(("http://", "https://"))
        said.append(f"[The whole report](<{url}>)" if is_url else f"The whole report: {for_markdown(link)}")
    return " ".join(said) + "\n" if said else ""


def _lines(section: Section, lines: Iterable[Line], names: int, *, brief: bool) -> Iterator[str]:
    """Yield lines: folded where they are of many stacks, which come first, then as a list."""
    for line in lines:
        text = for_markdown(shortened(line.text, BRIEF_CHARACTERS) if brief else line.text)
        number = counted(len(line.stacks), "customer")
        if names and len(line.stacks) > MAX_INLINE_NAMES:
            summary = f"{text} ({number})" if section.names_first else f"{text} in {number}"
            yield f"<details><summary>{summary}</summary>\n\n{_names(line.stacks, names)}\n\n</details>\n"
            continue
        yield f"- {_item(section, line, text, number, names)}"
        if line.block:
            # Not fenced: what is in a fence could close it.
            yield f"\n  <pre>{for_markdown(line.block)}</pre>\n"


def _item(section: Section, line: Line, text: str, number: str, names: int) -> str:
    if not line.stacks:
        return text
    who = _names(line.stacks, names)
    if section.names_first:
        return f"**{who}**: {text}" if names else f"{text} ({number})"
    return f"{text} in {number}: **{who}**" if names else f"{text} in {number}"


def _names(stacks: Sequence[str], most: int) -> str:
    shown = ", ".join(map(for_markdown, stacks[:most]))
    more = len(stacks) - most
    return f"{shown} and {more:,} more" if more > 0 else shown


def _left_out(section: Section, rest: Sequence[Line]) -> str:
    """Say how much is missing; of what matters, also whom it is about."""
    stacks = list(dict.fromkeys(stack for line in rest for stack in line.stacks))
    names = f": {_names(stacks, MAX_NAMES)}" if section.vital and stacks else ""
    about = f" about {counted(len(stacks), 'customer')}" if stacks else ""
    return f"\n**{counted(len(rest), 'more line')}{about} left out here**{names}\n"


def _fit(blocks: list[_Block], room: int) -> None:
    """Shorten the blocks until they fit: names first, then lines, the last sections first."""
    minor = [block for block in reversed(blocks) if not block.section.vital]
    vital = [block for block in reversed(blocks) if block.section.vital]

    steps: Sequence[tuple[list[_Block], Callable[[_Block, int], None]]] = (
        (minor, lambda block, over: _name(block, MAX_INLINE_NAMES)),
        (minor, lambda block, over: _name(block, 0)),
        (minor, _cut),
        (vital, lambda block, over: _name(block, MAX_NAMES)),
        (vital, lambda block, over: _name(block, MAX_INLINE_NAMES)),
        (vital, _cut),
    )
    for some, shorten in steps:
        for block in some:
            if (over := _size(*(one.text for one in blocks)) - room) <= 0:
                return
            shorten(block, over)


def _name(block: _Block, names: int) -> None:
    block.names, block.brief = names, names <= MAX_INLINE_NAMES


def _cut(block: _Block, over: int) -> None:
    """Leave out as many lines of a block as it takes, or all; how many is found by halving."""
    target = _size(block.text) - over
    low, high = 0, len(block.section.lines)
    while low < high:
        block.most = (low + high + 1) // 2
        if _size(block.text) <= target:
            low = block.most
        else:
            high = block.most - 1
    block.most = low


def _table(report: Report) -> str:
    rows = table.rows(report)
    if not rows:
        return ""
    lines = [
        "<details><summary>All stacks</summary>\n",
        f"| {' | '.join(table.COLUMNS)} |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | --- | ---: |",
        *(f"| {' | '.join(map(for_markdown, row.short))} |" for row in rows),
        "\n</details>\n",
    ]
    return "\n".join(lines)


def _last_resort(told: Page, limit: int, marker: str, foot: str) -> str:
    """Return numbers only, for a limit in which not even what matters has room."""
    numbers = [f"- {section.title}: {section.stacks:,}" for section in told.sections if section.vital]
    text = _join(_head(told, marker), [], "\n".join([*numbers, ""]), foot)
    return text.encode()[:limit].decode(errors="ignore")


def _join(head: str, blocks: Iterable[_Block], *more: str) -> str:
    return "\n".join([head, *(block.text for block in blocks), *filter(None, more)])


def _size(*texts: str) -> int:
    """Return how long texts are at most, however a forge counts, with a line between each two."""
    return sum(len(text.encode()) + 1 for text in texts)
