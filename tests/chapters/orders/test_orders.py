"""Orders from a balance over signed HTTP: all legs or none, once, exact under load, refused with their reasons."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

import fiat
from bpn.audit.model import Decision
from bpn.chapters.fx import operations as fx
from bpn.chapters.fx.model import Spread
from bpn.chapters.orders import operations as orders
from bpn.chapters.orders.rules.accounts import desk_account, fee_account
from bpn.kernel.assets import Asset
from bpn.kernel.money import Money
from bpn.ledger import operations as ledger
from installation import Installation, Merchant

QUOTE = "/v1/stable/get-quote"
CREATE = "/v1/stable/create-order"
DETAIL = "/v1/stable/order-detail"
LIST = "/v1/stable/order-list"
YES = Decision(approved=True, actor="ana", reason="test")


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    return await house.merchant()


async def held(house: Installation, asset: Asset) -> int:
    async with house.parts.database.reading() as tx:
        (balance,) = await ledger.balances(tx, [desk_account(asset)])
    return balance.posted


class TestOnRamp:
    async def test_brl_becomes_usdc_at_the_quoted_price(self, merchant: Merchant) -> None:
        await fiat.fund(merchant, "1000")
        quote = await merchant.post(QUOTE, {"fiatAmt": "1000", "fiatCurrency": "BRL"})
        assert (quote["side"], quote["fiatAmt"], quote["fee"], quote["feeCurrency"]) == ("BUY", "1000", "1", "BRL")
        order = await merchant.post(CREATE, {"quoteId": quote["quoteId"], "merchantOrderId": "on-1"})
        assert (order["status"], order["settledAmount"], order["quoteId"]) == (
            "SUCCESS", quote["cryptoAmt"], quote["quoteId"],
        )  # fmt: skip
        assert await merchant.available("USDC") == quote["cryptoAmt"]
        assert await fiat.balance(merchant) == ("0", "0")
        assert await merchant.get(DETAIL, orderId=order["orderId"]) == order
        assert await merchant.get(DETAIL, merchantOrderId="on-1") == order
        (line,) = (await merchant.get("/v1/wallet/history", transactionType="ORDER"))["list"]
        assert (line["fromCurrency"], line["toCurrency"], line["amount"]) == ("BRL", "USDC", quote["cryptoAmt"])
        entries = [row for row in await fiat.orders(merchant) if row["orderType"] == "ORDER"]
        assert len(entries) == 1

    async def test_a_stablecoin_amount_is_enough_and_arrives_exactly(self, merchant: Merchant) -> None:
        await fiat.fund(merchant, "1000")
        order = await merchant.post(CREATE, {"cryptoAmt": "50.5", "fiatCurrency": "BRL", "network": "ETH"})
        assert (order["cryptoAmt"], order["settledAmount"], order["quoteId"]) == ("50.5", "50.5", None)
        assert await merchant.available("USDC", "ETH") == "50.5"
        assert (await fiat.balance(merchant))[0] == str(Decimal(1000) - Decimal(order["fiatAmt"]))

    async def test_without_money_nothing_moves_and_the_quote_stays_good(
        self, house: Installation, merchant: Merchant
    ) -> None:
        quote = await merchant.post(QUOTE, {"fiatAmt": "1000", "fiatCurrency": "BRL"})
        body = {"quoteId": quote["quoteId"], "merchantOrderId": "poor"}
        before = await held(house, Asset("USDC", "BSC", 18))
        answer = await merchant.order(CREATE, body)
        assert (answer.status, answer.code) == (422, "INSUFFICIENT_BALANCE")
        assert await held(house, Asset("USDC", "BSC", 18)) == before
        await fiat.fund(merchant, "1000")
        assert (await merchant.post(CREATE, body))["status"] == "SUCCESS", "a refusal does not consume the id"


class TestOffRamp:
    async def test_usdt_becomes_eur_in_the_master_account(self, merchant: Merchant) -> None:
        await merchant.receive("100")
        body = {"side": "SELL", "cryptoCurrency": "USDT", "cryptoAmt": "100", "fiatCurrency": "EUR"}
        order = await merchant.post(CREATE, body)
        gross = Decimal(order["fiatAmt"]) + Decimal(order["fee"])
        assert gross == Decimal("85.94"), "100 at 1 / 1.16 less 30 bps"
        assert (await fiat.balance(merchant, "EUR"))[0] == order["fiatAmt"]
        assert await merchant.available() == "0"

    async def test_a_fiat_amount_arrives_exactly(self, merchant: Merchant) -> None:
        await merchant.receive("100")
        body = {"side": "SELL", "cryptoCurrency": "USDT", "fiatAmt": "50", "fiatCurrency": "EUR"}
        order = await merchant.post(CREATE, body)
        assert (await fiat.balance(merchant, "EUR"))[0] == order["fiatAmt"] == "50"

    async def test_straight_to_a_bank_account(self, house: Installation, merchant: Merchant) -> None:
        await merchant.receive("100")
        account = await bank_account(merchant)
        body = {
            "side": "SELL", "cryptoCurrency": "USDT", "cryptoAmt": "100", "fiatCurrency": "EUR",
            "payoutBankAccountId": account,
        }  # fmt: skip
        order = await merchant.post(CREATE, body)
        assert (order["status"], order["settledAmount"]) == ("PROCESSING", order["fiatAmt"])
        done = await house.until(lambda: detail(merchant, order["orderId"], "SUCCESS"))
        assert done["completeTime"] is not None
        payout = await fiat.order(merchant, done["payoutOrderId"])
        assert payout is not None
        assert (payout["status"], payout["orderType"]) == ("SUCCESS", "PAYOUT")

    async def test_a_payout_that_fails_leaves_the_money_in_the_master_account(
        self, house: Installation, merchant: Merchant
    ) -> None:
        await merchant.receive("1000")
        account = await bank_account(merchant)
        # The simulated bank fails payouts of amounts that end in .66.
        body = {
            "side": "SELL", "cryptoCurrency": "USDT", "fiatAmt": "50.66", "fiatCurrency": "EUR",
            "payoutBankAccountId": account,
        }  # fmt: skip
        order = await merchant.post(CREATE, body)
        failed = await house.until(lambda: detail(merchant, order["orderId"], "FAILED"))
        assert "master account" in failed["failReason"]
        assert (await fiat.balance(merchant, "EUR"))[0] == "50.66"

    async def test_an_unknown_bank_account_undoes_everything(self, merchant: Merchant) -> None:
        await merchant.receive("100")
        body = {
            "side": "SELL", "cryptoCurrency": "USDT", "cryptoAmt": "100", "fiatCurrency": "EUR",
            "payoutBankAccountId": "17",
        }  # fmt: skip
        assert (await merchant.order(CREATE, body)).code == "BANK_ACCOUNT_NOT_FOUND"
        assert await merchant.available() == "100"
        assert (await merchant.get(LIST))["total"] == 0


class TestSwap:
    async def test_goes_through_the_pool_where_that_is_best(self, merchant: Merchant) -> None:
        await merchant.receive("100")
        swap = {"fromCurrency": "USDT", "toCurrency": "USDC", "fromAmt": "100"}
        quote = await merchant.post(QUOTE, swap)
        assert [hop["venue"] for hop in quote["route"]] == ["POOL"]
        assert (quote["side"], quote["fiatAmt"], quote["fee"], quote["feeCurrency"]) == ("SWAP", None, "0.1", "USDT")
        order = await merchant.post(CREATE, {"quoteId": quote["quoteId"]})
        assert await merchant.available("USDC") == order["toAmt"] == quote["toAmt"]
        assert await merchant.available("USDT") == "0"

    async def test_from_one_network_to_another_by_two_hops(self, merchant: Merchant) -> None:
        await merchant.receive("100")
        swap = {"fromCurrency": "USDT", "toCurrency": "USDC", "toNetwork": "ETH", "fromAmt": "100"}
        order = await merchant.post(CREATE, swap)
        assert [hop["venue"] for hop in order["route"]] == ["POOL", "POOL"]
        assert await merchant.available("USDC", "ETH") == order["toAmt"]

    async def test_into_another_wallet(self, merchant: Merchant) -> None:
        await merchant.receive("100")
        store = await merchant.sub_wallet()
        swap = {"fromCurrency": "USDT", "toCurrency": "USDC", "fromAmt": "100", "toWalletId": store}
        order = await merchant.post(CREATE, swap)
        assert await merchant.available("USDC", wallet_id=store) == order["toAmt"]


class TestOnce:
    async def test_a_quote_used_twice_in_parallel_makes_one_order(self, merchant: Merchant) -> None:
        await merchant.receive("100")
        quote = await merchant.post(QUOTE, {"fromCurrency": "USDT", "toCurrency": "USDC", "fromAmt": "10"})
        bodies = [{"quoteId": quote["quoteId"], "merchantOrderId": f"twice-{n}"} for n in range(20)]
        answers = await asyncio.gather(*(merchant.order(CREATE, body) for body in bodies))
        assert sorted(answer.code or "" for answer in answers) == ["", *["QUOTE_USED"] * 19]
        assert await merchant.available("USDT") == "90"

    async def test_the_same_id_answers_as_the_first_time_and_another_body_is_a_conflict(
        self, merchant: Merchant
    ) -> None:
        await merchant.receive("100")
        body = {"fromCurrency": "USDT", "toCurrency": "USDC", "fromAmt": "10", "merchantOrderId": "same"}
        answers = await asyncio.gather(*(merchant.order(CREATE, body) for _ in range(20)))
        assert {answer.status for answer in answers} <= {200, 409}
        assert len({answer.data["orderId"] for answer in answers if answer.status == 200}) == 1
        assert await merchant.available("USDT") == "90"
        assert (await merchant.order(CREATE, {**body, "fromAmt": "11"})).code == "IDEMPOTENCY_CONFLICT"

    async def test_a_header_does_not_let_an_id_be_used_again(self, merchant: Merchant) -> None:
        await merchant.receive("100")
        body = {"fromCurrency": "USDT", "toCurrency": "USDC", "fromAmt": "10", "merchantOrderId": "mine"}
        await merchant.post(CREATE, body)
        async with merchant.installation.parts.database.transaction() as tx:
            await tx.connection.execute("DELETE FROM api_claims WHERE merchant_id = %s", (merchant.merchant_id,))
        assert (await merchant.order(CREATE, body)).code == "IDEMPOTENCY_CONFLICT"

    async def test_expired_by_one_millisecond(self, house: Installation, merchant: Merchant) -> None:
        await merchant.receive("100")
        quote = await merchant.post(QUOTE, {"fromCurrency": "USDT", "toCurrency": "USDC", "fromAmt": "10"})
        async with house.parts.database.transaction() as tx:
            await tx.connection.execute(
                "UPDATE stable_quotes SET expires_at = %s WHERE merchant_id = %s",
                (tx.now - timedelta(milliseconds=1), merchant.merchant_id),
            )
        answer = await merchant.order(CREATE, {"quoteId": quote["quoteId"]})
        assert (answer.status, answer.code) == (422, "QUOTE_EXPIRED")
        assert await merchant.available("USDT") == "100"

    async def test_another_merchants_quote_and_order_do_not_exist(
        self, house: Installation, merchant: Merchant
    ) -> None:
        await merchant.receive("100")
        quote = await merchant.post(QUOTE, {"fromCurrency": "USDT", "toCurrency": "USDC", "fromAmt": "10"})
        other = await house.merchant()
        assert (await other.order(CREATE, {"quoteId": quote["quoteId"]})).code == "QUOTE_NOT_FOUND"
        order = await merchant.post(CREATE, {"quoteId": quote["quoteId"]})
        assert (await other.ask(DETAIL, orderId=order["orderId"])).code == "ORDER_NOT_FOUND"
        assert (await merchant.ask(DETAIL)).status == 400


class TestMarket:
    async def test_the_rate_moved_too_far(self, house: Installation, merchant: Merchant) -> None:
        await fiat.fund(merchant, "100", "GBP")
        quote = await merchant.post(QUOTE, {"fiatAmt": "100", "fiatCurrency": "GBP"})
        async with house.parts.database.transaction() as tx:
            await fx.set_rate(house.parts.fx_terms, tx, "GBP", "USD", Decimal("1.44"), YES)
        try:
            assert (await merchant.order(CREATE, {"quoteId": quote["quoteId"]})).code == "QUOTE_PRICE_MOVED"
            assert (await fiat.balance(merchant, "GBP"))[0] == "100"
        finally:
            async with house.parts.database.transaction() as tx:
                await fx.unset_rate(tx, "GBP", "USD", YES)
        assert (await merchant.post(CREATE, {"quoteId": quote["quoteId"]}))["status"] == "SUCCESS"

    async def test_without_a_fresh_rate_nothing_is_quoted(self, house: Installation, merchant: Merchant) -> None:
        async with house.parts.database.transaction() as tx:
            await tx.connection.execute("UPDATE fx_rates SET held_rate = 2 WHERE base = 'SGD'")
        answer = await merchant.order(QUOTE, {"fiatAmt": "20", "fiatCurrency": "SGD"})
        assert (answer.status, answer.code) == (503, "RATE_UNAVAILABLE")

    async def test_a_pool_away_from_the_rate_is_not_used(self, house: Installation, merchant: Merchant) -> None:
        swap = {"fromCurrency": "USDT", "toCurrency": "USDC", "network": "ETH", "fromAmt": "100"}
        assert (await merchant.post(QUOTE, swap))["route"][0]["venue"] == "POOL"
        async with house.parts.database.transaction() as tx:
            await fx.set_rate(house.parts.fx_terms, tx, "USDT", "USD", Decimal("0.97"), YES)
        try:
            assert {hop["venue"] for hop in (await merchant.post(QUOTE, swap))["route"]} == {"DESK"}
        finally:
            async with house.parts.database.transaction() as tx:
                await fx.unset_rate(tx, "USDT", "USD", YES)

    async def test_a_merchant_has_its_own_spread(self, house: Installation, merchant: Merchant) -> None:
        other = await house.merchant()
        async with house.parts.database.transaction() as tx:
            await fx.set_spread(house.parts.fx_terms, tx, Spread(merchant.merchant_id, "USDC", "MXN", 500), YES)
        ask = {"fiatAmt": "1000", "fiatCurrency": "MXN"}
        dear, cheap = await merchant.post(QUOTE, ask), await other.post(QUOTE, ask)
        assert Decimal(dear["cryptoAmt"]) < Decimal(cheap["cryptoAmt"])

    async def test_100_parallel_orders_exhaust_the_desk_never_below_zero(
        self, house: Installation, merchant: Merchant
    ) -> None:
        await fiat.fund(merchant, "2000000", "HKD")
        usdt = Asset("USDT", "ETH", 6)
        await drain(house, usdt, 10_000 * 10**6)
        others = Asset("USDC", "ETH", 6)
        await drain(house, others, 0)
        try:
            body = {"fiatAmt": "2000", "fiatCurrency": "HKD", "cryptoCurrency": "USDT", "network": "ETH"}
            answers = await asyncio.gather(*(merchant.order(CREATE, body) for _ in range(100)))
            codes = [answer.code for answer in answers]
            assert set(codes) == {None, "LIQUIDITY_UNAVAILABLE"}
            got = [Decimal(answer.data["settledAmount"]) for answer in answers if answer.status == 200]
            assert Decimal(await merchant.available("USDT", "ETH")) == sum(got)
            assert 0 <= await held(house, usdt) < 300 * 10**6
            paid = 2000 * len(got)
            assert (await fiat.balance(merchant, "HKD"))[0] == str(2_000_000 - paid)
        finally:
            await drain(house, usdt, 3_000_000 * 10**6)
            await drain(house, others, 3_000_000 * 10**6)

    async def test_more_than_anybody_has(self, merchant: Merchant) -> None:
        answer = await merchant.order(QUOTE, {"cryptoAmt": "9000000", "fiatCurrency": "USD"})
        assert (answer.status, answer.code) == (422, "LIQUIDITY_UNAVAILABLE")

    async def test_fees_are_the_houses(self, house: Installation, merchant: Merchant) -> None:
        await fiat.fund(merchant, "100")
        async with house.parts.database.reading() as tx:
            (before,) = await ledger.balances(tx, [fee_account(Asset("BRL", None, 2))])
        await merchant.post(CREATE, {"fiatAmt": "100", "fiatCurrency": "BRL"})
        async with house.parts.database.reading() as tx:
            (after,) = await ledger.balances(tx, [fee_account(Asset("BRL", None, 2))])
        assert after.posted - before.posted == 10

    async def test_parallel_swaps_both_ways_sum_up(self, merchant: Merchant) -> None:
        await merchant.receive("500")
        await merchant.receive("500", "USDC")
        bodies = [
            {"fromCurrency": one, "toCurrency": other, "fromAmt": "5"}
            for one, other in (("USDT", "USDC"), ("USDC", "USDT")) for _ in range(40)
        ]  # fmt: skip
        answers = await asyncio.gather(*(merchant.order(CREATE, body) for body in bodies))
        assert {answer.status for answer in answers} == {200}
        gained = {"USDT": Decimal(0), "USDC": Decimal(0)}
        for answer in answers:
            gained[answer.data["toCurrency"]] += Decimal(answer.data["settledAmount"])
        for currency, gain in gained.items():
            assert Decimal(await merchant.available(currency)) == 500 - 200 + gain
            assert gain < 200


class TestList:
    async def test_filters_and_paging(self, merchant: Merchant) -> None:
        await merchant.receive("100")
        made = [
            (await merchant.post(CREATE, {"fromCurrency": "USDT", "toCurrency": "USDC", "fromAmt": "1"}))["orderId"]
            for _ in range(3)
        ]
        page = await merchant.get(LIST, pageSize=2)
        assert [row["orderId"] for row in page["list"]] == made[:0:-1]
        rest = await merchant.get(LIST, pageSize=2, cursor=page["cursor"])
        assert [row["orderId"] for row in rest["list"]] == made[:1]
        assert (await merchant.get(LIST, side="SWAP", status="SUCCESS"))["total"] == 3
        assert (await merchant.get(LIST, side="BUY"))["total"] == 0
        created = page["list"][0]["createTime"]
        assert (await merchant.get(LIST, startTime=created + 1))["total"] == 0
        assert (await merchant.get(LIST, endTime=created + 1))["total"] == 3

    @pytest.mark.parametrize("text", ["' OR 1=1 --", "%", "${7*7}", "{{7*7}}", "\\"])
    async def test_a_string_is_never_code(self, merchant: Merchant, text: str) -> None:
        await merchant.receive("10")
        body = {"fromCurrency": "USDT", "toCurrency": "USDC", "fromAmt": "1", "merchantOrderId": text, "remark": text}
        order = await merchant.post(CREATE, body)
        assert (order["merchantOrderId"], order["remark"]) == (text, text)
        assert (await merchant.get(DETAIL, merchantOrderId=text))["orderId"] == order["orderId"]


async def test_the_books_are_sound_after_all_of_this(house: Installation) -> None:
    async with house.parts.database.transaction(snapshot=True) as tx:
        assert (await ledger.verify(tx)).findings == ()


async def detail(merchant: Merchant, order_id: str, status: str) -> dict[str, object] | None:
    order = await merchant.get(DETAIL, orderId=order_id)
    return order if order["status"] == status else None


async def bank_account(merchant: Merchant) -> str:
    """A German bank account that may be paid."""
    made = await merchant.post(
        "/v1/account/add-account",
        {
            "accountType": "beneficiary", "networkType": "SEPA", "country": "DE", "currency": "EUR",
            "accountInfo": {"iban": "DE89370400440532013000", "accountHolderName": "Max Muster"},
        },
    )  # fmt: skip
    return str(made["accountId"])


async def drain(house: Installation, asset: Asset, target: int) -> None:
    """Bring the desk's inventory of an asset to an amount, as its operator would."""
    async with house.parts.database.transaction() as tx:
        (balance,) = await ledger.balances(tx, [desk_account(asset)])
        change = target - balance.posted
        if change:
            decision = Decision(approved=change > 0, actor="ana", reason="test")
            await orders.fund_desk(tx, Money(abs(change), asset), decision)
