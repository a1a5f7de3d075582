"""The movements of money that lies in suspense, and of what is above the amount due."""

from __future__ import annotations

from bpn.chapters.payment_links.model import AbnormalFund, Payment
from bpn.chapters.wallet import operations as wallet
from bpn.chapters.wallet.model import Status
from bpn.database.pool import Transaction
from bpn.kernel.money import Money
from bpn.ledger.model import Account, Movement, Transfer


def hold_rest(tx: Transaction, payment: Payment, wallet_id: int, rest: Money) -> Transfer:
    """Keep the part of a payment that is above the amount due: it goes on to suspense as the payment is released."""
    return Transfer(
        tx.ids.next(),
        wallet.wallet_account(payment.merchant_id, wallet_id, rest.asset),
        wallet.suspense_account(payment.merchant_id, rest.asset),
        rest,
        "payment_links.rest_held",
        payment.transaction_id,
    )


async def take_back_rest(tx: Transaction, fund: AbnormalFund) -> None:
    """A reorg took a payment and its rest away: the wallet, which gave back all of it, gets the rest."""
    await wallet.credit_rest(
        tx, fund.merchant_id, fund.wallet_id, fund.amount, "payment_links.rest_orphaned", fund.transaction_id
    )


async def is_whole(tx: Transaction, fund: AbnormalFund) -> bool:
    """Whether a fund is a whole deposit that was set aside, or the rest of one that was released."""
    deposit = await wallet.get_deposit(tx, fund.merchant_id, fund.transaction_id)
    return deposit.status is Status.REJECTED


async def credit_fund(tx: Transaction, fund: AbnormalFund, amount: Money, wallet_id: int) -> None:
    """Give part or all of a fund to a wallet of the merchant; what is left of it stays in suspense.

    Args:
        tx: the transaction.
        fund: whose row the caller holds.
        amount: how much.
        wallet_id: to which wallet.
    """
    asset, merchant_id = fund.amount.asset, fund.merchant_id
    suspense = wallet.suspense_account(merchant_id, asset)
    first = wallet.wallet_account(merchant_id, fund.wallet_id, asset)
    target = wallet.wallet_account(merchant_id, wallet_id, asset)

    def move(source: Account, to: Account, money: Money, code: str) -> Transfer:
        return Transfer(tx.ids.next(), source, to, money, code, fund.abnormal_fund_id)

    if not await is_whole(tx, fund):
        await wallet.credit_rest(
            tx, merchant_id, wallet_id, amount, "payment_links.fund_credited", fund.abnormal_fund_id
        )
        return
    also: list[Movement] = []
    rest = fund.amount - amount
    if rest.minor:
        also.append(move(first, suspense, rest, "payment_links.rest_held"))
    if wallet_id != fund.wallet_id:
        also.append(move(first, target, amount, "payment_links.fund_credited"))
    await wallet.credit_from_suspense(tx, merchant_id, fund.transaction_id, also)
