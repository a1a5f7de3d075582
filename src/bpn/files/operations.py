"""Keep, find, read and erase files; hand their bytes to the store."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from bpn.database.pool import Transaction
from bpn.files import rules, store
from bpn.files.errors import FileNotFound, FileUnavailable
from bpn.files.model import File, FileTerms, KeptFile, SealedFile, Upload
from bpn.ports.readers import FileReader, SourceUnavailableError

STORE_ANSWERS_WITHIN = timedelta(minutes=10)
"""Longer than any attempt to put bytes into the store takes: what was erased is deleted there only after it."""


async def keep(
    terms: FileTerms,
    tx: Transaction,
    merchant_id: int,
    upload: Upload,
    field: str = "file",
    *,
    type_field: str = "contentType",
) -> File:
    """Keep a file, sealed, as final as this transaction; a job moves its bytes to the store.

    Args:
        terms: how files are sealed and how large they may be.
        tx: the transaction.
        merchant_id: whose file it is.
        upload: as the request gives it: PDF, PNG or JPEG.
        field: how the request names it, for refusals: `file`, `documents[0]`.
        type_field: how the request names the type in it.

    Raises:
        InvalidRequest: not such a file, too large, or another type than it says; names the field.
    """
    name, content_type, content = rules.read_upload(upload, field, terms.largest_bytes, type_field)
    digest = hashlib.sha256(content).hexdigest()
    file = File(merchant_id, tx.ids.next(), name, content_type, len(content), digest, tx.now)
    await store.insert(tx, terms.cipher, file, content)
    return file


async def find(terms: FileTerms, tx: Transaction, merchant_id: int, file_ids: Sequence[int]) -> list[File]:
    """A merchant's files by id, in the order of their ids; others' and erased ones are left out."""
    return await store.find(tx, terms.cipher, merchant_id, file_ids) if file_ids else []


async def find_kept(terms: FileTerms, tx: Transaction, merchant_id: int, file_id: int) -> KeptFile:
    """A merchant's file with where its bytes lie; give it to `read_content` after the transaction.

    Raises:
        FileNotFound: not this merchant's, unknown or erased.
    """
    kept = await store.find_kept(tx, terms.cipher, merchant_id, file_id)
    if kept is None:
        raise FileNotFound(f"There is no file {file_id}.")
    return kept


async def read_content(terms: FileTerms, reader: FileReader, kept: KeptFile) -> bytes:
    """The bytes of a file, opened. Needs no transaction.

    Raises:
        FileUnavailable: the store does not answer, or has lost them.
    """
    sealed = kept.sealed
    if sealed is None:
        try:
            sealed = await reader.get(kept.key)
        except SourceUnavailableError:
            raise FileUnavailable("Where files are kept does not answer; ask again later.") from None
    if sealed is None:
        raise FileUnavailable("Where files are kept does not have this one.")
    return terms.cipher.open(sealed, rules.sealing_place(kept.file.merchant_id, kept.file.file_id))


async def erase(tx: Transaction, merchant_id: int, file_ids: Sequence[int]) -> int:
    """Wipe files at once here, and soon in the store; how many there were."""
    return await store.erase(tx, merchant_id, file_ids, tx.clock.wall()) if file_ids else 0


async def list_unmoved(tx: Transaction, limit: int) -> list[SealedFile]:
    """Files whose bytes the store shall get."""
    return await store.list_unmoved(tx, limit)


async def list_moved(tx: Transaction, after: tuple[int, int], limit: int) -> list[SealedFile]:
    """Files that lie in the store, beyond one by merchant and id; their bytes are not read here."""
    return [
        SealedFile(merchant_id, file_id, rules.storage_key(merchant_id, file_id), b"")
        for merchant_id, file_id in await store.list_moved(tx, after, limit)
    ]


def sealed_anew(terms: FileTerms, file: SealedFile, sealed: bytes) -> bytes | None:
    """The bytes of a file in the store under the newest master key; None where they are under it already."""
    if sealed.startswith(terms.cipher.header):
        return None
    place = rules.sealing_place(file.merchant_id, file.file_id)
    return terms.cipher.seal(terms.cipher.open(sealed, place), place)


async def record_moved(tx: Transaction, file: SealedFile) -> None:
    """The store has a file's bytes."""
    await store.note_moved(tx, file.merchant_id, file.file_id)


async def list_erased(tx: Transaction, limit: int) -> list[SealedFile]:
    """Erased files whose bytes the store shall forget: no attempt to put them there can still be on its way."""
    before = tx.clock.wall() - STORE_ANSWERS_WITHIN
    return [
        SealedFile(merchant_id, file_id, rules.storage_key(merchant_id, file_id), b"")
        for merchant_id, file_id in await store.list_erased(tx, before, limit)
    ]


async def record_deleted(tx: Transaction, file: SealedFile) -> None:
    """The store has forgotten a file's bytes."""
    await store.note_deleted(tx, file.merchant_id, file.file_id)
