"""What the operator decides on abnormal funds, and how a refund ends."""

from __future__ import annotations

from dataclasses import replace

from bpn.audit import operations as audit
from bpn.audit.model import Decision
from bpn.chapters.payment_links import rules
from bpn.chapters.payment_links.model import AbnormalFund, FundAction, FundStatus, LinkTerms
from bpn.chapters.payment_links.operations.abnormal import lock_fund
from bpn.chapters.payment_links.operations.receiving import save_fund
from bpn.chapters.payment_links.operations.suspense import credit_fund, is_whole
from bpn.chapters.payment_links.store import funds
from bpn.chapters.wallet import operations as wallet
from bpn.chapters.wallet.model import Status
from bpn.chapters.wallet.model import Transaction as WalletTransaction
from bpn.database.pool import Transaction
from bpn.kernel.errors import InvalidRequest, InvalidState

_WAITING_AT_ONCE = 500
_ENDS = {
    Status.SUCCESS: FundStatus.REFUNDED,
    Status.FAILED: FundStatus.REFUND_FAILED,
    # Screening hit the address.
    Status.REJECTED: FundStatus.FROZEN,
}


async def list_waiting_funds(tx: Transaction) -> list[AbnormalFund]:
    """Funds of all merchants that wait for the operator, oldest first."""
    return await funds.waiting(tx, _WAITING_AT_ONCE)


async def refund_abnormal_fund(
    terms: LinkTerms, tx: Transaction, merchant_id: int, fund_id: int, decision: Decision, address: str | None = None
) -> AbnormalFund:
    """Send a fund back on chain, less the network's fee; twice the same word is one refund.

    Args:
        terms: the chapter's terms.
        tx: the transaction.
        merchant_id: whose.
        fund_id: which fund.
        decision: whose word and why.
        address: another address than the merchant gave, after one that failed or was frozen.

    Raises:
        AbnormalFundNotFound: no such fund.
        InvalidState: it was not submitted for a refund, or is on its way.
        InvalidRequest: no address is known, or one of the platform's own.
        RefundUneconomic: the fee takes all of it.
    """
    fund = await lock_fund(tx, merchant_id, fund_id)
    rules.check_fund_transition(fund.status, FundStatus.REFUNDING)
    if fund.action is not FundAction.REFUND:
        raise InvalidState("The merchant asked to credit this fund, not to refund it.")
    recipient = address or fund.refund_address
    if recipient is None:
        raise InvalidRequest.of("refundAddress", "is not known")
    whole = await is_whole(tx, fund)
    refund = await wallet.request_refund(
        terms.wallet, tx, merchant_id, fund.transaction_id, recipient, part=None if whole else fund.amount
    )
    sent = replace(
        fund,
        status=FundStatus.REFUNDING,
        refund_address=refund.to_address,
        fee=refund.fee,
        refund_transaction_id=refund.transaction_id,
    )
    return await _decided(tx, fund, sent, decision, "abnormal.refund")


async def credit_abnormal_fund(tx: Transaction, merchant_id: int, fund_id: int, decision: Decision) -> AbnormalFund:
    """Give a fund to the wallet of the link that it came to.

    Raises:
        AbnormalFundNotFound: no such fund.
        InvalidState: it was not submitted, or is decided.
    """
    fund = await lock_fund(tx, merchant_id, fund_id)
    rules.check_fund_transition(fund.status, FundStatus.CREDITED)
    await credit_fund(tx, fund, fund.amount, fund.wallet_id)
    return await _decided(tx, fund, replace(fund, status=FundStatus.CREDITED), decision, "abnormal.credit")


async def _decided(
    tx: Transaction, before: AbnormalFund, after: AbnormalFund, decision: Decision, action: str
) -> AbnormalFund:
    saved = await save_fund(tx, after)
    await audit.record(
        tx,
        decision,
        merchant_id=before.merchant_id,
        action=action,
        subject_id=before.abnormal_fund_id,
        before=before.status,
        after=saved.status,
    )
    return saved


async def follow_refund(tx: Transaction, refund: WalletTransaction) -> None:
    """Note how a refund stands; those of others are passed over."""
    fund = await funds.lock_by_refund(tx, refund.merchant_id, refund.transaction_id)
    if fund is None or fund.status is not FundStatus.REFUNDING:
        return
    following = _ENDS.get(refund.status)
    if following is not None:
        await save_fund(
            tx, replace(fund, status=following, refund_hash=refund.hash, reason=refund.fail_reason or fund.reason)
        )
    elif refund.hash != fund.refund_hash:
        await save_fund(tx, replace(fund, refund_hash=refund.hash))
