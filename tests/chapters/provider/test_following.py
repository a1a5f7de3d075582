"""What a deposit's state means for the order that it has become."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bpn.chapters.provider import rules
from bpn.chapters.provider.model import AcceptStatus, AmlStatus, CollectionOrder, OrderStatus, RiskLevel
from bpn.chapters.wallet.model import Status
from bpn.kernel.assets import Asset
from bpn.kernel.errors import InvalidState
from bpn.kernel.money import Money

NOW = datetime(2026, 6, 1, tzinfo=UTC)
OPEN = CollectionOrder(
    merchant_id=1,
    order_id=2,
    wallet_id=3,
    account_name="Loja Azul",
    transaction_id=4,
    amount=Money(100, Asset("USDT", "BSC", 18)),
    address="0x1",
    payer_address="0x2",
    hash="0x3",
    status=OrderStatus.PROCESSING,
    accept_status=AcceptStatus.ACCEPTING,
    aml_status=AmlStatus.PASSED,
    risk_level=RiskLevel.LOW,
    quote=None,
    accept_deadline=NOW,
    accepted_at=None,
    reason=None,
    refund_address=None,
    refund_transaction_id=None,
    refund_status=None,
    refund_hash=None,
    created_at=NOW,
    updated_at=NOW,
    completed_at=None,
)
HELD = replace(OPEN, aml_status=AmlStatus.REVIEW, risk_level=RiskLevel.HIGH, reason="listed")


def test_one_in_review_cannot_be_decided_and_passes_with_more_risk_once_released() -> None:
    with pytest.raises(InvalidState):
        rules.check_open(HELD)
    passed = rules.follow(HELD, Status.SCREENING, cleared=True, reason=None)
    assert passed == replace(OPEN, risk_level=RiskLevel.MEDIUM)
    rules.check_open(passed)


def test_one_that_the_operator_refuses_has_failed() -> None:
    failed = rules.follow(HELD, Status.REJECTED, cleared=False, reason="listed")
    assert failed is not None
    assert (failed.status, failed.accept_status, failed.aml_status) == ("FAILED", "REJECTED", "FAILED")


def test_one_that_a_reorg_took_is_open_again_once_it_is_mined_and_screened() -> None:
    gone = rules.follow(OPEN, Status.ORPHANED, cleared=False, reason=None)
    assert gone is not None
    assert gone.status == "FAILED"
    assert rules.follow(gone, Status.CONFIRMING, cleared=False, reason=None) is None
    assert rules.follow(gone, Status.SCREENING, cleared=True, reason=None) == OPEN


@pytest.mark.parametrize("status", [OrderStatus.COMPLETED, OrderStatus.REJECTED])
def test_a_decided_one_stays_as_it_is(status: OrderStatus) -> None:
    for state in Status:
        assert rules.follow(replace(OPEN, status=status), state, cleared=False, reason=None) is None
