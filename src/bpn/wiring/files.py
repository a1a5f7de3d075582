"""Files: which store keeps them, and the jobs that move bytes there."""

from __future__ import annotations

from bpn.adapters.files.directory import DirectoryStore
from bpn.adapters.files.s3 import S3Store
from bpn.database.pool import Database
from bpn.files import operations as files
from bpn.jobs.job import Job
from bpn.ports.senders import FileStore
from bpn.settings import Settings

_MOVED_AT_ONCE = 10
_DELETED_AT_ONCE = 100


def file_store(settings: Settings) -> FileStore:
    """The bucket that is configured, else a directory beside the data."""
    bucket = settings.files_s3
    if bucket is None:
        return DirectoryStore(settings.data_dir / "files")
    return S3Store(
        bucket.bucket,
        endpoint=bucket.endpoint,
        region=bucket.region,
        access_key_id=bucket.access_key_id,
        secret_access_key=bucket.secret_access_key.get_secret_value(),
    )


def file_jobs(database: Database, store: FileStore) -> list[Job]:
    """Bytes go to the store after the commit that keeps them, and leave it after the one that erases them."""

    async def move_files() -> bool:
        async with database.transaction() as tx:
            waiting = await files.list_unmoved(tx, _MOVED_AT_ONCE)
        for file in waiting:
            await store.put(file.key, file.sealed)
            async with database.transaction() as tx:
                await files.record_moved(tx, file)
        return len(waiting) == _MOVED_AT_ONCE

    async def delete_files() -> bool:
        async with database.transaction() as tx:
            erased = await files.list_erased(tx, _DELETED_AT_ONCE)
        for file in erased:
            await store.delete(file.key)
            async with database.transaction() as tx:
                await files.record_deleted(tx, file)
        return len(erased) == _DELETED_AT_ONCE

    return [
        Job("files.move_files", move_files, 5, frozenset()),
        Job("files.delete_files", delete_files, 60, frozenset()),
    ]
