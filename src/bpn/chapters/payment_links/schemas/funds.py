"""Abnormal funds, and the links that they could pay."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints

from bpn.api.fields import (
    CurrencyCode,
    Identifier,
    Milliseconds,
    NetworkName,
    PageQuery,
    ShortText,
    Wire,
    parse_time,
)
from bpn.chapters.payment_links import model
from bpn.chapters.payment_links.schemas.links import LabelName, LinkStatusName
from bpn.kernel.clock import to_milliseconds

FundStatusName = Literal[
    "PENDING",
    "LINKED",
    "SUBMITTED",
    "REFUNDING",
    "REFUNDED",
    "REFUND_FAILED",
    "CREDITED",
    "FROZEN",
    "ORPHANED",
]
ReasonName = Literal[
    "SAME_ADDRESS",
    "EXACT_AMOUNT",
    "WITHIN_TOLERANCE",
    "REMAINING_AMOUNT",
    "NEAR_AMOUNT",
    "SAME_NETWORK",
    "CLOSE_IN_TIME",
]


class AbnormalFund(Wire):
    """Money that came for a link and did not complete it. It lies in suspense until somebody decides."""

    abnormal_fund_id: Annotated[str, Field(examples=["179545447575900001"])]
    wallet_id: int
    currency: str
    network: str
    amount: str
    hash: str
    from_address: str | None
    labels: list[LabelName]
    related_payment_id: Annotated[str | None, Field(description="The link whose address it came to.")]
    status: FundStatusName
    create_time: Milliseconds
    linked_payment_id: Annotated[str | None, Field(description="The link that it was linked to. Ours.")]
    action: Annotated[Literal["REFUND", "CREDIT"] | None, Field(description="What was asked of the platform. Ours.")]
    refund_address: Annotated[str | None, Field(description="Ours.")]
    fee: Annotated[str | None, Field(description="The network's fee, taken from a refund. Ours.")]
    refund_hash: Annotated[str | None, Field(description="Ours.")]
    reason: Annotated[str | None, Field(description="Ours.")]
    update_time: Annotated[Milliseconds, Field(description="Unix milliseconds. Ours.")]

    @classmethod
    def of(cls, fund: model.AbnormalFund) -> Self:
        """The wire form."""
        return cls(
            abnormal_fund_id=str(fund.abnormal_fund_id),
            wallet_id=fund.wallet_id,
            currency=fund.amount.asset.currency,
            network=fund.amount.asset.network or "",
            amount=str(fund.amount),
            hash=fund.hash,
            from_address=fund.from_address,
            labels=[label.value for label in fund.labels],
            related_payment_id=str(fund.payment_id),
            status=fund.status.value,
            create_time=to_milliseconds(fund.created_at),
            linked_payment_id=None if fund.linked_payment_id is None else str(fund.linked_payment_id),
            action=None if fund.action is None else fund.action.value,
            refund_address=fund.refund_address,
            fee=None if fund.fee is None else str(fund.fee),
            refund_hash=fund.refund_hash,
            reason=fund.reason,
            update_time=to_milliseconds(fund.updated_at),
        )


class FundQuery(PageQuery):
    """Filters of the list of abnormal funds."""

    status: FundStatusName | None = None
    related_payment_id: Identifier | None = None
    currency: CurrencyCode | None = None
    network: NetworkName | None = None
    start_time: Milliseconds | None = None
    end_time: Milliseconds | None = None

    def filters(self) -> model.FundFilter:
        """As the chapter knows them."""
        return model.FundFilter(
            status=self.status,
            payment_id=None if self.related_payment_id is None else int(self.related_payment_id),
            currency=self.currency,
            network=self.network,
            start=parse_time(self.start_time, "startTime"),
            end=parse_time(self.end_time, "endTime"),
        )


class MatchQuery(Wire):
    """Which fund."""

    abnormal_fund_id: Identifier


class MatchableLink(Wire):
    """A link that a fund could pay, and why."""

    payment_id: str
    user_order_no: str | None
    status: LinkStatusName
    fiat_currency: str
    fiat_amount: str | None
    due_currency: Annotated[str, Field(description="The fund's currency.")]
    due_amount: Annotated[str, Field(description="What the link asks, in the fund's currency.")]
    reasons: Annotated[list[ReasonName], Field(description="The strongest first.")]
    create_time: Milliseconds

    @classmethod
    def of(cls, match: model.Match) -> Self:
        """The wire form."""
        link = match.link
        return cls(
            payment_id=str(link.payment_id),
            user_order_no=link.user_order_no,
            status=link.status.value,
            fiat_currency=link.fiat_asset.currency,
            fiat_amount=None if link.fiat is None else str(link.fiat),
            due_currency=match.due.asset.currency,
            due_amount=str(match.due),
            reasons=[reason.value for reason in match.reasons],
            create_time=to_milliseconds(link.created_at),
        )


class MatchableLinkList(Wire):
    """The links that a fund could pay, best first."""

    list: list[MatchableLink]

    @classmethod
    def of(cls, matches: Iterable[model.Match]) -> Self:
        """The wire form."""
        return cls(list=[MatchableLink.of(match) for match in matches])


class LinkFundRequest(Wire):
    """Let a fund pay a link."""

    abnormal_fund_id: Identifier
    payment_id: Identifier


class SubmitFundRequest(Wire):
    """Ask the platform to return a fund, or to credit it."""

    abnormal_fund_id: Identifier
    action: Literal["REFUND", "CREDIT"]
    refund_address: Annotated[
        Annotated[str, StringConstraints(strip_whitespace=True, max_length=128)] | None,
        Field(description="Required for a REFUND: confirmed by the payer, never an exchange's sending address."),
    ] = None
    reason: ShortText
