"""Shapes of rows in and out: arrays for set-wise statements, dataclasses from results."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime


def integers(values: Iterable[int]) -> str:
    """An array literal for `%s::bigint[]` or `%s::numeric[]`.

    Several times cheaper to make than an adapted list, and exact for integers of any size.
    """
    return f"{{{','.join(map(str, values))}}}"


def optional_integers(values: Iterable[int | None]) -> str:
    """As `integers`, None becoming NULL."""
    return f"{{{','.join(['NULL' if value is None else str(value) for value in values])}}}"


def texts(values: Sequence[str]) -> str:
    """An array literal for `%s::text[]`; cheap where values repeat, as names and codes of a batch do."""
    quoted = {value: _quote(value) for value in set(values)}
    return f"{{{','.join([quoted[value] for value in values])}}}"


def optional_texts(values: Sequence[str | None]) -> str:
    """As `texts`, None becoming NULL."""
    return f"{{{','.join(['NULL' if value is None else _quote(value) for value in values])}}}"


def optional_times(values: Sequence[datetime | None]) -> str:
    """An array literal for `%s::timestamptz[]`."""
    return optional_texts([None if value is None else value.isoformat() for value in values])


def hexadecimals(values: Iterable[bytes]) -> str:
    """An array literal for `%s::bytea[]`."""
    return f"{{{','.join([_BYTEA_PREFIX + value.hex() for value in values])}}}"


_BYTEA_PREFIX = "\\\\x"
"""`\\x`, its backslash escaped as array literals ask."""


def _quote(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
