"""Withdrawals: asked for, held, reviewed, sent exactly once, settled by the receipt."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

import pytest

from bpn.adapters.chain.evm import EvmChain
from bpn.adapters.signer.local import LocalSigner
from bpn.audit.model import Decision
from bpn.chapters.wallet import operations as wallet
from bpn.chapters.wallet.model.outgoing import OutgoingState
from bpn.kernel.errors import InvalidState
from bpn.ledger import operations as ledger
from bpn.ports.readers import GasFees
from bpn.ports.senders import BroadcastOutcome, ChainTransfer
from bpn.wiring.house import wallet_seed
from installation import OUTSIDE, Installation, Merchant

WITHDRAW = "/v1/wallet/withdraw"
CANCEL = "/v1/wallet/withdraw/cancel"


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    merchant = await house.merchant()
    await merchant.fund("5000")
    await merchant.whitelist()
    return merchant


async def status(merchant: Merchant, transaction_id: str) -> str:
    record = await merchant.record(transactionId=transaction_id)
    assert record is not None
    return record["status"]


async def sent_to_outside(house: Installation) -> int:
    token = house.parts.wallet_terms.networks["BSC"].tokens["USDT"]
    return await house.nodes["BSC"].token_balance(token.contract, OUTSIDE)


class TestRequest:
    async def test_amount_and_fee_are_held_from_acceptance(self, merchant: Merchant) -> None:
        await merchant.post(WITHDRAW, merchant.withdrawal("100"))
        balance = await merchant.balance()
        assert (balance["available"], balance["unavailable"]) == ("4899", "101")

    async def test_amounts_may_be_json_numbers(self, merchant: Merchant) -> None:
        raw = b'{"currency":"USDT","address":"%b","amount":100.000000000000000001}' % OUTSIDE.encode()
        answer = await merchant.send("POST", WITHDRAW, raw)
        assert (answer.status, answer.data["amount"]) == (200, "100.000000000000000001")

    @pytest.mark.parametrize(
        ("amount", "status", "code"),
        [
            ("0", 400, "INVALID_REQUEST"),
            ("-1", 400, "INVALID_REQUEST"),
            ("1e3", 400, "INVALID_REQUEST"),
            ("NaN", 400, "INVALID_REQUEST"),
            ("1.0000000000000000001", 400, "INVALID_REQUEST"),
            ("", 400, "INVALID_REQUEST"),
            (None, 400, "INVALID_REQUEST"),
            (True, 400, "INVALID_REQUEST"),
            (1e3, 400, "INVALID_REQUEST"),
            ("0.5", 422, "AMOUNT_TOO_SMALL"),
            ("5000", 422, "INSUFFICIENT_BALANCE"),
        ],
    )
    async def test_bad_amounts(self, merchant: Merchant, amount: object, status: int, code: str) -> None:
        before = await merchant.balance()
        raw = {**merchant.withdrawal("1"), "amount": amount}
        answer = (
            await merchant.send("POST", WITHDRAW, b'{"currency":"USDT","address":"x","amount":1e3}')
            if amount == 1e3
            else await merchant.order(WITHDRAW, raw)
        )
        assert (answer.status, answer.code) == (status, code)
        if code == "INVALID_REQUEST":
            assert answer.fields == ["amount"]
        assert await merchant.balance() == before

    @pytest.mark.parametrize(
        ("change", "status", "code"),
        [
            ({"address": "0x1"}, 400, "INVALID_REQUEST"),
            ({"address": OUTSIDE.swapcase().replace("X", "x")}, 400, "INVALID_REQUEST"),
            ({"address": "0x" + "00" * 20}, 400, "INVALID_REQUEST"),
            ({"address": "0x" + "12" * 20}, 422, "ADDRESS_NOT_WHITELISTED"),
            ({"currency": "USDC"}, 422, "ADDRESS_NOT_WHITELISTED"),
            ({"network": "ETH"}, 422, "ADDRESS_NOT_WHITELISTED"),
            ({"network": "SOLANA"}, 422, "UNSUPPORTED_NETWORK"),
            ({"currency": "DOGE"}, 422, "UNSUPPORTED_CURRENCY"),
            ({"walletId": 17}, 404, "WALLET_NOT_FOUND"),
        ],
    )
    async def test_refuses(self, merchant: Merchant, change: dict[str, object], status: int, code: str) -> None:
        answer = await merchant.order(WITHDRAW, merchant.withdrawal("10", **change))
        assert (answer.status, answer.code) == (status, code)

    async def test_an_asset_has_its_own_scale_on_each_network(self, house: Installation, merchant: Merchant) -> None:
        await merchant.receive("10", "USDT", "ETH")
        await merchant.whitelist(network="ETH")
        answer = await merchant.order(WITHDRAW, merchant.withdrawal("1.0000001", network="ETH"))
        assert (answer.code, answer.fields) == ("INVALID_REQUEST", ["amount"])
        token = house.parts.wallet_terms.networks["ETH"].tokens["USDT"]
        before = await house.nodes["ETH"].token_balance(token.contract, OUTSIDE)
        asked = await merchant.post(WITHDRAW, merchant.withdrawal("1.000001", network="ETH"))
        await house.until(lambda: merchant.record(transactionId=asked["transactionId"], status="SUCCESS"))
        assert await house.nodes["ETH"].token_balance(token.contract, OUTSIDE) - before == 1_000_001

    async def test_50_parallel_equal_requests_are_one_payout(self, house: Installation, merchant: Merchant) -> None:
        before = await sent_to_outside(house)
        body = merchant.withdrawal("10", "once")
        answers = await asyncio.gather(*(merchant.order(WITHDRAW, body) for _ in range(50)))
        ids = {answer.data["transactionId"] for answer in answers if answer.status == 200}
        assert len(ids) == 1
        (transaction_id,) = ids
        await house.until(lambda: merchant.record(transactionId=transaction_id, status="SUCCESS"))
        assert await sent_to_outside(house) - before == 10 * 10**18
        assert await merchant.available() == "4989"

    async def test_parallel_withdrawals_never_overdraw(self, merchant: Merchant) -> None:
        answers = await asyncio.gather(*(merchant.order(WITHDRAW, merchant.withdrawal("999")) for _ in range(10)))
        assert Counter(answer.code for answer in answers) == {None: 5, "INSUFFICIENT_BALANCE": 5}
        assert await merchant.available() == "0"


class TestSending:
    async def test_parallel_withdrawals_take_consecutive_nonces_and_arrive_once(
        self, house: Installation, merchant: Merchant
    ) -> None:
        before = await sent_to_outside(house)
        first = await house.nodes["BSC"].transaction_count(house.parts.wallet_terms.hot_address)
        asked = await asyncio.gather(*(merchant.post(WITHDRAW, merchant.withdrawal("10")) for _ in range(20)))
        job = house.job("wallet.send_outgoing:BSC")
        await asyncio.gather(*(job() for _ in range(4)))  # four workers at once
        for one in asked:
            await house.until(lambda one=one: merchant.record(transactionId=one["transactionId"], status="SUCCESS"))
        assert await sent_to_outside(house) - before == 200 * 10**18
        count = await house.nodes["BSC"].transaction_count(house.parts.wallet_terms.hot_address)
        assert count - first == 20
        assert await merchant.available() == str(5000 - 20 * 11)

    @pytest.mark.parametrize("dies_after", ["prepared", "signed", "broadcast"])
    async def test_a_worker_that_dies_between_two_commits_sends_once(
        self, house: Installation, merchant: Merchant, dies_after: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = await sent_to_outside(house)
        asked = await merchant.post(WITHDRAW, merchant.withdrawal("10"))
        step = {"prepared": "record_signature", "signed": "record_broadcast", "broadcast": "record_receipt"}[dies_after]

        async def die(*_: object, **__: object) -> None:
            raise SystemError("killed here")

        with monkeypatch.context() as patch:
            patch.setattr(wallet, step, die)
            with pytest.raises(SystemError):
                for _ in range(5):
                    await house.round()
        done = await house.until(lambda: merchant.record(transactionId=asked["transactionId"], status="SUCCESS"))
        assert done["hash"]
        assert await sent_to_outside(house) - before == 10 * 10**18
        assert (await merchant.balance())["unavailable"] == "0"

    async def test_an_address_taken_off_the_list_is_not_paid(self, house: Installation, merchant: Merchant) -> None:
        body = {"currency": "USDT", "network": "BSC", "address": OUTSIDE}
        asked = await merchant.post(WITHDRAW, merchant.withdrawal("2000"))
        await merchant.post("/v1/wallet/delete-withdraw-whitelist", body)
        await merchant.decide(asked, Decision(True, "ana"))
        await house.work()
        record = await merchant.record(transactionId=asked["transactionId"])
        assert record is not None
        assert record["status"] == "REJECTED"
        assert await merchant.available() == "5000"

    async def test_a_withdrawal_that_a_reorg_removes_is_mined_again_and_settles_once(
        self, house: Installation, merchant: Merchant
    ) -> None:
        await house.chains["BSC"].mine(3)
        before = await sent_to_outside(house)
        asked = await merchant.post(WITHDRAW, merchant.withdrawal("10"))
        await house.until(lambda: merchant.record(transactionId=asked["transactionId"], status="CONFIRMING"))
        await house.chains["BSC"].reorganise(2, keep=True)
        await house.until(lambda: merchant.record(transactionId=asked["transactionId"], status="SUCCESS"))
        assert await sent_to_outside(house) - before == 10 * 10**18
        assert await merchant.available() == "4989"


class TestNonces:
    async def test_a_nonce_that_another_transaction_took_fails_the_withdrawal_and_frees_the_money(
        self, house: Installation, merchant: Merchant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = await merchant.post(WITHDRAW, merchant.withdrawal("10"))
        job = house.job("wallet.send_outgoing:BSC")

        async def silent(*_: object, **__: object) -> BroadcastOutcome:
            return BroadcastOutcome.REFUSED

        with monkeypatch.context() as patch:
            patch.setattr(EvmChain, "broadcast", silent)
            await job()
        async with house.parts.database.transaction() as tx:
            (outgoing,) = await wallet.list_outgoing(tx, "BSC", [OutgoingState.SIGNED])
            seed = await wallet_seed(tx, house.parts.cipher)
        fees = GasFees(outgoing.newest.fees.max_fee, outgoing.newest.fees.priority_fee)
        foreign = await LocalSigner(seed).sign(
            0, ChainTransfer(56, outgoing.nonce, outgoing.contract, OUTSIDE, 0, 120_000, fees)
        )
        before = await sent_to_outside(house)
        assert await house.nodes["BSC"].broadcast(foreign.raw) is BroadcastOutcome.ACCEPTED
        await house.round()
        await house.round()
        assert await status(merchant, asked["transactionId"]) in {"PROCESSING", "BROADCAST"}
        failed = await house.until(lambda: merchant.record(transactionId=asked["transactionId"], status="FAILED"))
        assert "nonce" in failed["failReason"]
        assert await merchant.available() == "5000"
        assert await sent_to_outside(house) == before

    async def test_after_a_restored_backup_nothing_is_sent_until_an_operator_accepts_the_nonces(
        self, house: Installation, merchant: Merchant, database_admin: Callable[[str], None]
    ) -> None:
        first = await merchant.post(WITHDRAW, merchant.withdrawal("10"))
        await house.until(lambda: merchant.record(transactionId=first["transactionId"], status="SUCCESS"))
        database_admin("UPDATE wallet_senders SET next_nonce = next_nonce - 1 WHERE network = 'BSC'")
        before = await sent_to_outside(house)
        asked = await merchant.post(WITHDRAW, merchant.withdrawal("10"))
        with pytest.raises(wallet.NonceMismatchError):
            await house.job("wallet.send_outgoing:BSC")()
        assert await sent_to_outside(house) == before
        count = await house.nodes["BSC"].transaction_count(house.parts.wallet_terms.hot_address)
        async with house.parts.database.transaction() as tx:
            await wallet.accept_nonces(tx, "BSC", count, Decision(True, "ana", "restored the backup of noon"))
        await house.until(lambda: merchant.record(transactionId=asked["transactionId"], status="SUCCESS"))
        assert await sent_to_outside(house) - before == 10 * 10**18


class TestReview:
    async def test_above_the_limit_waits_for_the_operator(self, house: Installation, merchant: Merchant) -> None:
        small = await merchant.post(WITHDRAW, merchant.withdrawal("1000"))
        large = await merchant.post(WITHDRAW, merchant.withdrawal("1000.01"))
        assert (small["status"], large["status"]) == ("PROCESSING", "REVIEWING")
        await house.round()
        assert await status(merchant, large["transactionId"]) == "REVIEWING"

    async def test_approved_twice_is_one_transaction(self, house: Installation, merchant: Merchant) -> None:
        before = await sent_to_outside(house)
        asked = await merchant.post(WITHDRAW, merchant.withdrawal("2000"))

        async def approve() -> None:
            await merchant.decide(asked, Decision(True, "ana"))

        outcomes = await asyncio.gather(*(approve() for _ in range(10)), return_exceptions=True)
        assert sum(outcome is None for outcome in outcomes) == 1
        assert sum(isinstance(outcome, InvalidState) for outcome in outcomes) == 9
        await house.until(lambda: merchant.record(transactionId=asked["transactionId"], status="SUCCESS"))
        assert await sent_to_outside(house) - before == 2000 * 10**18

    async def test_cancelled_and_approved_in_parallel_one_wins(self, merchant: Merchant) -> None:
        asked = await merchant.post(WITHDRAW, merchant.withdrawal("2000"))

        async def approve() -> str:
            await merchant.decide(asked, Decision(True, "ana"))
            return "PROCESSING"

        async def cancel() -> str:
            return (await merchant.post(CANCEL, {"transactionId": asked["transactionId"]}))["status"]

        outcomes = await asyncio.gather(approve(), cancel(), return_exceptions=True)
        won = [outcome for outcome in outcomes if isinstance(outcome, str)]
        assert len(won) == 1
        assert await status(merchant, asked["transactionId"]) == won[0]
        assert await merchant.available() == ("5000" if won[0] == "CANCELLED" else "2999")

    async def test_rejected_money_is_free_again(self, merchant: Merchant) -> None:
        asked = await merchant.post(WITHDRAW, merchant.withdrawal("2000"))
        await merchant.decide(asked, Decision(False, "ana", "unclear purpose"))
        record = await merchant.record(transactionId=asked["transactionId"])
        assert record is not None
        assert (record["status"], record["failReason"]) == ("REJECTED", "unclear purpose")
        assert await merchant.available() == "5000"


class TestCancel:
    async def test_what_was_held_is_free_again(self, merchant: Merchant) -> None:
        asked = await merchant.post(WITHDRAW, merchant.withdrawal("2000"))
        assert await merchant.available() == "2999"
        done = await merchant.post(CANCEL, {"transactionId": asked["transactionId"]})
        assert done["status"] == "CANCELLED"
        assert await merchant.available() == "5000"
        again = await merchant.order(CANCEL, {"transactionId": asked["transactionId"]})
        assert (again.status, again.code) == (409, "INVALID_STATE")

    async def test_nobody_elses(self, house: Installation, merchant: Merchant) -> None:
        asked = await merchant.post(WITHDRAW, merchant.withdrawal("2000"))
        other = await house.merchant()
        answer = await other.order(CANCEL, {"transactionId": asked["transactionId"]})
        assert (answer.status, answer.code) == (404, "TRANSACTION_NOT_FOUND")
        assert (await merchant.order(CANCEL, {})).fields == ["transactionId"]


async def test_the_ledger_is_sound_and_equals_the_chain_after_all_this(house: Installation) -> None:

    for _ in range(6):
        await house.round()
    async with house.parts.database.transaction(snapshot=True) as tx:
        assert (await ledger.verify(tx)).findings == ()
