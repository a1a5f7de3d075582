"""The levers: mock deposits are real transfers, the clock moves business time only; none of it near real rails."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bpn.adapters.postgres.embedded import EmbeddedPostgres
from bpn.ports.readers import SourceUnavailableError
from bpn.settings import Settings
from bpn.wiring.house import open_house
from bpn.wiring.merchants import onboard_merchant
from conftest import copy_database
from installation import OUTSIDE, Installation, Merchant, serving

DEPOSIT = "/v1/mock/wallet/deposit"
CLOCK = "/v1/mock/clock/advance"
SCENARIO = "/v1/mock/scenario"


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    return await house.merchant()


class TestMockDeposit:
    async def test_is_a_real_transfer_from_the_sender_asked_for(self, house: Installation, merchant: Merchant) -> None:
        body = {
            "walletId": merchant.wallet_id,
            "currency": "USDC",
            "network": "ETH",
            "amount": "7",
            "fromAddress": OUTSIDE,
        }
        hash_ = (await merchant.post(DEPOSIT, body))["hash"]
        record = await house.until(lambda: merchant.record(hash=hash_))
        assert (record["fromAddress"], record["currency"], record["network"]) == (OUTSIDE, "USDC", "ETH")
        receipt = await house.nodes["ETH"].receipt(hash_)
        assert receipt is not None
        assert receipt.succeeded

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ({"currency": "USDT"}, 400, "INVALID_REQUEST"),
            ({"currency": "USDT", "amount": "0"}, 400, "INVALID_REQUEST"),
            ({"currency": "USDT", "amount": "1", "fromAddress": "0x1"}, 400, "INVALID_REQUEST"),
            ({"currency": "USDT", "amount": "1", "walletId": 17}, 404, "WALLET_NOT_FOUND"),
            ({"currency": "DOGE", "amount": "1"}, 422, "UNSUPPORTED_CURRENCY"),
        ],
    )
    async def test_refuses(self, merchant: Merchant, body: dict[str, object], status: int, code: str) -> None:
        answer = await merchant.order(DEPOSIT, body)
        assert (answer.status, answer.code) == (status, code)


class TestAdvanceClock:
    async def test_moves_business_time_and_never_the_signature_window(self, merchant: Merchant) -> None:
        first = await merchant.post(CLOCK, {"seconds": 3600})
        second = await merchant.post(CLOCK, {"seconds": 60})
        assert second["offsetSeconds"] - first["offsetSeconds"] == 60
        assert second["now"] - first["now"] >= 60_000
        assert (await merchant.ask("/v1/wallet/asset-balance")).status == 200

    @pytest.mark.parametrize("seconds", [0, -1, 10**9, "60", None])
    async def test_refuses(self, merchant: Merchant, seconds: object) -> None:
        answer = await merchant.order(CLOCK, {"seconds": seconds})
        assert (answer.status, answer.fields) == (400, ["seconds"])


class TestMockScenario:
    async def test_a_reorg_that_loses_a_deposit(self, house: Installation, merchant: Merchant) -> None:
        await house.chains["ETH"].mine(3)
        hash_ = await merchant.deposit("7", "USDC", "ETH")
        await house.until(lambda: merchant.record(hash=hash_))
        body = {"name": "chain_reorg", "network": "ETH", "blocks": 2, "keep": False}
        assert await merchant.post(SCENARIO, body) == {"name": "chain_reorg", "network": "ETH"}
        await house.until(lambda: merchant.record(hash=hash_, status="ORPHANED"))

    async def test_a_silent_node_loses_nothing(self, house: Installation, merchant: Merchant) -> None:
        hash_ = await merchant.deposit("7", "USDC", "ETH")
        await merchant.post(SCENARIO, {"name": "rpc_down", "network": "ETH", "seconds": 1})
        with pytest.raises(SourceUnavailableError):
            await house.job("wallet.read_blocks:ETH")()
        await asyncio.sleep(1.1)
        await house.until(lambda: merchant.record(hash=hash_, status="SENDER_REQUIRED"))

    @pytest.mark.parametrize(
        ("body", "status", "fields"),
        [
            ({}, 400, ["name"]),
            ({"name": "earthquake"}, 400, ["name"]),
            ({"name": "chain_reorg", "blocks": 0}, 400, ["blocks"]),
            ({"name": "rpc_down", "seconds": 10**6}, 400, ["seconds"]),
            ({"name": "rpc_down", "network": "TRON"}, 422, ["network"]),
        ],
    )
    async def test_refuses(self, merchant: Merchant, body: dict[str, object], status: int, fields: list[str]) -> None:
        answer = await merchant.order(SCENARIO, body)
        assert (answer.status, answer.fields) == (status, fields)


async def test_where_a_real_rail_is_configured_there_are_no_levers(server: EmbeddedPostgres, tmp_path: Path) -> None:
    chains = {"BSC": {"rpc_url": "http://127.0.0.1:9/"}}
    settings = Settings(data_dir=tmp_path, chains=chains)
    async with open_house(settings, copy_database(server)) as parts, serving(parts) as base_url:
        import httpx  # noqa: PLC0415 - only here

        made = await onboard_merchant(parts, "M", None)
        async with httpx.AsyncClient(base_url=base_url, trust_env=False) as http:
            outside = Installation(parts, base_url, [], {}, http, {})
            merchant = Merchant(
                outside, made.merchant.merchant_id, made.key.api_key, made.key.secret, made.primary_wallet_id
            )
            for path in (DEPOSIT, CLOCK, SCENARIO):
                answer = await merchant.order(path, {"seconds": 1})
                assert (answer.status, answer.code) == (404, "ROUTE_NOT_FOUND")
