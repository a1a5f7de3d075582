"""Dollars collected, and payouts of them."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field

from bpn.api.fields import (
    AmountText,
    Identifier,
    MerchantReference,
    Milliseconds,
    PageQuery,
    Remark,
    ShortText,
    Wire,
    milliseconds_or_none,
    parse_amount,
)
from bpn.chapters.accounts import operations as accounts
from bpn.chapters.accounts.model import MasterBalance
from bpn.chapters.accounts.schemas.orders import BeneficiaryRequest
from bpn.chapters.provider import model
from bpn.chapters.provider.operations.paying import UsdPayoutCommand
from bpn.kernel.assets import Asset
from bpn.kernel.clock import to_milliseconds

PayoutStatusName = Literal["REVIEWING", "PROCESSING", "SUCCESS", "FAILED", "REJECTED", "RETURNED"]


class UsdBalanceQuery(Wire):
    """Of which currency; dollars."""

    currency: Literal["USD"] = "USD"


class UsdBalance(Wire):
    """The merchant's dollars."""

    currency: Literal["USD"]
    available: Annotated[str, Field(description="What may be paid out.", examples=["99.9"])]
    unavailable: Annotated[str, Field(description="Held for payouts, or come in and not released.")]

    @classmethod
    def of(cls, balance: MasterBalance) -> Self:
        """The wire form."""
        return cls(currency="USD", available=str(balance.available), unavailable=str(balance.pending + balance.held))


class UsdPayoutRequest(Wire):
    """Pay dollars to a bank account that is known, or to a beneficiary given here; exactly one of them."""

    merchant_order_id: Annotated[MerchantReference, Field(description="The merchant's own id, unique over all orders.")]
    amount: Annotated[AmountText, Field(description="What is paid; the fee is charged on top.")]
    bank_account_id: Annotated[Identifier | None, Field(description="From Add Bank Account.")] = None
    beneficiary: BeneficiaryRequest | None = None
    purpose: ShortText | None = None
    remark: Annotated[Remark | None, Field(description="What the payee reads.")] = None

    def command(self, dollar: Asset) -> UsdPayoutCommand:
        """As the chapter knows it; raises InvalidRequest, UnsupportedRail."""
        given, network = self.beneficiary, None
        if given is not None:
            network = accounts.usual_rail(dollar.currency, given.network_type)
        return UsdPayoutCommand(
            merchant_order_id=self.merchant_order_id,
            amount=parse_amount(self.amount, dollar),
            bank_account_id=None if self.bank_account_id is None else int(self.bank_account_id),
            network_type=network,
            beneficiary=None
            if given is None or network is None
            else accounts.read_party(network, given.country, given.info(), "beneficiary"),
            purpose=self.purpose,
            remark=self.remark,
        )


class UsdPayoutQuery(Wire):
    """Which payout: exactly one of the two."""

    order_id: Identifier | None = None
    merchant_order_id: MerchantReference | None = None


class UsdPayoutListQuery(PageQuery):
    """Filters of the list of payouts."""

    status: PayoutStatusName | None = None

    def filters(self) -> model.PayoutFilter:
        """As the chapter knows them."""
        return model.PayoutFilter(self.status)


class UsdPayout(Wire):
    """A payout of dollars."""

    order_id: Annotated[str, Field(examples=["179545447575900001"])]
    merchant_order_id: str
    status: str
    currency: Literal["USD"]
    amount: str
    fee: str
    bank_account_id: str | None
    fail_reason: str | None
    create_time: Milliseconds
    update_time: Milliseconds
    complete_time: Milliseconds | None

    @classmethod
    def of(cls, payout: model.UsdPayout) -> Self:
        """The wire form."""
        return cls(
            order_id=str(payout.payout_id),
            merchant_order_id=payout.merchant_order_id,
            status=payout.status,
            currency="USD",
            amount=str(payout.amount),
            fee=str(payout.fee),
            bank_account_id=None if payout.bank_account_id is None else str(payout.bank_account_id),
            fail_reason=payout.reason,
            create_time=to_milliseconds(payout.created_at),
            update_time=to_milliseconds(payout.updated_at),
            complete_time=milliseconds_or_none(payout.completed_at),
        )
