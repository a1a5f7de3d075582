"""The wire shapes of the payment links chapter, in the contract's own spelling.

Owns what is read from and written to JSON, and how it is described.
Never decides anything.
"""

from bpn.chapters.payment_links.schemas.funds import (
    AbnormalFund,
    FundQuery,
    LinkFundRequest,
    MatchableLink,
    MatchableLinkList,
    MatchQuery,
    SubmitFundRequest,
)
from bpn.chapters.payment_links.schemas.links import (
    CancelLinkRequest,
    CreateLinkRequest,
    CryptoDepositOrder,
    LinkConfig,
    LinkConfigList,
    LinkListRequest,
    LinkQuery,
    PaymentLink,
    PaymentLinkUpdate,
)

__all__ = [
    "AbnormalFund",
    "CancelLinkRequest",
    "CreateLinkRequest",
    "CryptoDepositOrder",
    "FundQuery",
    "LinkConfig",
    "LinkConfigList",
    "LinkFundRequest",
    "LinkListRequest",
    "LinkQuery",
    "MatchQuery",
    "MatchableLink",
    "MatchableLinkList",
    "PaymentLink",
    "PaymentLinkUpdate",
    "SubmitFundRequest",
]
