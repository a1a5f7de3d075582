"""Pure decisions of the provider chapter: what a deposit's state means for its order, who may be decided."""

from __future__ import annotations

from dataclasses import replace

from bpn.chapters.provider.model import (
    AcceptStatus,
    AmlStatus,
    CollectionOrder,
    OrderStatus,
    RefundStatus,
    RiskLevel,
    SubWallet,
    SubWalletStatus,
)
from bpn.chapters.wallet.model import Status
from bpn.kernel.errors import InvalidState

ORPHANED = "The network does not have this payment any more."


def follow(order: CollectionOrder, status: Status, *, cleared: bool, reason: str | None) -> CollectionOrder | None:
    """An undecided order as its deposit's state asks; None where nothing changes.

    One that failed because a reorg removed its payment is open again once the payment is cleared anew.
    """
    gone = order.status is OrderStatus.FAILED and order.reason == ORPHANED
    if order.status is not OrderStatus.PROCESSING and not gone:
        return None
    followed = order
    if cleared:
        risk = RiskLevel.LOW if order.aml_status is AmlStatus.PASSED else RiskLevel.MEDIUM
        followed = replace(order, aml_status=AmlStatus.PASSED, risk_level=risk, reason=None)
        if gone:
            followed = replace(
                followed, status=OrderStatus.PROCESSING, accept_status=AcceptStatus.ACCEPTING, quote=None
            )
        elif order.aml_status is AmlStatus.PASSED:
            followed = order
    elif status is Status.FROZEN and not gone:
        followed = replace(order, aml_status=AmlStatus.REVIEW, risk_level=RiskLevel.HIGH, reason=reason)
    elif status is Status.REJECTED and not gone:
        followed = replace(_failed(order, reason), aml_status=AmlStatus.FAILED, risk_level=RiskLevel.HIGH)
    elif status is Status.ORPHANED:
        followed = _failed(order, ORPHANED)
    return None if followed == order else followed


def _failed(order: CollectionOrder, reason: str | None) -> CollectionOrder:
    return replace(order, status=OrderStatus.FAILED, accept_status=AcceptStatus.REJECTED, reason=reason)


def check_open(order: CollectionOrder) -> None:
    """Raise InvalidState unless the provider may still decide an order."""
    if order.status is not OrderStatus.PROCESSING:
        raise InvalidState(f"The order is {order.status}; nothing more can be decided.")
    if order.aml_status is not AmlStatus.PASSED:
        raise InvalidState(f"The payer's screening is in {order.aml_status}; an operator decides first.")


def check_acceptable(order: CollectionOrder, wallet: SubWallet) -> None:
    """Raise InvalidState unless an order may be accepted."""
    check_open(order)
    if wallet.status is not SubWalletStatus.ACTIVE:
        raise InvalidState(f"The wallet is {wallet.status}; its orders cannot be accepted.")


def returns_again(order: CollectionOrder) -> bool:
    """Whether an order was rejected and its return failed: it may be sent to another address."""
    return order.status is OrderStatus.REJECTED and order.refund_status is RefundStatus.FAILED
