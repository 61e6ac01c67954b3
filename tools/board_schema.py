"""Write the types of the board's calls for the front end: ``frontend/schema.d.ts``."""

from __future__ import annotations

from pathlib import Path

from chainrule.board.native import declarations

FILE = Path(__file__).resolve().parents[1] / "frontend" / "schema.d.ts"


def main() -> None:
    """Write the file."""
    FILE.write_text(declarations(), encoding="utf-8")


if __name__ == "__main__":
    main()
