"""What is sealed in a database, as whoever holds its master keys sees it."""

from __future__ import annotations

import psycopg

from bpn.kernel.encryption import Cipher, DecryptionError
from bpn.wiring.sealed_columns import SEALED_COLUMNS


def opens(cipher: Cipher, url: str) -> dict[str, tuple[int, int]]:
    """By column, how many values this cipher opens at their registered place, and how many it does not."""
    counted = {}
    with psycopg.connect(url) as connection:
        for column in SEALED_COLUMNS:
            names = ", ".join([*column.place_columns, column.column])
            good = bad = 0
            for row in connection.execute(
                f"SELECT {names} FROM {column.table} WHERE octet_length({column.column}) > 0"  # type: ignore[arg-type]
            ):
                place = column.place.format(**dict(zip(column.place_columns, row[:-1], strict=True)))
                try:
                    cipher.open(row[-1], place)
                except DecryptionError:
                    bad += 1
                else:
                    good += 1
            counted[f"{column.table}.{column.column}"] = (good, bad)
    return counted
