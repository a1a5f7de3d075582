"""The cooling time of whitelisted addresses: lengthened at once, shortened only after the old time."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from bpn.adapters.postgres.embedded import EmbeddedPostgres
from bpn.audit.model import Decision
from bpn.chapters.wallet import operations as wallet
from conftest import copy_database
from installation import Merchant, open_installation

ANA = Decision(True, "ana", "agreed")


async def test_shortening_waits_for_the_old_time_and_lengthening_does_not(
    server: EmbeddedPostgres, tmp_path: Path
) -> None:
    async with open_installation(copy_database(server), tmp_path, whitelist_cooling_seconds=3600) as house:

        async def cool(seconds: int, merchant: Merchant) -> None:
            async with house.parts.database.transaction() as tx:
                await wallet.set_whitelist_cooling(
                    house.parts.wallet_terms, tx, timedelta(seconds=seconds), ANA, merchant.merchant_id
                )

        async def wait(merchant: Merchant, address: str) -> int:
            entry = await merchant.whitelist(f"0x{address * 40}")
            return (entry["availableAt"] - entry["createTime"]) // 1000

        first, other = await house.merchant(), await house.merchant()
        assert await wait(first, "1") == 3600
        await cool(60, first)
        assert await wait(first, "2") == 3600
        await cool(7200, other)
        assert await wait(other, "2") == 7200
        await first.post("/v1/mock/clock/advance", {"seconds": 3601})
        assert await wait(first, "3") == 60
        assert await wait(other, "3") == 7200
