"""Orders: pay-ins, payouts, refunds, returns."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field

from bpn.api.fields import (
    AmountText,
    Identifier,
    LargeInteger,
    MerchantReference,
    Milliseconds,
    PageQuery,
    Remark,
    ShortText,
    Wire,
    milliseconds_or_none,
    parse_time,
)
from bpn.chapters.accounts import model
from bpn.chapters.accounts.schemas.words import (
    CountryCode,
    EmailCodeText,
    FiatCode,
    InvoiceStatusName,
    OrderStatusName,
    OrderTypeName,
    RailName,
    SubUserId,
)
from bpn.kernel.clock import to_milliseconds
from bpn.kernel.money import Money
from bpn.ports.readers import BankParty


class BeneficiaryRequest(Wire):
    """Who is paid; which fields are needed depends on the network."""

    network_type: Annotated[RailName | None, Field(description="The currency's usual one when absent.")] = None
    country: CountryCode | None = None
    account_holder_name: ShortText | None = None
    name: Annotated[ShortText | None, Field(description="As accountHolderName.")] = None
    account_number: ShortText | None = None
    iban: ShortText | None = None
    bic: ShortText | None = None
    clabe: ShortText | None = None
    routing_number: ShortText | None = None
    sort_code: ShortText | None = None
    bank_code: ShortText | None = None
    branch_code: ShortText | None = None
    bank_name: ShortText | None = None
    cpf_or_cnpj: ShortText | None = None
    pix_key: ShortText | None = None
    address: ShortText | None = None

    def info(self) -> dict[str, str]:
        """The fields that are given, in the keys of the wire."""
        given = self.model_dump(by_alias=True, exclude_none=True, exclude={"network_type", "country"})
        return {name: str(value) for name, value in given.items()}


class PayoutRequest(Wire):
    """Pay from a master account to a bank account that is known, or to a beneficiary given here."""

    merchant_order_id: Annotated[
        MerchantReference | None, Field(description="The merchant's own id, unique over all orders.")
    ] = None
    virtual_account_id: Annotated[Identifier, Field(description="The master account: `primaryAccountId`.")]
    currency: FiatCode
    amount: Annotated[AmountText, Field(description="What is paid; the fee is charged on top.")]
    bank_account_id: Annotated[Identifier | None, Field(description="From Add Bank Account.")] = None
    beneficiary: BeneficiaryRequest | None = None
    purpose: Annotated[ShortText, Field(description="Free text.", examples=["Supplier invoice 17"])]
    remark: Annotated[Remark | None, Field(description="What the payee reads.")] = None
    email_code: EmailCodeText | None = None


class RefundRequest(Wire):
    """Give back: of one pay-in (`orderId`), or of whatever an account was paid (`accountId` with `amount`)."""

    merchant_order_id: Annotated[
        MerchantReference | None, Field(description="The merchant's own id, unique over all orders.")
    ] = None
    order_id: Annotated[Identifier | None, Field(description="The pay-in.")] = None
    account_id: Annotated[Identifier | None, Field(description="The virtual account that was paid.")] = None
    currency: Annotated[FiatCode | None, Field(description="The pay-in's when absent.")] = None
    amount: Annotated[AmountText | None, Field(description="All that is left of the pay-in when absent.")] = None


class OrderQuery(Wire):
    """Which order: exactly one of the two."""

    order_id: Identifier | None = None
    merchant_order_id: MerchantReference | None = None


class OrderListQuery(PageQuery):
    """Filters of the list of orders; all that are given must match."""

    order_id: Identifier | None = None
    merchant_order_id: MerchantReference | None = None
    account_id: Annotated[Identifier | None, Field(description="A virtual account, or a master account.")] = None
    sub_user_id: SubUserId | None = None
    order_type: OrderTypeName | None = None
    currency: FiatCode | None = None
    status: OrderStatusName | None = None
    start_timestamp: Annotated[LargeInteger | None, Field(description="From this time on, Unix milliseconds.")] = None
    end_timestamp: Annotated[LargeInteger | None, Field(description="Before this time, Unix milliseconds.")] = None

    def filters(self) -> model.OrderFilter:
        """As the chapter knows them."""
        return model.OrderFilter(
            order_id=None if self.order_id is None else int(self.order_id),
            merchant_order_id=self.merchant_order_id,
            account_id=None if self.account_id is None else int(self.account_id),
            sub_user_id=self.sub_user_id,
            order_type=self.order_type,
            currency=self.currency,
            status=self.status,
            start=parse_time(self.start_timestamp, "startTimestamp"),
            end=parse_time(self.end_timestamp, "endTimestamp"),
        )


class Party(Wire):
    """Who is at the other end, as far as the rail tells or needs it."""

    name: str | None
    account_number: Annotated[str | None, Field(description="IBAN, CLABE or account number.")]
    bank_code: str | None
    bic: str | None
    bank_name: str | None
    country: str | None
    tax_id: str | None
    pix_key: str | None

    @classmethod
    def of(cls, party: BankParty) -> Self:
        """The wire form."""
        return cls(
            name=party.name,
            account_number=party.account,
            bank_code=party.bank_code,
            bic=party.bic,
            bank_name=party.bank_name,
            country=party.country,
            tax_id=party.tax_id,
            pix_key=party.pix_key,
        )


class Order(Wire):
    """One line of the fiat history."""

    order_id: Annotated[str, Field(examples=["179545447575900001"])]
    merchant_order_id: str | None
    order_type: Annotated[
        OrderTypeName, Field(description="RETURN: what came back of a payout, or went back of a pay-in.")
    ]
    direction: Annotated[Literal["IN", "OUT"], Field(description="Whether it brings money or takes it.")]
    account_id: Annotated[str, Field(description="The virtual account that was paid, or the master that pays.")]
    primary_account_id: str
    related_order_id: Annotated[
        str | None, Field(description="The pay-in of a refund or return, the payout of a return.")
    ]
    currency: str
    amount: Annotated[str, Field(examples=["100"])]
    fee: Annotated[str, Field(description="Of a payout on top, of a pay-in deducted.", examples=["1"])]
    refunded_amount: Annotated[str, Field(description="Of a pay-in: given back or on its way back.", examples=["0"])]
    status: OrderStatusName
    invoice_status: InvoiceStatusName
    rail: str
    rail_reference: str | None
    end_to_end_id: Annotated[str | None, Field(description="The payment's id between banks; ours of what we send.")]
    payer: Annotated[Party | None, Field(description="Of a pay-in.")]
    beneficiary: Annotated[Party | None, Field(description="Of what is paid out.")]
    bank_account_id: str | None
    purpose: str | None
    remark: str | None
    charge_bearer: Annotated[
        Literal["SHAR", "DEBT", "CRED", "SLEV"] | None, Field(description="Who pays the banks' charges (ISO 20022).")
    ]
    fail_code: Annotated[str | None, Field(description="The rail's word for why, such as AC04.")]
    fail_reason: str | None
    create_time: Milliseconds
    update_time: Milliseconds
    complete_time: Milliseconds | None

    @classmethod
    def of(cls, order: model.Order) -> Self:
        """The wire form."""
        party = None if order.party is None else Party.of(order.party)
        incoming = order.order_type is model.OrderType.PAYIN
        return cls.model_validate(
            {
                "order_id": str(order.order_id),
                "merchant_order_id": order.merchant_order_id,
                "order_type": order.order_type.value,
                "direction": order.direction.value,
                "account_id": str(order.account_id),
                "primary_account_id": str(order.primary_account_id),
                "related_order_id": None if order.counter_order_id is None else str(order.counter_order_id),
                "currency": order.amount.asset.currency,
                "amount": str(order.amount),
                "fee": str(order.fee),
                "refunded_amount": str(Money(order.refunded, order.amount.asset)),
                "status": order.status.value,
                "invoice_status": order.invoice_status.value,
                "rail": order.rail,
                "rail_reference": order.rail_reference,
                "end_to_end_id": order.end_to_end_id,
                "payer": party if incoming else None,
                "beneficiary": None if incoming else party,
                "bank_account_id": None if order.bank_account_id is None else str(order.bank_account_id),
                "purpose": order.purpose,
                "remark": order.remark,
                "charge_bearer": order.charge_bearer,
                "fail_code": order.fail_code,
                "fail_reason": order.fail_reason,
                "create_time": to_milliseconds(order.created_at),
                "update_time": to_milliseconds(order.updated_at),
                "complete_time": milliseconds_or_none(order.completed_at),
            }
        )
