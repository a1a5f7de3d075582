"""Dollars collected: what there is, and payouts of them over a rail."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bpn.chapters.accounts import operations as accounts
from bpn.chapters.accounts.model import MasterBalance, Order
from bpn.chapters.accounts.operations import PayoutCommand
from bpn.chapters.provider import events
from bpn.chapters.provider.errors import UsdPayoutNotFound
from bpn.chapters.provider.model import PAYOUT_EARMARK, PayoutFilter, ProviderTerms, UsdPayout
from bpn.chapters.provider.store import payouts as store
from bpn.database.pool import Transaction
from bpn.kernel.assets import Asset
from bpn.kernel.errors import InvalidRequest
from bpn.kernel.money import Money
from bpn.ports.readers import BankParty


@dataclass(frozen=True, slots=True)
class UsdPayoutCommand:
    """Pay dollars to a bank account that is known, or to a beneficiary given here; the fee is on top."""

    merchant_order_id: str
    amount: Money
    bank_account_id: int | None
    network_type: str | None
    beneficiary: BankParty | None
    purpose: str | None
    remark: str | None


@dataclass(frozen=True, slots=True)
class PayoutPage:
    """A page of payouts and how many match."""

    total: int
    payouts: list[UsdPayout]


def dollar() -> Asset:
    """The asset of this chapter's balance."""
    return accounts.find_asset("USD")


async def get_usd_balance(tx: Transaction, merchant_id: int) -> MasterBalance:
    """The merchant's dollars; raises MasterAccountNotProvisioned."""
    return await accounts.get_master_balance(tx, merchant_id, "USD")


async def create_usd_payout(
    terms: ProviderTerms, tx: Transaction, merchant_id: int, command: UsdPayoutCommand
) -> UsdPayout:
    """Accept a payout: amount and fee are held until the bank has decided.

    Raises what `accounts.request_payout` refuses, and MasterAccountNotProvisioned.
    """
    master = await accounts.require_master(tx, merchant_id, dollar())
    order = await accounts.request_payout(
        terms.accounts,
        tx,
        PayoutCommand(
            merchant_id=merchant_id,
            merchant_order_id=command.merchant_order_id,
            primary_account_id=master.account_id,
            amount=command.amount,
            bank_account_id=command.bank_account_id,
            network_type=command.network_type,
            beneficiary=command.beneficiary,
            purpose=command.purpose,
            remark=command.remark,
            email_code=None,
        ),
        PAYOUT_EARMARK,
    )
    payout = UsdPayout(
        merchant_id=merchant_id,
        payout_id=order.order_id,
        merchant_order_id=command.merchant_order_id,
        bank_account_id=command.bank_account_id,
        amount=order.amount,
        fee=order.fee,
        status=order.status,
        reason=None,
        created_at=tx.now,
        updated_at=tx.now,
        completed_at=None,
    )
    await store.insert(tx, payout)
    await events.payout_changed(tx, payout)
    return payout


async def get_usd_payout(
    tx: Transaction, merchant_id: int, *, payout_id: int | None, merchant_order_id: str | None
) -> UsdPayout:
    """A payout by our id or by the merchant's.

    Raises:
        InvalidRequest: both or neither are given.
        UsdPayoutNotFound: no such payout.
    """
    if (payout_id is None) == (merchant_order_id is None):
        raise InvalidRequest.of("orderId", "or merchantOrderId must be given, exactly one of them")
    found = await store.find(tx, dollar(), merchant_id, payout_id=payout_id, merchant_order_id=merchant_order_id)
    if found is None:
        raise UsdPayoutNotFound("There is no such payout.")
    return found


async def list_usd_payouts(
    tx: Transaction, merchant_id: int, filters: PayoutFilter, *, before: int | None, offset: int, limit: int
) -> PayoutPage:
    """The payouts of a merchant, newest first."""
    total, found = await store.page(tx, dollar(), merchant_id, filters, before=before, offset=offset, limit=limit)
    return PayoutPage(total, found)


async def follow_payout(tx: Transaction, order: Order) -> None:
    """Note how a payout stands; hearing of a state again does nothing."""
    payout = await store.lock(tx, dollar(), order.merchant_id, order.order_id)
    if payout is None or payout.status == order.status or order.updated_at < payout.updated_at:
        return
    followed = replace(
        payout,
        status=order.status,
        reason=order.fail_reason,
        updated_at=order.updated_at,
        completed_at=order.completed_at,
    )
    await store.save(tx, followed)
    await events.payout_changed(tx, followed)
