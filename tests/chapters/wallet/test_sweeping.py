"""Deposit addresses are swept when that is worth its gas; balances count before; ledger and chain agree after."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from bpn.adapters.chain.evm import EvmChain
from bpn.adapters.postgres.embedded import EmbeddedPostgres
from bpn.audit.model import Decision
from bpn.chapters.fx import operations as fx
from bpn.chapters.wallet import operations as wallet
from bpn.chapters.wallet import rules
from bpn.chapters.wallet.model import Network, Token
from bpn.chapters.wallet.model.outgoing import Fees, GasTerms, OutgoingState
from bpn.chapters.wallet.model.sweeping import Sweepable, SweepLook, SweepPlan, SweepRefusal
from bpn.kernel.assets import Asset
from bpn.kernel.money import Money
from bpn.ledger import operations as ledger
from bpn.ports.readers import GasFees
from bpn.wiring.chains import compare_with_chains
from conftest import copy_database
from installation import SENDER, Installation, Merchant, open_installation

WITHDRAW = "/v1/wallet/withdraw"


@pytest.fixture(scope="module")
async def swept(server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """An installation that sweeps what is worth at least ten units."""
    async with open_installation(
        copy_database(server), tmp_path_factory.mktemp("swept"), sweeping=True, sweep_recheck_seconds=60
    ) as installation:
        yield installation


@pytest.fixture
async def merchant(swept: Installation) -> Merchant:
    return await swept.merchant()


async def address_of(merchant: Merchant, currency: str = "USDT", network: str = "BSC") -> str:
    query = {"walletId": merchant.wallet_id, "currency": currency, "network": network}
    return (await merchant.get("/v1/wallet/deposit-address", **query))["address"]


async def lies_at(house: Installation, address: str, currency: str = "USDT", network: str = "BSC") -> int:
    token = house.parts.wallet_terms.networks[network].tokens[currency]
    return await house.nodes[network].token_balance(token.contract, address)


async def turn(house: Installation, network: str = "BSC") -> None:
    """A block of one network, and the jobs that read it and move money out of it."""
    await house.chains[network].mine(1)
    await house.job(f"wallet.read_blocks:{network}")()
    await house.job("outbox.relay")()
    for name in ("plan_sweeps", "send_outgoing", "send_sweeps", "follow_outgoing", "recheck_settled"):
        await house.job(f"wallet.{name}:{network}")()


async def until_swept(house: Installation, address: str, currency: str = "USDT", network: str = "BSC") -> None:
    for _ in range(25):
        if await lies_at(house, address, currency, network) == 0 and not await under_way(house, network):
            return
        await turn(house, network)
    raise AssertionError("not swept in 25 rounds")


async def under_way(house: Installation, network: str = "BSC") -> list[object]:
    async with house.parts.database.transaction() as tx:
        open_sweeps = await wallet.list_sweeps(tx, network)
        return [*open_sweeps, *await wallet.list_outgoing(tx, network, list(OutgoingState))]


async def differences(house: Installation) -> list[str]:
    """The assets of which ledger and chain say different things."""
    found = await compare_with_chains(house.parts)
    return [one.asset.code for one in found if one.difference]


async def test_a_balance_counts_at_confirmation_and_is_swept_later_with_gas_from_the_hot_wallet(
    swept: Installation, merchant: Merchant
) -> None:
    address = await address_of(merchant)
    await merchant.fund("100")
    assert await merchant.available() == "100"
    hot = swept.parts.wallet_terms.hot_address
    before = await lies_at(swept, hot)
    await until_swept(swept, address)
    assert await lies_at(swept, hot) - before == 100 * 10**18
    assert await merchant.available() == "100"
    assert await swept.nodes["BSC"].transaction_count(address) == 1
    assert await differences(swept) == []
    # The survey of final blocks takes the coins for its gas for our own.
    while await swept.job("wallet.survey_blocks:BSC")():
        pass
    async with swept.parts.database.transaction() as tx:
        assert address not in [one.arrival.recipient for one in await wallet.list_uncredited(tx, before=None, limit=50)]


async def test_ledger_and_chain_agree_at_every_moment_of_a_sweep(swept: Installation, merchant: Merchant) -> None:
    await merchant.whitelist()
    hash_ = await merchant.deposit("50")
    await swept.until(lambda: merchant.record(hash=hash_, status="CONFIRMING"))
    seen = set()
    for _ in range(16):
        assert await differences(swept) == []
        async with swept.parts.database.transaction() as tx:
            seen |= {sweep.state.value for sweep in await wallet.list_sweeps(tx, "BSC")}
            seen |= {f"{one.purpose}:{one.state}" for one in await wallet.list_outgoing(tx, "BSC", list(OutgoingState))}
        await turn(swept)
    assert {"topping_up", "sending", "top_up:mined", "sweep:mined"} <= seen
    assert await under_way(swept) == []
    assert await lies_at(swept, await address_of(merchant)) == 0


async def test_what_is_too_small_stays_until_the_hot_wallet_waits_for_it(
    swept: Installation, merchant: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = await address_of(merchant, "USDC", "ETH")
    await merchant.receive("9", "USDC", "ETH")
    for _ in range(4):
        await turn(swept, "ETH")
    assert await lies_at(swept, address, "USDC", "ETH") == 9_000_000
    assert await merchant.available("USDC", "ETH") == "9"
    hot, real = swept.parts.wallet_terms.hot_address, EvmChain.token_balance
    contract = swept.parts.wallet_terms.networks["ETH"].tokens["USDC"].contract

    async def short(node: EvmChain, token: str, holder: str, block_number: int | None = None) -> int:
        if (token, holder) == (contract, hot):
            return 1_000_000
        return await real(node, token, holder, block_number)

    await merchant.whitelist(currency="USDC", network="ETH")
    with monkeypatch.context() as patch:
        patch.setattr(EvmChain, "token_balance", short)
        asked = await merchant.post(WITHDRAW, merchant.withdrawal("5", currency="USDC", network="ETH"))
        await until_swept(swept, address, currency="USDC", network="ETH")
        record = await merchant.record(transactionId=asked["transactionId"])
        assert record is not None
        assert record["status"] == "PROCESSING"
    await swept.until(lambda: merchant.record(transactionId=asked["transactionId"], status="SUCCESS"))
    assert await differences(swept) == []


async def test_a_sweep_that_costs_more_than_it_moves_is_not_made(
    swept: Installation, merchant: Merchant, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = await address_of(merchant)

    async def dear(_node: EvmChain) -> GasFees:
        return GasFees(400 * 10**9, 10**9, 200 * 10**9)

    with monkeypatch.context() as patch:
        patch.setattr(EvmChain, "gas_fees", dear)
        # One coin is worth what makes 0.04 of it dearer than the deposit.
        async with swept.parts.database.transaction() as tx:
            dear_coin = Decision(approved=True, actor="ana", reason="a dear coin")
            await fx.set_rate(swept.parts.fx_terms, tx, "BNB", "USD", Decimal(900), dear_coin)
        await merchant.fund("20")
        for _ in range(4):
            await turn(swept)
        assert await lies_at(swept, address) == 20 * 10**18
    await merchant.post("/v1/mock/clock/advance", {"seconds": 61})
    await until_swept(swept, address)
    assert await differences(swept) == []


async def test_coins_that_a_stranger_sent_pay_for_the_gas_and_are_booked(
    swept: Installation, merchant: Merchant
) -> None:
    address = await address_of(merchant)
    await swept.chains["BSC"].send_native(address, 10**17)
    await merchant.fund("30")
    await until_swept(swept, address)
    async with swept.parts.database.transaction() as tx:
        native = swept.parts.wallet_terms.networks["BSC"].native
        (found,) = await ledger.balances(tx, [rules.found_coins_account(native)])
    assert found.posted >= 10**17
    assert await differences(swept) == []


@pytest.mark.parametrize("dies_after", ["planned", "prepared", "signed", "broadcast"])
async def test_a_worker_that_dies_between_two_commits_sweeps_once(
    swept: Installation, merchant: Merchant, dies_after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = await address_of(merchant)
    await merchant.fund("40")
    step = {
        "planned": "prepare_outgoing",
        "prepared": "record_signature",
        "signed": "record_broadcast",
        "broadcast": "record_receipt",
    }[dies_after]

    async def die(*_: object, **__: object) -> None:
        raise SystemError("killed here")

    hot = swept.parts.wallet_terms.hot_address
    before = await lies_at(swept, hot)
    with monkeypatch.context() as patch:
        patch.setattr(wallet, step, die)
        with pytest.raises(SystemError):
            for _ in range(8):
                await turn(swept)
    await until_swept(swept, address)
    assert await lies_at(swept, hot) - before == 40 * 10**18
    assert await swept.nodes["BSC"].transaction_count(address) == 1
    assert await differences(swept) == []


async def test_two_workers_begin_one_sweep(swept: Installation, merchant: Merchant) -> None:
    address = await address_of(merchant)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EvmChain, "transfer_gas", _no_gas)
        await merchant.fund("60")
    terms = swept.parts.wallet_terms
    network = terms.networks["BSC"]
    async with swept.parts.database.transaction() as tx:
        cursor = await tx.connection.execute(
            "UPDATE wallet_sweepable SET check_at = now() WHERE address = %s RETURNING key_index, check_at", (address,)
        )
        (row,) = await cursor.fetchall()
    place = Sweepable(merchant.merchant_id, "BSC", "USDT", address, *row)
    candidates = wallet.SweepCandidates((place,), 0, frozenset())
    look = SweepLook(place, 60 * 10**18, 0, 50_000, 21_000)

    async def plan() -> int:
        async with swept.parts.database.transaction() as tx:
            return (await wallet.plan_sweeps(terms, tx, network, candidates, [look], Fees(10**9, 10**9)))["begun"]

    assert sorted(await asyncio.gather(plan(), plan(), plan())) == [0, 0, 1]
    await until_swept(swept, address)
    assert await swept.nodes["BSC"].transaction_count(address) == 1
    assert await differences(swept) == []


async def test_a_frozen_deposit_is_not_mixed_with_other_money(server: EmbeddedPostgres, tmp_path: Path) -> None:
    async with open_installation(copy_database(server), tmp_path, sweeping=True, blocked_names=["Ana Sousa"]) as house:
        merchant = await house.merchant()
        address = await address_of(merchant)
        hash_ = await merchant.deposit("50")
        # Before anybody has named the sender the address may be swept: freezing finds the tokens where they are.
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(EvmChain, "transfer_gas", _no_gas)
            waiting = await house.until(lambda: merchant.record(hash=hash_, status="SENDER_REQUIRED"))
            await merchant.post("/v1/wallet/add-deposit-sender", {"transactionId": waiting["transactionId"], **SENDER})
            await house.until(lambda: merchant.record(hash=hash_, status="FROZEN"))
        await merchant.post("/v1/mock/clock/advance", {"seconds": 4_000})
        for _ in range(5):
            await turn(house)
        assert await lies_at(house, address) == 50 * 10**18
        async with house.parts.database.transaction() as tx:
            await wallet.decide_deposit(
                tx, merchant.merchant_id, int(waiting["transactionId"]), Decision(True, "ana")
            )  # fmt: skip
        await until_swept(house, address)


async def _no_gas(*_: object) -> None:
    return None


async def test_a_deep_reorg_that_removes_a_swept_deposit_stops_nothing(
    server: EmbeddedPostgres, tmp_path: Path
) -> None:
    async with open_installation(copy_database(server), tmp_path, sweeping=True) as house:
        merchant = await house.merchant()
        address = await address_of(merchant)
        before = (await house.nodes["BSC"].head()).number
        await merchant.fund("50")
        await until_swept(house, address)
        await house.chains["BSC"].reorganise((await house.nodes["BSC"].head()).number - before, keep=True)
        await house.round()
        for _ in range(6):
            await turn(house)
        await house.round()
        assert (await merchant.record(walletId=merchant.wallet_id))["status"] == "COMPLETED"
        assert await merchant.available() == "50"
        assert await lies_at(house, address) == 0
        assert await differences(house) == []


USDT = Asset("USDT", "BSC", 18)
NATIVE = Asset("BNB", "BSC", 18)
TOKEN = Token(USDT, "0xT", Money(1, USDT), Money(1, USDT), Money(0, USDT), minimum_sweep=Money(10 * 10**18, USDT))
NETWORK = Network("BSC", 56, NATIVE, 3, Decimal(1), None, {"USDT": TOKEN})
PLACE = Sweepable(7, "BSC", "USDT", "0xA", 1, datetime.fromisoformat("2026-01-01T00:00Z"))
LOOK = SweepLook(PLACE, 100 * 10**18, 0, 40_000, 21_000)
FEES = Fees(10 * 10**9, 10**9)
COST = (50_000 + 21_000) * 10 * 10**9


class TestRules:
    @pytest.mark.parametrize(
        ("look", "short", "cap", "native_price", "expected"),
        [
            (LOOK, False, None, None, 650_000 * 10**9),
            (replace(LOOK, native=10**18), False, None, None, 0),
            (replace(LOOK, native=10**14), False, None, None, 550_000 * 10**9),
            (replace(LOOK, balance=0), False, None, None, SweepRefusal.EMPTY),
            (replace(LOOK, balance=-1), True, None, None, SweepRefusal.EMPTY),
            (replace(LOOK, balance=9 * 10**18), False, None, None, SweepRefusal.TOO_SMALL),
            (replace(LOOK, balance=9 * 10**18), True, None, None, 650_000 * 10**9),
            (replace(LOOK, gas=None), False, None, None, SweepRefusal.REVERTS),
            (replace(LOOK, gas=10**6), False, None, None, SweepRefusal.REVERTS),
            (LOOK, False, COST - 1, None, SweepRefusal.TOO_DEAR),
            (LOOK, False, COST, None, 650_000 * 10**9),
            (LOOK, False, None, Decimal(200_000), SweepRefusal.NOT_WORTH_ITS_GAS),
            (LOOK, True, None, Decimal(200_000), SweepRefusal.NOT_WORTH_ITS_GAS),
            (LOOK, False, None, Decimal(100_000), 650_000 * 10**9),
        ],
    )
    def test_what_is_fetched(
        self, look: SweepLook, short: bool, cap: int | None, native_price: Decimal | None, expected: object
    ) -> None:
        network = replace(NETWORK, gas=GasTerms(sweep_cap=cap))
        quoted = {"USDT": Decimal(1)} | ({} if native_price is None else {"BNB": native_price})
        plan = rules.plan_sweep(TOKEN, network, look, FEES, quoted, short=short)
        assert (plan.top_up if isinstance(plan, SweepPlan) else plan) == expected


async def test_the_ledger_is_sound_after_all_this(swept: Installation) -> None:
    async with swept.parts.database.transaction(snapshot=True) as tx:
        assert (await ledger.verify(tx)).findings == ()
