"""Files: told by their bytes, sealed, moved to the store without a loss, shown to their merchant only."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable

import pytest
from PIL import Image

from bpn.files import operations as files
from bpn.files.errors import FileNotFound, FileUnavailable
from bpn.files.model import LARGEST_FILE, File, Upload
from bpn.kernel.errors import InvalidRequest
from installation import Installation

PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"
SECRET = b"%PDF-1.7\nAna Sousa, passport FR123456\n%%EOF\n"


def image(kind: str) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (8, 8)).save(content, kind)
    return content.getvalue()


def upload(content: bytes, name: str = "passport.pdf", content_type: str | None = None) -> Upload:
    return Upload(name, content_type, base64.b64encode(content).decode())


async def keep(house: Installation, given: Upload, merchant_id: int = 7) -> File:
    async with house.parts.database.transaction() as tx:
        return await files.keep(house.parts.file_terms, tx, merchant_id, given, "documents[0]")


async def read(house: Installation, file: File, merchant_id: int = 7) -> bytes:
    async with house.parts.database.transaction() as tx:
        kept = await files.find_kept(house.parts.file_terms, tx, merchant_id, file.file_id)
    return await files.read_content(house.parts.file_terms, house.parts.files, kept)


class TestKeep:
    @pytest.mark.parametrize(
        ("content", "told", "found"),
        [
            (PDF, "application/pdf", "application/pdf"),
            (PDF, None, "application/pdf"),
            (image("PNG"), "image/png", "image/png"),
            (image("JPEG"), "image/jpg", "image/jpeg"),
        ],
    )
    async def test_the_bytes_say_what_it_is(
        self, house: Installation, content: bytes, told: str | None, found: str
    ) -> None:
        file = await keep(house, upload(content, content_type=told))
        assert (file.content_type, file.size, file.name) == (found, len(content), "passport.pdf")
        assert await read(house, file) == content

    @pytest.mark.parametrize(
        ("given", "field"),
        [
            (upload(PDF, content_type="image/png"), "documents[0].contentType"),
            (upload(image("PNG"), content_type="application/pdf"), "documents[0].contentType"),
            (upload(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "documents[0].base64"),
            (upload(b"MZ\x90\x00" + bytes(60)), "documents[0].base64"),
            (upload(image("GIF")), "documents[0].base64"),
            (upload(b"%PDF-1.7\ncut"), "documents[0].base64"),
            (upload(b"junk" + PDF), "documents[0].base64"),
            (upload(b"hello"), "documents[0].base64"),
            (upload(b""), "documents[0].base64"),
            (Upload("a.pdf", None, "not base64!"), "documents[0].base64"),
            (upload(PDF + bytes(LARGEST_FILE)), "documents[0].base64"),
            (upload(PDF, name="../../etc/passwd"), "documents[0].name"),
            (upload(PDF, name=" "), "documents[0].name"),
            (upload(PDF, name="a\x00b.pdf"), "documents[0].name"),
            (upload(PDF, name="a\u202eb.pdf"), "documents[0].name"),
            (upload(PDF, name="a" * 201), "documents[0].name"),
        ],
    )
    async def test_refuses_with_the_fields_name(self, house: Installation, given: Upload, field: str) -> None:
        with pytest.raises(InvalidRequest) as refused:
            await keep(house, given)
        assert [error.field for error in refused.value.errors] == [field]

    async def test_a_file_of_the_largest_size_is_kept(self, house: Installation) -> None:
        content = PDF[:9] + bytes(LARGEST_FILE - 9 - 6) + b"%%EOF\n"
        assert (await keep(house, upload(content))).size == LARGEST_FILE

    async def test_nothing_is_kept_when_the_transaction_fails(self, house: Installation) -> None:
        kept: list[File] = []
        with pytest.raises(ZeroDivisionError):
            async with house.parts.database.transaction() as tx:
                kept.append(await files.keep(house.parts.file_terms, tx, 7, upload(PDF)))
                raise ZeroDivisionError
        with pytest.raises(FileNotFound):
            await read(house, kept[0])


class TestStore:
    async def test_bytes_move_to_the_store_sealed(self, house: Installation) -> None:
        file = await keep(house, upload(SECRET))
        await house.job("files.move_files")()
        async with house.parts.database.transaction() as tx:
            kept = await files.find_kept(house.parts.file_terms, tx, 7, file.file_id)
        assert kept.sealed is None
        stored = await house.parts.files.get(kept.key)
        assert stored is not None
        assert b"Ana" not in stored
        assert await read(house, file) == SECRET

    async def test_a_crash_after_the_store_has_them_loses_and_doubles_nothing(self, house: Installation) -> None:
        file = await keep(house, upload(SECRET))
        async with house.parts.database.transaction() as tx:
            waiting = await files.list_unmoved(tx, 1000)
        for one in waiting:
            await house.parts.files.put(one.key, one.sealed)
        # Here the worker died. The next one does it all again.
        assert await read(house, file) == SECRET
        await house.job("files.move_files")()
        await house.job("files.move_files")()
        assert await read(house, file) == SECRET

    async def test_bytes_that_the_store_lost_are_no_answer(self, house: Installation) -> None:
        file = await keep(house, upload(SECRET))
        await house.job("files.move_files")()
        async with house.parts.database.transaction() as tx:
            kept = await files.find_kept(house.parts.file_terms, tx, 7, file.file_id)
        await house.parts.files.delete(kept.key)
        with pytest.raises(FileUnavailable):
            await read(house, file)


async def test_another_merchants_file_is_none(house: Installation) -> None:
    file = await keep(house, upload(SECRET))
    with pytest.raises(FileNotFound):
        await read(house, file, merchant_id=8)
    async with house.parts.database.transaction() as tx:
        assert await files.find(house.parts.file_terms, tx, 8, [file.file_id]) == []
        assert await files.find(house.parts.file_terms, tx, 7, [file.file_id]) == [file]


async def test_what_is_erased_is_gone_here_at_once_and_in_the_store_soon(
    house: Installation, database_admin: Callable[[str], None]
) -> None:
    file = await keep(house, upload(SECRET))
    await house.job("files.move_files")()
    async with house.parts.database.transaction() as tx:
        kept = await files.find_kept(house.parts.file_terms, tx, 7, file.file_id)
        assert await files.erase(tx, 7, [file.file_id]) == 1
        assert await files.erase(tx, 7, [file.file_id]) == 0
    with pytest.raises(FileNotFound):
        await read(house, file)
    await house.job("files.delete_files")()
    assert await house.parts.files.get(kept.key) is not None, "bytes may still be on their way to the store"
    database_admin(f"UPDATE files SET erased_at = erased_at - interval '11 minutes' WHERE file_id = {file.file_id}")
    await house.job("files.delete_files")()
    assert await house.parts.files.get(kept.key) is None
