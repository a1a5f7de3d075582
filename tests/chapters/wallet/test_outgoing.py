"""What is stuck, lost or forgotten on its way out: replaced, sent again, recognised; paid once all the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from prometheus_client import REGISTRY

from bpn.adapters.chain.evm import EvmChain
from bpn.chapters.wallet import operations as wallet
from bpn.chapters.wallet import rules
from bpn.chapters.wallet.model.outgoing import (
    Attempt,
    Call,
    Fees,
    Funds,
    GasTerms,
    Outgoing,
    OutgoingState,
    Purpose,
    WaitReason,
    Wanted,
)
from bpn.kernel.clock import Clock
from bpn.ledger import operations as ledger
from bpn.ports.readers import GasFees
from bpn.ports.senders import BroadcastOutcome
from installation import OUTSIDE, Installation, Merchant

WITHDRAW = "/v1/wallet/withdraw"
SEND, FOLLOW = "wallet.send_outgoing:BSC", "wallet.follow_outgoing:BSC"
TOO_LITTLE = GasFees(1, 1, 0)
"""Less than any block's base fee: taken into the pool, mined never."""
EARLIER = "UPDATE wallet_outgoing_attempts SET planned_at = planned_at - interval '1 day' WHERE network = 'BSC'"
SENT_EARLIER = "UPDATE wallet_outgoing_attempts SET sent_at = sent_at - interval '1 day' WHERE network = 'BSC'"


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    merchant = await house.merchant()
    await merchant.fund("500")
    await merchant.whitelist()
    return merchant


async def sent_to_outside(house: Installation) -> int:
    token = house.parts.wallet_terms.networks["BSC"].tokens["USDT"]
    return await house.nodes["BSC"].token_balance(token.contract, OUTSIDE)


async def open_outgoing(house: Installation) -> list[Outgoing]:
    async with house.parts.database.transaction() as tx:
        return await wallet.list_outgoing(tx, "BSC", list(OutgoingState))


def measured(name: str) -> float:
    return REGISTRY.get_sample_value(name, {"network": "BSC"}) or 0.0


async def ask_for(house: Installation, merchant: Merchant, amount: str, fees: GasFees | None = None) -> str:
    """A withdrawal that has been broadcast, with these fees; its id."""
    asked = await merchant.post(WITHDRAW, merchant.withdrawal(amount))
    with pytest.MonkeyPatch.context() as patch:
        if fees is not None:

            async def offer(_node: EvmChain) -> GasFees:
                return fees

            patch.setattr(EvmChain, "gas_fees", offer)
        await house.job(SEND)()
    return str(asked["transactionId"])


