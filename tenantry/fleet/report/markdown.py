"""A report as GitHub-flavoured Markdown for a comment or issue, within the length limit of a forge."""

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
"""GitHub accepts 65,536 characters, but parts of its API count them differently."""

MAX_INLINE_NAMES = 3
"""How many stacks a line names. If there are more, their names are folded below it."""

MAX_NAMES = 100
UNLIMITED_NAMES = 1_000_000
BRIEF_CHARACTERS = 80
MAX_LINK_CHARACTERS = 1000


class _Block:
    """A section and how much of it to show: the names per line, the length of a line, the number of lines."""

    def __init__(self, section: Section) -> None:
        self.section = section
        self.max_names = UNLIMITED_NAMES if section.shorten_last else MAX_NAMES
        self.brief = False
        self.max_lines = len(section.lines)
        self._text: dict[tuple[int, bool, int], str] = {}

    @property
    def text(self) -> str:
        """The section as Markdown."""
        key = (self.max_names, self.brief, self.max_lines)
        if key not in self._text:
            self._text[key] = self._render()
        return self._text[key]

    def _render(self) -> str:
        section = self.section
        title = f"{section.title}: {section.stacks:,}" if section.stacks else section.title
        rendered = list(_lines(section, section.lines[: self.max_lines], self.max_names, brief=self.brief))
        if rest := section.lines[self.max_lines :]:
            rendered.append(_left_out(section, rest))
        body = "\n".join(rendered).strip("\n")
        if not section.is_warning:
            return f"### {title}\n\n{body}\n"
        quoted = f"[!CAUTION]\n**{title}**\n\n{body}".split("\n")
        return "".join(f"> {line}".rstrip() + "\n" for line in quoted)


def markdown(report: Report, *, limit: int = MAX_CHARACTERS, marker: str = "", link: str = "") -> str:
    """Return a report as Markdown of at most `limit` characters and bytes.

    `marker` is an HTML comment for the first line, by which the text is found again. `link` is the address of
    the full report. If the text is too long, it is shortened from its end, and says so. Dangers and failures
    are shortened last.
    """
    content = page(report)
    head = _head(content, marker)
    blocks = [_Block(section) for section in content.sections]
    for stacks in (
        _table(report),
        f"The table of all {counted(len(content.outcomes), 'stack')} does not fit here.\n",
    ):
        text = _join(head, blocks, stacks, _foot(link))
        if _size(text) <= limit:
            return text
    foot = _foot(link, cut=True)
    _fit(blocks, limit - _size(head, foot))
    text = _join(head, blocks, foot)
    return text if _size(text) <= limit else _numbers_only(content, limit, marker, foot)


def _head(content: Page, marker: str) -> str:
    base = f", compared with {for_markdown(content.base)}" if content.base else ""
    summary = f"{content.summary}{base}." if content.outcomes else f"No stack is affected{base}."
    if content.no_changes:
        summary += f" {content.no_changes}."
    return "\n".join([*([marker] if marker else []), f"## {content.title}", "", summary]) + "\n"


def _foot(link: str, *, cut: bool = False) -> str:
    parts = ["The report is too long for this place: names, lines and the table are left out."] if cut else []
    if link and len(link) <= MAX_LINK_CHARACTERS:
        url = link.replace(" ", "%20").replace("<", "%3C").replace(">", "%3E")
        is_url = link.startswith(("http://", "https://"))
        parts.append(f"[Full report](<{url}>)" if is_url else f"Full report: {for_markdown(link)}")
    return " ".join(parts) + "\n" if parts else ""


def _lines(section: Section, lines: Iterable[Line], names: int, *, brief: bool) -> Iterator[str]:
    """Yield the lines. Those with many stacks are folded, the others are list items."""
    for line in lines:
        text = for_markdown(shortened(line.text, BRIEF_CHARACTERS) if brief else line.text)
        number = counted(len(line.stacks), "customer")
        if names and len(line.stacks) > MAX_INLINE_NAMES:
            summary = f"{text} ({number})" if section.names_first else f"{text} in {number}"
            yield f"<details><summary>{summary}</summary>\n\n{_names(line.stacks, names)}\n\n</details>\n"
            continue
        yield f"- {_item(section, line, text, number, names)}"
        if line.block:
            # This is not a fenced block, because the content could close the fence.
            yield f"\n  <pre>{for_markdown(line.block)}</pre>\n"


