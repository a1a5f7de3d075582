"""Idempotency: the merchant's own id of a request, its content, and the answer it got, in the same transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from bpn.database.pool import Transaction
from bpn.database.rows import hexadecimals, integers, texts
from bpn.kernel.encryption import Cipher


@dataclass(frozen=True, slots=True)
class Claim:
    """A request's claim to happen once: `key` is the merchant's own id, `fingerprint` the digest of the content."""

    merchant_id: int
    operation: str
    key: str
    fingerprint: bytes

    @property
    def place(self) -> str:
        """What its answer is sealed for."""
        return f"api_claim/{self.merchant_id}/{self.operation}/{self.key}"

    @property
    def lock(self) -> int:
        """The advisory lock held while the request is worked on: 64 bits of the claim's name."""
        name = f"{self.merchant_id}|{self.operation}|{self.key}".encode()
        return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), signed=True)


class InProgress:
    """Another transaction is working on the same claim."""


class Conflict:
    """The claim was made before, with other content."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The claim was made before with this content; this is the answer it got."""

    data: bytes


Standing = InProgress | Conflict | Answered | None


def fingerprint(content: bytes) -> bytes:
    """What two requests must share to be the same request."""
    return hashlib.blake2b(content, digest_size=16).digest()


async def look_up(tx: Transaction, cipher: Cipher, claims: Sequence[Claim]) -> list[Standing]:
    """How each claim stands, in order; None: it is ours to work on until this transaction ends.

    Claims of one call must differ in name.
    """
    async with tx.together():
        # Two statements, so that the second sees what the holder of a lock committed before it gave it up.
        locked = await tx.connection.execute(
            """
            SELECT place, pg_try_advisory_xact_lock(lock) FROM unnest(%s::bigint[]) WITH ORDINALITY g(lock, place)
            """,
            (integers([claim.lock for claim in claims]),),
        )
        found = await tx.connection.execute(
            """
            SELECT g.place, c.fingerprint, c.answer
            FROM unnest(%s::bigint[], %s::text[], %s::text[]) WITH ORDINALITY g(merchant_id, operation, claim, place)
            JOIN api_claims c USING (merchant_id, operation, claim)
            """,
            (
                integers([claim.merchant_id for claim in claims]),
                texts([claim.operation for claim in claims]),
                texts([claim.key for claim in claims]),
            ),
        )
        standings: list[Standing] = [None] * len(claims)
        for place, ours in await locked.fetchall():
            if not ours:
                standings[place - 1] = InProgress()
        for place, known, answer in await found.fetchall():
            same = bytes(known) == claims[place - 1].fingerprint
            claim = claims[place - 1]
            standings[place - 1] = Answered(cipher.open(bytes(answer), claim.place)) if same else Conflict()
    return standings


async def keep(tx: Transaction, cipher: Cipher, claims: Sequence[Claim], answers: Sequence[bytes]) -> None:
    """Store claims that were accepted, with their answers' data: sealed, for an answer may show a secret or a name."""
    sealed = [cipher.seal(answer, claim.place) for claim, answer in zip(claims, answers, strict=True)]
    await tx.connection.execute(
        """
        INSERT INTO api_claims (merchant_id, operation, claim, fingerprint, answer, created_at)
        SELECT *, %s FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::bytea[], %s::bytea[])
        """,
        (
            tx.now,
            integers([claim.merchant_id for claim in claims]),
            texts([claim.operation for claim in claims]),
            texts([claim.key for claim in claims]),
            hexadecimals([claim.fingerprint for claim in claims]),
            hexadecimals(sealed),
        ),
    )
