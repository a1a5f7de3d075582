"""Changing the master key while everything runs."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import structlog

from bpn.database.sealed_columns import SealedColumn, notify_master_key_changed, reseal
from bpn.files import operations as files
from bpn.kernel.encryption import MASTER_KEY_BYTES
from bpn.kernel.errors import InvalidState
from bpn.wiring.house import House
from bpn.wiring.master_keys import read_master_keys, write_master_keys
from bpn.wiring.sealed_columns import SEALED_COLUMNS

log = structlog.get_logger(__name__)
BATCH = 500


async def rotate_master_key(house: House, columns: Sequence[SealedColumn] = SEALED_COLUMNS) -> int:
    """Seal everything under a new master key, while everybody reads and writes; how many values.

    A rotation that was broken off goes on: what is sealed under the new key already is left.

    Raises:
        InvalidState: the key stands in the settings, and the former one is not given beside it.
    """
    _begin(house)
    return await _reseal_all(house, columns)


async def finish_rotation(house: House, columns: Sequence[SealedColumn] = SEALED_COLUMNS) -> int:
    """Make sure that nothing is sealed under a former key, then forget it; how many values were still to seal.

    Raises:
        InvalidState: no rotation stands, or processes still seal with the former key.
    """
    if len(read_master_keys(house.settings)) == 1:
        raise InvalidState("There is only one master key; `bpn key rotate-master` begins a rotation.")
    late = await _reseal_all(house, columns)
    if late and await _reseal_all(house, columns):
        raise InvalidState("A process still seals with the former key. Restart all, then finish again.")
    if house.settings.master_key is None:
        write_master_keys(house.settings, read_master_keys(house.settings)[:1])
        await _tell(house)
    return late


def _begin(house: House) -> None:
    settings = house.settings
    if len(read_master_keys(settings)) > 1:
        return
    if settings.master_key is not None:
        raise InvalidState(
            "The master key stands in the settings: give every process BPN_OTHER_MASTER_KEYS with the new one, then"
            " the new one as BPN_MASTER_KEY and the former among the others, then rotate."
        )
    write_master_keys(settings, [secrets.token_bytes(MASTER_KEY_BYTES), *read_master_keys(settings)])


async def _reseal_all(house: House, columns: Sequence[SealedColumn]) -> int:
    house.cipher.renew()
    await _tell(house)
    total = 0
    for column in columns:
        after = None
        sealed = 0
        while True:
            async with house.database.transaction() as tx:
                step = await reseal(tx, house.cipher, column, after, BATCH)
            sealed += step.rows
            if (after := step.last) is None:
                break
        log.info("master_key.resealed", table=column.table, column=column.column, values=sealed)
        total += sealed
    return total + await _reseal_files(house)


async def _reseal_files(house: House) -> int:
    """The same for what lies in the store of files; each is replaced whole or not at all."""
    sealed, after = 0, (-1, -1)
    while True:
        async with house.database.reading() as tx:
            listed = await files.list_moved(tx, after, BATCH)
        for file in listed:
            kept = await house.files.get(file.key)
            changed = None if kept is None else files.sealed_anew(house.file_terms, file, kept)
            if changed is not None:
                await house.files.put(file.key, changed)
                sealed += 1
        if len(listed) < BATCH:
            break
        after = (listed[-1].merchant_id, listed[-1].file_id)
    log.info("master_key.files_resealed", files=sealed)
    return sealed


async def _tell(house: House) -> None:
    async with house.database.transaction() as tx:
        await notify_master_key_changed(tx)
