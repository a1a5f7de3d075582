"""All SQL of `files`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bpn.database.pool import Transaction
from bpn.database.rows import integers
from bpn.files.model import File, KeptFile, SealedFile
from bpn.files.rules import sealing_place, storage_key
from bpn.kernel.encryption import Cipher


async def insert(tx: Transaction, cipher: Cipher, file: File, content: bytes) -> None:
    """Add a file; its name and its bytes are sealed."""
    place = sealing_place(file.merchant_id, file.file_id)
    await tx.connection.execute(
        """
        INSERT INTO files
            (merchant_id, file_id, sealed_name, content_type, size_bytes, digest, sealed_content, created_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            file.merchant_id,
            file.file_id,
            cipher.seal(file.name.encode(), place),
            file.content_type,
            file.size,
            bytes.fromhex(file.digest),
            cipher.seal(content, place),
            file.created_at,
        ),
    )


async def find(tx: Transaction, cipher: Cipher, merchant_id: int, file_ids: Sequence[int]) -> list[File]:
    """Those of a merchant's files that are not erased, in the order of their ids."""
    cursor = await tx.connection.execute(
        """
        SELECT merchant_id, file_id, sealed_name, content_type, size_bytes, digest, created_at FROM files
        WHERE merchant_id = %s AND file_id = ANY(%s::bigint[]) AND erased_at IS NULL ORDER BY file_id
        """,
        (merchant_id, integers(file_ids)),
    )
    return [_file(cipher, row) for row in await cursor.fetchall()]


async def find_kept(tx: Transaction, cipher: Cipher, merchant_id: int, file_id: int) -> KeptFile | None:
    """A merchant's file with its sealed bytes, if they are still here."""
    cursor = await tx.connection.execute(
        """
        SELECT merchant_id, file_id, sealed_name, content_type, size_bytes, digest, created_at, sealed_content
        FROM files WHERE merchant_id = %s AND file_id = %s AND erased_at IS NULL
        """,
        (merchant_id, file_id),
    )
    row = await cursor.fetchone()
    return None if row is None else KeptFile(_file(cipher, row[:7]), storage_key(merchant_id, file_id), row[7])


def _file(cipher: Cipher, row: tuple[Any, ...]) -> File:
    merchant_id, file_id, sealed_name, content_type, size, digest, created_at = row
    name = cipher.open(sealed_name, sealing_place(merchant_id, file_id)).decode()
    return File(merchant_id, file_id, name, content_type, size, digest.hex(), created_at)


async def list_unmoved(tx: Transaction, limit: int) -> list[SealedFile]:
    """Files whose bytes are still here, oldest first."""
    cursor = await tx.connection.execute(
        """
        SELECT merchant_id, file_id, sealed_content FROM files
        WHERE sealed_content IS NOT NULL ORDER BY file_id LIMIT %s
        """,
        (limit,),
    )
    return [
        SealedFile(merchant_id, file_id, storage_key(merchant_id, file_id), sealed)
        for merchant_id, file_id, sealed in await cursor.fetchall()
    ]


async def list_moved(tx: Transaction, after: tuple[int, int], limit: int) -> list[tuple[int, int]]:
    """Merchant and id of files whose bytes lie in the store, beyond one of them."""
    cursor = await tx.connection.execute(
        """
        SELECT merchant_id, file_id FROM files
        WHERE (merchant_id, file_id) > (%s, %s) AND moved_at IS NOT NULL AND erased_at IS NULL
        ORDER BY merchant_id, file_id LIMIT %s
        """,
        (*after, limit),
    )
    return [(row[0], row[1]) for row in await cursor.fetchall()]


async def note_moved(tx: Transaction, merchant_id: int, file_id: int) -> None:
    """The store has the bytes: ours go. An erased file has none here."""
    await tx.connection.execute(
        """
        UPDATE files SET sealed_content = NULL, moved_at = %s
        WHERE merchant_id = %s AND file_id = %s AND sealed_content IS NOT NULL
        """,
        (tx.now, merchant_id, file_id),
    )


async def erase(tx: Transaction, merchant_id: int, file_ids: Sequence[int], wall: datetime) -> int:
    """Wipe name and bytes; what lies in the store is deleted later. How many there were."""
    cursor = await tx.connection.execute(
        """
        UPDATE files SET erased_at = %s, sealed_content = NULL, sealed_name = ''
        WHERE merchant_id = %s AND file_id = ANY(%s::bigint[]) AND erased_at IS NULL
        """,
        (wall, merchant_id, integers(file_ids)),
    )
    return cursor.rowcount


async def list_erased(tx: Transaction, before: datetime, limit: int) -> list[tuple[int, int]]:
    """Merchant and id of files erased before a wall time, whose bytes may still lie in the store."""
    cursor = await tx.connection.execute(
        """
        SELECT merchant_id, file_id FROM files
        WHERE erased_at IS NOT NULL AND NOT store_deleted AND erased_at < %s ORDER BY erased_at LIMIT %s
        """,
        (before, limit),
    )
    return [(row[0], row[1]) for row in await cursor.fetchall()]


async def note_deleted(tx: Transaction, merchant_id: int, file_id: int) -> None:
    """The store has forgotten the bytes."""
    await tx.connection.execute(
        "UPDATE files SET store_deleted = true WHERE merchant_id = %s AND file_id = %s", (merchant_id, file_id)
    )
