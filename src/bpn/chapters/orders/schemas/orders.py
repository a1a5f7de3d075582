"""Orders."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints

from bpn.api.fields import (
    Identifier,
    LargeInteger,
    MerchantReference,
    Milliseconds,
    PageQuery,
    Remark,
    Wire,
    milliseconds_or_none,
    parse_time,
)
from bpn.chapters.orders import model
from bpn.chapters.orders.schemas.quotes import QuoteFields, RouteHop, SideName, Terms, sides
from bpn.kernel.clock import to_milliseconds
from bpn.kernel.money import format_decimal

OrderStatusName = Literal["CREATED", "AWAITING_FUNDS", "PROCESSING", "SUCCESS", "FAILED", "EXPIRED", "REFUNDED"]


class OrderRequest(QuoteFields):
    """Make an order: of a quote by its id, or with a quote's own fields, priced at once."""

    merchant_order_id: Annotated[
        MerchantReference | None, Field(description="The merchant's own id; made up when absent.")
    ] = None
    quote_id: Annotated[
        str | None, StringConstraints(to_lower=True, pattern=r"^[0-9a-fA-F]{32}$"), Field(description="Of a quote.")
    ] = None
    to_wallet_id: Annotated[
        LargeInteger | None, Field(description="Of a swap: where it goes; walletId when absent. Ours.")
    ] = None
    sub_user_id: MerchantReference | None = None
    funding_source: Annotated[
        Literal["BALANCE", "PAYIN", "DEPOSIT"],
        Field(description="BALANCE debits at once; PAYIN waits for a bank transfer, DEPOSIT for tokens on chain."),
    ] = "BALANCE"
    payout_bank_account_id: Annotated[
        Identifier | None, Field(description="Of a SELL: the fiat is paid out to this bank account.")
    ] = None
    remark: Remark | None = None


class OrderQuery(Wire):
    """Which order: exactly one of the two."""

    order_id: Identifier | None = None
    merchant_order_id: MerchantReference | None = None

    @property
    def own_id(self) -> int | None:
        """Our id, if given."""
        return None if self.order_id is None else int(self.order_id)


class OrderListQuery(PageQuery):
    """Filters of the list of orders."""

    status: OrderStatusName | None = None
    side: SideName | None = None
    start_time: Annotated[Milliseconds | None, Field(description="From this time on.")] = None
    end_time: Annotated[Milliseconds | None, Field(description="Before this time.")] = None

    def filters(self) -> model.OrderFilter:
        """As the chapter knows them."""
        return model.OrderFilter(
            status=self.status,
            side=self.side,
            start=parse_time(self.start_time, "startTime"),
            end=parse_time(self.end_time, "endTime"),
        )


class AbnormalFund(Wire):
    """What was not as ordered about funds, and what was done with them. Ours."""

    reason: Literal["LATE", "SHORT", "OVER", "WRONG_ASSET", "REQUOTED", "NOT_CONVERTED"]
    currency: str
    network: str | None
    amount: str
    action: Annotated[
        Literal["KEPT", "CONVERTED"],
        Field(description="KEPT: in the merchant's balance. CONVERTED: at a price of that moment."),
    ]
    source_id: Annotated[str, Field(description="The deposit or the pay-in.")]
    time: Milliseconds


class StableOrder(Terms):
    """An order."""

    order_id: Annotated[str, Field(examples=["179545447575900001"])]
    merchant_order_id: str
    status: OrderStatusName
    quote_id: str | None
    from_currency: Annotated[str, Field(description="What is paid. Ours.")]
    from_network: str | None
    from_amt: str
    to_currency: Annotated[str, Field(description="What arrives. Ours.")]
    to_network: str | None
    to_amt: str
    funding_source: Literal["BALANCE", "PAYIN", "DEPOSIT"]
    wallet_id: int
    to_wallet_id: int | None
    sub_user_id: str | None
    payout_bank_account_id: str | None
    payout_order_id: Annotated[str | None, Field(description="The payout that carries the fiat on. Ours.")]
    settled_amount: Annotated[str | None, Field(description="What has reached the merchant; null before.")]
    instructions: Annotated[
        dict[str, Any] | None, Field(description="Where the funds are to be sent; null when they are there.")
    ]
    abnormal: list[AbnormalFund]
    fail_reason: str | None
    remark: str | None
    create_time: Milliseconds
    update_time: Milliseconds
    expire_time: Annotated[Milliseconds, Field(description="Until when funds are waited for.")]
    complete_time: Milliseconds | None

    @classmethod
    def of(cls, order: model.StableOrder) -> Self:
        """The wire form."""
        return cls(
            order_id=str(order.order_id),
            merchant_order_id=order.merchant_order_id,
            status=order.status.value,
            quote_id=order.quote_id,
            **sides(order.side, order.paid, order.received),
            price=format_decimal(order.price),
            fee=str(order.fee),
            fee_currency=order.fee.asset.currency,
            route=[RouteHop.of(hop) for hop in order.route],
            funding_source=order.funding.value,
            wallet_id=order.wallet_id,
            to_wallet_id=order.target_wallet_id,
            sub_user_id=order.sub_user_id,
            payout_bank_account_id=_text(order.payout_bank_account_id),
            payout_order_id=_text(order.payout_order_id),
            settled_amount=None if order.settled is None else str(order.settled),
            instructions=None if order.instructions is None else dict(order.instructions),
            abnormal=[
                AbnormalFund(
                    reason=one.oddity.value,
                    currency=one.currency,
                    network=one.network,
                    amount=one.amount,
                    action=one.action,
                    source_id=one.source_id,
                    time=one.time,
                )
                for one in order.abnormal
            ],
            fail_reason=order.fail_reason,
            remark=order.remark,
            create_time=to_milliseconds(order.created_at),
            update_time=to_milliseconds(order.updated_at),
            expire_time=to_milliseconds(order.expires_at),
            complete_time=milliseconds_or_none(order.completed_at),
        )


def _text(value: int | None) -> str | None:
    return None if value is None else str(value)
