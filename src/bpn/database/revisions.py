"""Which revision of the database this version of the program needs."""

from __future__ import annotations

from pathlib import Path

VERSIONS = Path(__file__).parent / "migrations" / "versions"


def newest_revision() -> str:
    """The number that leads the name of the newest migration."""
    return max(path.name for path in VERSIONS.glob("[0-9]*.py")).partition("_")[0]
