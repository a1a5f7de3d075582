"""The payment links chapter's refusals."""

from bpn.chapters.fx.errors import RateUnavailable
from bpn.chapters.wallet.errors import RefundUneconomic
from bpn.kernel.errors import Kind, Refusal

__all__ = [
    "AbnormalFundNotFound",
    "PaymentLinkNotFound",
    "RateUnavailable",
    "RefundUneconomic",
]


class PaymentLinkNotFound(Refusal):
    """This merchant has no such payment link."""

    code = "PAYMENT_LINK_NOT_FOUND"
    kind = Kind.MISSING


class AbnormalFundNotFound(Refusal):
    """This merchant has no such abnormal fund."""

    code = "ABNORMAL_FUND_NOT_FOUND"
    kind = Kind.MISSING
