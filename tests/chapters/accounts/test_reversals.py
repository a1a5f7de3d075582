"""Pay-ins that their rail takes back: before, after and in the moment they are told; of what was spent, a debt."""

from __future__ import annotations

import pytest

from bpn.chapters.accounts import operations as accounts
from bpn.chapters.accounts.model import VirtualAccount
from bpn.ledger import operations as ledger
from bpn.ports.readers import PayInReversed
from fiat import NOW, SOURCE, balance, ended, exceptions, fund, known, open_account, orders, pay_out, record, told
from installation import Installation, Merchant


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    return await house.merchant()


class TestTakenBack:
    async def test_what_is_there_is_taken(self, house: Installation, merchant: Merchant) -> None:
        opened = await known(house, merchant, (await open_account(merchant))["accountId"])
        await record(house, told(opened, "a", "10"))
        reversal = _reversal(opened, "a")
        await record(house, reversal, reversal)
        await record(house, reversal)
        (gone,) = await orders(merchant)
        assert gone["status"] == "FAILED"
        assert await balance(merchant) == ("0", "0")

    async def test_before_it_was_told(self, house: Installation, merchant: Merchant) -> None:
        opened = await known(house, merchant, (await open_account(merchant))["accountId"])
        await record(house, _reversal(opened, "a"))
        await record(house, told(opened, "a", "10"))
        (gone,) = await orders(merchant)
        assert gone["status"] == "FAILED"
        assert "Not ordered" in gone["failReason"]
        assert await balance(merchant) == ("0", "0")
        assert await exceptions(house, f"{opened.account_id}-a") == []

    async def test_in_the_very_moment_it_is_told(self, house: Installation, merchant: Merchant) -> None:
        opened = await known(house, merchant, (await open_account(merchant))["accountId"])
        database = house.parts.database
        async with database.transaction() as tx:
            await accounts.record_entries(house.parts.account_terms, tx, SOURCE, [told(opened, "a", "10")])
            await record(house, _reversal(opened, "a"))
        assert await balance(merchant) == ("10", "0")
        await house.job("accounts.retry_reversals")()
        assert await balance(merchant) == ("0", "0")

    async def test_what_was_spent_is_owed_stops_payouts_and_is_repaid(
        self, house: Installation, merchant: Merchant
    ) -> None:
        account_id = await fund(merchant, "100")
        opened = await known(house, merchant, account_id)
        await ended(merchant, await pay_out(merchant, "70"), "SUCCESS")
        (paid,) = await orders(merchant, orderType="PAYIN")
        await record(
            house,
            PayInReversed("r", paid["railReference"], None, "BRL", "100", "FOCR", "Recalled", NOW),
        )
        assert await balance(merchant) == ("0", "0")
        await record(house, told(opened, "more", "20"))
        assert await balance(merchant) == ("0", "0")
        refused = await merchant.order(
            "/v1/virtual-account/order/payout",
            {
                "virtualAccountId": paid["primaryAccountId"],
                "currency": "BRL",
                "amount": "1",
                "purpose": "x",
                "beneficiary": {"pixKey": "ana@example.com", "accountHolderName": "Ana"},
            },
        )
        assert (refused.status, refused.code) == (503, "SERVICE_PAUSED")
        await record(house, told(opened, "most", "60"))
        assert await balance(merchant) == ("10", "0")
        async with house.parts.database.transaction(snapshot=True) as tx:
            assert (await ledger.verify(tx)).findings == ()

    async def test_another_amount_than_was_paid_is_for_the_operator(
        self, house: Installation, merchant: Merchant
    ) -> None:
        opened = await known(house, merchant, (await open_account(merchant))["accountId"])
        await record(house, told(opened, "a", "10"))
        reversal = _reversal(opened, "a", amount="4")
        await record(house, reversal)
        assert await exceptions(house, reversal.reference) == ["CONTRADICTION"]
        assert await balance(merchant) == ("10", "0")


def _reversal(opened: VirtualAccount, reference: str, amount: str = "10") -> PayInReversed:
    return PayInReversed(
        f"{opened.account_id}-{reference}-reversed",
        f"{opened.account_id}-{reference}",
        None,
        opened.asset.currency,
        amount,
        "FOCR",
        "Not ordered",
        NOW,
    )
