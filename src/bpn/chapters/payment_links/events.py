"""The facts the payment links chapter announces, each in the transaction that makes it true."""

from __future__ import annotations

from bpn.chapters.payment_links.model import (
    AbnormalFund,
    FundChanged,
    LinkChanged,
    LinkTerms,
    Payer,
    Payment,
    PaymentChanged,
    PaymentLink,
)
from bpn.database.pool import Transaction
from bpn.outbox import operations as outbox
from bpn.outbox.model import Announcement


async def link_changed(terms: LinkTerms, tx: Transaction, link: PaymentLink, payer: Payer | None) -> None:
    """A link has a new state, or its money has. Of the payer only whether a name is known leaves the vault."""
    unavailable = None if payer is None else payer.name_unavailable
    content = LinkChanged(link, terms.url(link.token), unavailable)
    await outbox.record(tx, [Announcement(link.merchant_id, link.payment_id, content)])


async def payment_changed(tx: Transaction, payment: Payment, link: PaymentLink) -> None:
    """A payment to a link has a new state."""
    content = PaymentChanged(payment, link.reference_payment_id, link.wallet_id)
    await outbox.record(tx, [Announcement(payment.merchant_id, payment.transaction_id, content)])


async def fund_changed(tx: Transaction, fund: AbnormalFund) -> None:
    """An abnormal fund has a new state."""
    await outbox.record(tx, [Announcement(fund.merchant_id, fund.abnormal_fund_id, FundChanged(fund))])
