"""`make docs`: write what is made of the code, pages and schema, by every module `reference_*` here."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def pages() -> dict[Path, str]:
    """What each generated file of the project must hold."""
    names = sorted(file.stem for file in Path(__file__).parent.glob("reference_*.py"))
    made: dict[Path, str] = {}
    for name in names:
        made |= import_module(f"tools.{name}").pages()
    return made


def stale() -> dict[Path, str]:
    """Those of `pages` that hold something else now, or are not there."""
    return {
        file: text for file, text in pages().items() if not file.exists() or file.read_text("utf-8") != text
    }


def main() -> None:
    """Write what is stale, and name it."""
    for file, text in stale().items():
        file.write_text(text, "utf-8")
        print(f"{file.relative_to(ROOT)} written")


if __name__ == "__main__":
    main()
