"""`make docs`: write the generated pages and the schema with every `reference_*` module in this folder."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def pages() -> dict[Path, str]:
    """Return the expected content of each generated file of the project."""
    names = sorted(file.stem for file in Path(__file__).parent.glob("reference_*.py"))
    result: dict[Path, str] = {}
    for name in names:
        result |= import_module(f"tools.{name}").pages()
    return result


def stale() -> dict[Path, str]:
    """Return the entries of `pages` whose file is missing or has other content."""
    return {
        file: text for file, text in pages().items() if not file.exists() or file.read_text("utf-8") != text
    }


def main() -> None:
    """Write the stale files and print their names."""
    for file, text in stale().items():
        file.write_text(text, "utf-8")
        print(f"{file.relative_to(ROOT)} written")


if __name__ == "__main__":
    main()