class TestReplacement:
    async def test_a_stuck_transaction_is_replaced_at_its_nonce_by_an_eighth_more(
        self, house: Installation, merchant: Merchant, database_admin: Callable[[str], None]
    ) -> None:
        before = await sent_to_outside(house)
        asked = await ask_for(house, merchant, "10", TOO_LITTLE)
        for _ in range(4):
            await house.round()
        (stuck,) = await open_outgoing(house)
        assert (stuck.state, len(stuck.attempts)) == (OutgoingState.BROADCAST, 1)
        database_admin(EARLIER)
        await house.job(FOLLOW)()
        await house.job(SEND)()
        (replaced,) = await open_outgoing(house)
        first, second = replaced.attempts
        assert replaced.nonce == stuck.nonce
        assert second.fees.max_fee >= first.fees.max_fee * 9 / 8
        assert (second.fees.priority_fee or 0) >= (first.fees.priority_fee or 0) * 9 / 8
        assert first.raw
        assert second.raw
        done = await house.until(lambda: merchant.record(transactionId=asked, status="SUCCESS"))
        assert done["hash"] == second.hash
        assert await sent_to_outside(house) - before == 10 * 10**18
        assert await merchant.available() == "489"

    async def test_whichever_is_mined_settles_it_once(
        self,
        house: Installation,
        merchant: Merchant,
        database_admin: Callable[[str], None],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        before = await sent_to_outside(house)
        asked = await ask_for(house, merchant, "10")
        database_admin(EARLIER)
        await house.job(FOLLOW)()

        async def swallow(_node: EvmChain, _raw: bytes) -> BroadcastOutcome:
            return BroadcastOutcome.ACCEPTED

        with monkeypatch.context() as patch:
            patch.setattr(EvmChain, "broadcast", swallow)
            await house.job(SEND)()
        (outgoing,) = await open_outgoing(house)
        first, second = outgoing.attempts
        record = await merchant.record(transactionId=asked)
        assert record is not None
        assert record["hash"] == second.hash
        done = await house.until(lambda: merchant.record(transactionId=asked, status="SUCCESS"))
        assert done["hash"] == first.hash
        assert await merchant.record(hash=first.hash) == done
        assert await sent_to_outside(house) - before == 10 * 10**18
        assert await merchant.available() == "489"

    async def test_a_reorg_that_removes_the_replacement_has_it_mined_again(
        self, house: Installation, merchant: Merchant, database_admin: Callable[[str], None]
    ) -> None:
        await house.chains["BSC"].mine(3)
        before = await sent_to_outside(house)
        asked = await ask_for(house, merchant, "10", TOO_LITTLE)
        database_admin(EARLIER)
        await house.job(FOLLOW)()
        await house.until(lambda: merchant.record(transactionId=asked, status="CONFIRMING"))
        await house.chains["BSC"].reorganise(2, keep=True)
        await house.job(FOLLOW)()
        record = await merchant.record(transactionId=asked)
        assert record is not None
        assert record["status"] == "BROADCAST"
        await house.until(lambda: merchant.record(transactionId=asked, status="SUCCESS"))
        assert await sent_to_outside(house) - before == 10 * 10**18

    async def test_four_workers_add_one_replacement(
        self, house: Installation, merchant: Merchant, database_admin: Callable[[str], None]
    ) -> None:
        asked = await ask_for(house, merchant, "10", TOO_LITTLE)
        database_admin(EARLIER)
        (stuck,) = await open_outgoing(house)
        network, fees = house.parts.wallet_terms.networks["BSC"], Fees(10**10, 10**9)
        added = []
        for _ in range(4):
            async with house.parts.database.transaction() as tx:
                added.append(await wallet.plan_replacement(tx, network, stuck, fees))
        assert added == [True, False, False, False]
        await house.until(lambda: merchant.record(transactionId=asked, status="SUCCESS"))


class TestWaiting:
    @pytest.mark.parametrize("short_of", ["gas", "tokens", "fee_cap"])
    async def test_a_short_hot_wallet_waits_takes_no_nonce_and_tells(
        self, house: Installation, merchant: Merchant, short_of: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = await sent_to_outside(house)
        asked = await merchant.post(WITHDRAW, merchant.withdrawal("10"))

        async def nothing(*_: object) -> int:
            return 0

        async def dear(*_: object) -> GasFees:
            return GasFees(10**13, 10**9, 5 * 10**12)

        with monkeypatch.context() as patch:
            method = {"gas": "native_balance", "tokens": "token_balance", "fee_cap": "gas_fees"}[short_of]
            patch.setattr(EvmChain, method, dear if short_of == "fee_cap" else nothing)
            for _ in range(2):
                await house.job(SEND)()
            waiting = REGISTRY.get_sample_value("bpn_outgoing_waiting", {"network": "BSC", "reason": short_of})
            assert waiting == 1
            assert await open_outgoing(house) == []
        await house.until(lambda: merchant.record(transactionId=asked["transactionId"], status="SUCCESS"))
        assert await sent_to_outside(house) - before == 10 * 10**18


class TestGap:
    async def test_a_nonce_that_no_node_knows_is_told_and_sent_again(
        self,
        house: Installation,
        merchant: Merchant,
        database_admin: Callable[[str], None],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        async def swallow(_node: EvmChain, _raw: bytes) -> BroadcastOutcome:
            return BroadcastOutcome.ACCEPTED

        with monkeypatch.context() as patch:
            patch.setattr(EvmChain, "broadcast", swallow)
            lost = await ask_for(house, merchant, "10")
        behind = await ask_for(house, merchant, "20")
        assert [one.amount for one in await open_outgoing(house)] == [10 * 10**18, 20 * 10**18]
        for _ in range(3):
            await house.round()
        assert measured("bpn_outgoing_gaps") == 1
        assert measured("bpn_outgoing_unmined") == 2
        database_admin(SENT_EARLIER)
        for asked in (lost, behind):
            await house.until(lambda asked=asked: merchant.record(transactionId=asked, status="SUCCESS"))
        await house.job(FOLLOW)()
        assert (measured("bpn_outgoing_gaps"), measured("bpn_outgoing_unmined")) == (0, 0)

    async def test_a_nonce_that_nothing_here_owns_is_told(
        self, house: Installation, merchant: Merchant, database_admin: Callable[[str], None]
    ) -> None:
        network = house.parts.wallet_terms.networks["BSC"]
        count = await house.nodes["BSC"].transaction_count(house.parts.wallet_terms.hot_address)
        await merchant.available()
        database_admin("UPDATE wallet_senders SET next_nonce = next_nonce + 2 WHERE network = 'BSC' AND key_index = 0")
        async with house.parts.database.transaction() as tx:
            assert await wallet.missing_nonces(tx, network, 0, count) == [count, count + 1]
        database_admin("UPDATE wallet_senders SET next_nonce = next_nonce - 2 WHERE network = 'BSC' AND key_index = 0")
        async with house.parts.database.transaction() as tx:
            assert await wallet.missing_nonces(tx, network, 0, count) == []


class TestRestoredBackup:
    async def test_a_replacement_whose_record_was_lost_is_recognised_and_nobody_is_paid_twice(
        self, house: Installation, merchant: Merchant, database_admin: Callable[[str], None]
    ) -> None:
        before = await sent_to_outside(house)
        asked = await ask_for(house, merchant, "10", TOO_LITTLE)
        database_admin(EARLIER)
        await house.job(FOLLOW)()
        await house.job(SEND)()
        (replaced,) = await open_outgoing(house)
        await house.chains["BSC"].mine(1)
        assert await sent_to_outside(house) - before == 10 * 10**18
        # The backup is of before the replacement.
        first, second = replaced.attempts
        database_admin(f"DELETE FROM wallet_outgoing_attempts WHERE hash = '{second.hash}'")
        database_admin(f"UPDATE wallet_outgoing SET hash = '{first.hash}' WHERE hash = '{second.hash}'")
        done = await house.until(lambda: merchant.record(transactionId=asked, status="SUCCESS"))
        assert done["hash"] == second.hash
        for _ in range(4):
            await house.round()
        assert await sent_to_outside(house) - before == 10 * 10**18
        assert await merchant.available() == "489"


WANTED = Wanted(Purpose.WITHDRAWAL, 7, 1, 0, "0xT", "0xR", 100)


def outgoing(amount: int, fees: Fees) -> Outgoing:
    attempt = Attempt(1, fees, b"raw", "0x1", Clock().wall(), None)
    return Outgoing("BSC", 0, 1, Purpose.WITHDRAWAL, 7, 2, "0xT", "0xR", amount, 50_000, (attempt,))


class TestRules:
    @pytest.mark.parametrize(
        ("tokens", "native", "fees", "gas", "reason"),
        [
            (100, 10**9, Fees(10, 1), 40_000, None),
            (99, 10**9, Fees(10, 1), 40_000, WaitReason.TOKENS),
            (100, 499_999, Fees(10, 1), 40_000, WaitReason.GAS),
            (100, 500_000, Fees(10, 1), 40_000, None),
            (100, 10**9, None, 40_000, WaitReason.FEE_CAP),
            (100, 10**9, Fees(10, 1), None, WaitReason.REVERTS),
            (100, 10**9, Fees(10, 1), 500_000, WaitReason.GAS_LIMIT),
        ],
    )
    def test_why_a_transfer_waits(
        self, tokens: int, native: int, fees: Fees | None, gas: int | None, reason: WaitReason | None
    ) -> None:
        funds = Funds({"0xT": tokens}, native, 0, fees, {WANTED.call: gas})
        (placement,) = rules.place([WANTED], [], funds, GasTerms())
        assert placement.waits_for == reason

    def test_one_that_came_after_the_network_was_asked_waits_for_the_next_round(self) -> None:
        (placement,) = rules.place([WANTED], [], Funds({"0xT": 100}, 10**9, 0, Fees(10, 1)), GasTerms())
        assert placement.waits_for is WaitReason.NOT_ESTIMATED

    def test_what_is_under_way_is_not_spent_twice(self) -> None:
        funds = Funds({"0xT": 150}, 10**9, 0, Fees(10, 1), {WANTED.call: 40_000})
        (placement,) = rules.place([WANTED], [outgoing(51, Fees(10, 1))], funds, GasTerms())
        assert placement.waits_for is WaitReason.TOKENS
        short_of_gas = Funds({"0xT": 150}, 999_999, 0, Fees(10, 1), {WANTED.call: 40_000})
        (placement,) = rules.place([WANTED], [outgoing(50, Fees(10, 1))], short_of_gas, GasTerms())
        assert placement.waits_for is WaitReason.GAS

    def test_the_native_coin_counts_beside_its_gas(self) -> None:
        coins = Wanted(Purpose.TOP_UP, 0, 1, 0, None, "0xR", 1_000)
        gas = {Call(None, "0xR", 1_000): 21_000}
        (placement,) = rules.place([coins], [], Funds({}, 210_999, 0, Fees(10, 1), gas), GasTerms())
        assert placement.waits_for is WaitReason.GAS
        (placement,) = rules.place([coins], [], Funds({}, 211_000, 0, Fees(10, 1), gas), GasTerms())
        assert (placement.waits_for, placement.gas_limit) == (None, 21_000)

    @pytest.mark.parametrize(
        ("offered", "asked", "cap", "raised"),
        [
            (Fees(80, 8), Fees(80, 8), 1_000, Fees(90, 9)),
            (Fees(80, 8), Fees(200, 20), 1_000, Fees(200, 20)),
            (Fees(80, 8), Fees(200, 20), 100, Fees(100, 20)),
            (Fees(80, 8), Fees(200, 20), 89, None),
            (Fees(80, 8), None, 1_000, Fees(90, 9)),
            (Fees(1, 0), Fees(1, 0), 1_000, Fees(2, 1)),
            (Fees(80, None), Fees(100, None), 1_000, Fees(100, None)),
        ],
    )
    def test_what_a_replacement_offers(self, offered: Fees, asked: Fees | None, cap: int, raised: Fees | None) -> None:
        assert rules.raise_fees(offered, asked, cap) == raised

    @pytest.mark.parametrize(
        ("fees", "base_fee", "cap", "capped"),
        [
            (Fees(210, 10), 100, 1_000, Fees(210, 10)),
            (Fees(210, 10), 100, 150, Fees(150, 10)),
            (Fees(210, 10), 100, 109, None),
            (Fees(210, None), 0, 210, Fees(210, None)),
            (Fees(210, None), 0, 209, None),
        ],
    )
    def test_dearer_than_the_cap_is_not_sent(self, fees: Fees, base_fee: int, cap: int, capped: Fees | None) -> None:
        assert rules.capped_fees(fees, base_fee, cap) == capped


async def test_the_ledger_is_sound_after_all_this(house: Installation) -> None:
    async with house.parts.database.transaction(snapshot=True) as tx:
        assert (await ledger.verify(tx)).findings == ()
