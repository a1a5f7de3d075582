"""Replay memory: POST signatures seen, until their timestamp leaves the window. Shared, and kept over a crash."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from bpn.api.signing import Signature
from bpn.database.pool import Transaction
from bpn.database.rows import hexadecimals, integers
from bpn.kernel.clock import to_milliseconds

SLOTS = 4
_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True)
class Seen:
    """A signature as it is remembered: what must not come twice, and what makes a repetition the same bytes."""

    merchant_id: int
    slot: int
    signature: bytes
    path: bytes

    @classmethod
    def of(cls, merchant_id: int, signature: Signature, timestamp: int, path: str, window_seconds: int) -> Seen:
        """From a verified request. `timestamp` in Unix milliseconds, the signed one."""
        place = hashlib.blake2b(path.encode() + signature.content, digest_size=_DIGEST_BYTES).digest()
        return cls(merchant_id, _slot(timestamp, window_seconds), signature.identity[:_DIGEST_BYTES], place)


def _slot(timestamp: int, window_seconds: int) -> int:
    """A slot is as long as the window is wide, both sides: acceptable timestamps lie in two neighbouring ones."""
    return timestamp // (2 * window_seconds * 1000) % SLOTS


async def remember(tx: Transaction, requests: Sequence[Seen]) -> list[str]:
    """Remember signatures; for each, in order: `fresh`, `retry` (the same bytes on this path) or `replay`."""
    cursor = await tx.connection.execute(
        """
        WITH given AS (
            SELECT * FROM unnest(%s::bigint[], %s::smallint[], %s::bytea[], %s::bytea[]) WITH ORDINALITY
                 g(merchant_id, slot, signature, path, place)
        ), added AS (
            INSERT INTO api_signatures SELECT merchant_id, slot, signature, path FROM given ORDER BY 1, 2, 3
            ON CONFLICT DO NOTHING RETURNING merchant_id, slot, signature, path
        )
        SELECT g.place, a.path = g.path FROM given g LEFT JOIN added a USING (merchant_id, slot, signature)
        """,
        (
            integers([request.merchant_id for request in requests]),
            integers([request.slot for request in requests]),
            hexadecimals([request.signature for request in requests]),
            hexadecimals([request.path for request in requests]),
        ),
    )
    verdicts = ["fresh"] * len(requests)
    known = [place - 1 for place, added in await cursor.fetchall() if not added]
    if known:
        same_path = await _seen_on_path(tx, [requests[place] for place in known])
        for place, same in zip(known, same_path, strict=True):
            verdicts[place] = "retry" if same else "replay"
    return verdicts


async def _seen_on_path(tx: Transaction, requests: Sequence[Seen]) -> list[bool]:
    cursor = await tx.connection.execute(
        """
        SELECT g.place, s.path = g.path
        FROM unnest(%s::bigint[], %s::smallint[], %s::bytea[], %s::bytea[]) WITH ORDINALITY
             g(merchant_id, slot, signature, path, place)
        JOIN api_signatures s USING (merchant_id, slot, signature)
        """,
        (
            integers([request.merchant_id for request in requests]),
            integers([request.slot for request in requests]),
            hexadecimals([request.signature for request in requests]),
            hexadecimals([request.path for request in requests]),
        ),
    )
    same = {place: bool(equal) for place, equal in await cursor.fetchall()}
    return [same.get(place + 1, False) for place in range(len(requests))]


async def forget_old(tx: Transaction, window_seconds: int) -> None:
    """Empty the slot that no acceptable timestamp falls into, now or soon."""
    slot = (_slot(to_milliseconds(tx.clock.wall()), window_seconds) + SLOTS // 2) % SLOTS
    await tx.connection.execute(f"TRUNCATE api_signatures_{slot}")