def _item(section: Section, line: Line, text: str, number: str, names: int) -> str:
    if not line.stacks:
        return text
    stacks = _names(line.stacks, names)
    if section.names_first:
        return f"**{stacks}**: {text}" if names else f"{text} ({number})"
    return f"{text} in {number}: **{stacks}**" if names else f"{text} in {number}"


def _names(stacks: Sequence[str], limit: int) -> str:
    shown = ", ".join(map(for_markdown, stacks[:limit]))
    more = len(stacks) - limit
    return f"{shown} and {more:,} more" if more > 0 else shown


def _left_out(section: Section, rest: Sequence[Line]) -> str:
    """Return the number of missing lines. For sections with `shorten_last`, also name their stacks."""
    stacks = list(dict.fromkeys(stack for line in rest for stack in line.stacks))
    names = f": {_names(stacks, MAX_NAMES)}" if section.shorten_last and stacks else ""
    about = f" about {counted(len(stacks), 'customer')}" if stacks else ""
    return f"\n**{counted(len(rest), 'more line')}{about} left out here**{names}\n"


def _fit(blocks: list[_Block], room: int) -> None:
    """Shorten the blocks until they fit: first names, then lines, starting with the last section."""
    minor = [block for block in reversed(blocks) if not block.section.shorten_last]
    important = [block for block in reversed(blocks) if block.section.shorten_last]

    steps: Sequence[tuple[list[_Block], Callable[[_Block, int], None]]] = (
        (minor, lambda block, excess: _limit_names(block, MAX_INLINE_NAMES)),
        (minor, lambda block, excess: _limit_names(block, 0)),
        (minor, _limit_lines),
        (important, lambda block, excess: _limit_names(block, MAX_NAMES)),
        (important, lambda block, excess: _limit_names(block, MAX_INLINE_NAMES)),
        (important, _limit_lines),
    )
    for group, shorten in steps:
        for block in group:
            if (excess := _size(*(counted_block.text for counted_block in blocks)) - room) <= 0:
                return
            shorten(block, excess)


def _limit_names(block: _Block, names: int) -> None:
    block.max_names, block.brief = names, names <= MAX_INLINE_NAMES


def _limit_lines(block: _Block, excess: int) -> None:
    """Leave out as many lines of a block as needed, or all. A binary search finds the number."""
    target = _size(block.text) - excess
    low, high = 0, len(block.section.lines)
    while low < high:
        block.max_lines = (low + high + 1) // 2
        if _size(block.text) <= target:
            low = block.max_lines
        else:
            high = block.max_lines - 1
    block.max_lines = low


def _table(report: Report) -> str:
    rows = table.rows(report)
    if not rows:
        return ""
    lines = [
        "<details><summary>All stacks</summary>\n",
        f"| {' | '.join(table.COLUMNS)} |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | --- | ---: |",
        *(f"| {' | '.join(map(for_markdown, row.cells))} |" for row in rows),
        "\n</details>\n",
    ]
    return "\n".join(lines)


def _numbers_only(content: Page, limit: int, marker: str, foot: str) -> str:
    """Return numbers only, for a limit that is too small even for the most important sections."""
    numbers = [
        f"- {section.title}: {section.stacks:,}" for section in content.sections if section.shorten_last
    ]
    text = _join(_head(content, marker), [], "\n".join([*numbers, ""]), foot)
    return text.encode()[:limit].decode(errors="ignore")


def _join(head: str, blocks: Iterable[_Block], *texts: str) -> str:
    return "\n".join([head, *(block.text for block in blocks), *filter(None, texts)])


def _size(*texts: str) -> int:
    """Return the length of texts in bytes, with a line break after each.

    No forge counts more than that.
    """
    return sum(len(text.encode()) + 1 for text in texts)
