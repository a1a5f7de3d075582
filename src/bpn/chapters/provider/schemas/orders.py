"""Collection orders."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints

from bpn.api.fields import (
    Identifier,
    LargeInteger,
    Milliseconds,
    PageQuery,
    ShortText,
    Wire,
    milliseconds_or_none,
    parse_time,
)
from bpn.chapters.provider import model
from bpn.kernel.clock import to_milliseconds
from bpn.kernel.money import format_decimal

OrderStatusName = Literal["PROCESSING", "COMPLETED", "REJECTED", "FAILED"]
AcceptStatusName = Literal["ACCEPTING", "ACCEPTED", "REJECTED", "EXPIRED"]


class CollectionOrderQuery(Wire):
    """Which order."""

    order_id: Identifier


class CollectionListQuery(PageQuery):
    """Filters of the list of orders."""

    wallet_id: LargeInteger | None = None
    order_status: OrderStatusName | None = None
    accept_status: AcceptStatusName | None = None
    start_time: Annotated[Milliseconds | None, Field(description="From this time on.")] = None
    end_time: Annotated[Milliseconds | None, Field(description="Before this time.")] = None

    def filters(self) -> model.CollectionFilter:
        """As the chapter knows them."""
        return model.CollectionFilter(
            wallet_id=self.wallet_id,
            status=self.order_status,
            accept_status=self.accept_status,
            start=parse_time(self.start_time, "startTime"),
            end=parse_time(self.end_time, "endTime"),
        )


class AcceptRequest(Wire):
    """Turn an order into dollars at its quote."""

    order_id: Identifier
    quote_id: Annotated[str, StringConstraints(to_lower=True, pattern=r"^[0-9a-fA-F]{32}$")]


class RejectRequest(Wire):
    """Send an order's money back."""

    order_id: Identifier
    reason: ShortText
    refund_address: Annotated[
        ShortText | None,
        Field(description="Where the money goes, confirmed with the payer; looked up before it leaves. Ours."),
    ] = None


class Payer(Wire):
    """Who paid. `isCexAddress` is null where nobody knows."""

    wallet_address: str | None
    wallet_network: str
    is_cex_address: bool | None


class CollectionQuote(Wire):
    """What an order brings in dollars."""

    quote_id: str
    price: Annotated[str, Field(description="Of one unit, before the fee.", examples=["0.9985"])]
    fee: Annotated[str, Field(description="In USD.")]
    expire_time: Milliseconds


class Aml(Wire):
    """What screening says of the payer."""

    aml_status: Literal["PASSED", "REVIEW", "FAILED"]
    risk_level: Literal["LOW", "MEDIUM", "HIGH"]


class CollectionOrderUpdate(Wire):
    """A collection order, as its event tells it."""

    order_id: Annotated[str, Field(examples=["179545447575900001"])]
    order_status: OrderStatusName
    accept_status: AcceptStatusName
    account_name: str
    wallet_id: int
    currency: str
    amount: str
    complete_time: Milliseconds | None
    wallet_address: str
    transaction_id: Annotated[str, Field(description="The deposit's, as in the wallet's history.")]
    payer: Payer
    quote: Annotated[CollectionQuote | None, Field(description="Null before one is asked for.")]
    aml: Aml

    @classmethod
    def of(cls, order: model.CollectionOrder) -> Self:
        """The wire form."""
        return cls(**_public(order))


class CollectionOrder(CollectionOrderUpdate):
    """A collection order. Its public fields, and those that are ours."""

    hash: Annotated[str | None, Field(description="Of the payment on chain. Ours.")]
    accept_deadline: Annotated[Milliseconds, Field(description="EXPIRED after it; the money stays held. Ours.")]
    usd_amount: Annotated[str | None, Field(description="What the quote brings, or the order brought. Ours.")]
    accept_time: Annotated[Milliseconds | None, Field(description="Ours.")]
    reject_reason: Annotated[str | None, Field(description="Why it was rejected, failed or is in review. Ours.")]
    refund_address: Annotated[str | None, Field(description="Ours.")]
    refund_status: Annotated[Literal["PROCESSING", "SUCCESS", "FAILED"] | None, Field(description="Ours.")]
    refund_hash: Annotated[str | None, Field(description="Of the return on chain. Ours.")]
    create_time: Annotated[Milliseconds, Field(description="Ours.")]
    update_time: Annotated[Milliseconds, Field(description="Ours.")]

    @classmethod
    def of(cls, order: model.CollectionOrder) -> Self:
        """The wire form."""
        return cls(
            **_public(order),
            hash=order.hash,
            accept_deadline=to_milliseconds(order.accept_deadline),
            usd_amount=None if order.quote is None else str(order.quote.received),
            accept_time=milliseconds_or_none(order.accepted_at),
            reject_reason=order.reason,
            refund_address=order.refund_address,
            refund_status=None if order.refund_status is None else order.refund_status.value,
            refund_hash=order.refund_hash,
            create_time=to_milliseconds(order.created_at),
            update_time=to_milliseconds(order.updated_at),
        )


def _public(order: model.CollectionOrder) -> dict[str, Any]:
    quote = order.quote
    return {
        "order_id": str(order.order_id),
        "order_status": order.status.value,
        "accept_status": order.accept_status.value,
        "account_name": order.account_name,
        "wallet_id": order.wallet_id,
        "currency": order.amount.asset.currency,
        "amount": str(order.amount),
        "complete_time": milliseconds_or_none(order.completed_at),
        "wallet_address": order.address,
        "transaction_id": str(order.transaction_id),
        "payer": Payer(
            wallet_address=order.payer_address,
            wallet_network=order.amount.asset.network or "",
            is_cex_address=None,
        ),
        "quote": None
        if quote is None
        else CollectionQuote(
            quote_id=quote.quote_id,
            price=format_decimal(quote.price),
            fee=str(quote.fee),
            expire_time=to_milliseconds(quote.expires_at),
        ),
        "aml": Aml(aml_status=order.aml_status.value, risk_level=order.risk_level.value),
    }
