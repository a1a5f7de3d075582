"""Withdrawals."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field

from bpn.api.fields import (
    AmountText,
    CurrencyCode,
    Identifier,
    LargeInteger,
    MerchantReference,
    Milliseconds,
    NetworkName,
    Remark,
    ShortText,
    Wire,
)
from bpn.chapters.wallet import model
from bpn.chapters.wallet.schemas.words import AddressText, StatusName
from bpn.kernel.clock import to_milliseconds


class WithdrawRequest(Wire):
    """Send a stablecoin to a whitelisted address."""

    merchant_transaction_id: MerchantReference | None = None
    wallet_id: Annotated[LargeInteger | None, Field(description="The primary wallet when absent.")] = None
    currency: CurrencyCode
    network: Annotated[NetworkName | None, Field(description="BSC when absent.")] = None
    address: AddressText
    tag: ShortText | None = None
    amount: Annotated[AmountText, Field(description="What arrives; the fee is charged on top.")]
    remark: Remark | None = None


class Withdrawal(Wire):
    """A withdrawal as accepted."""

    transaction_id: Annotated[str, Field(examples=["179545447575900001"])]
    merchant_transaction_id: str | None
    status: StatusName
    currency: str
    network: str
    address: str
    amount: Annotated[str, Field(examples=["100"])]
    fee: Annotated[str, Field(description="On top of the amount.", examples=["1"])]
    receive_amount: Annotated[str, Field(description="What arrives on chain.", examples=["100"])]
    fail_reason: str | None
    create_time: Milliseconds

    @classmethod
    def of(cls, transaction: model.Transaction) -> Self:
        """The wire form."""
        return cls(
            transaction_id=str(transaction.transaction_id),
            merchant_transaction_id=transaction.merchant_transaction_id,
            status=transaction.status.value,
            currency=transaction.amount.asset.currency,
            network=transaction.amount.asset.network or "",
            address=transaction.to_address or "",
            amount=str(transaction.amount),
            fee=str(transaction.fee),
            receive_amount=str(transaction.amount),
            fail_reason=transaction.fail_reason,
            create_time=to_milliseconds(transaction.created_at),
        )


class CancelWithdrawalRequest(Wire):
    """Which withdrawal to call back."""

    transaction_id: Identifier
