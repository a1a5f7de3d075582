"""The history, and internal transfers."""

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
    PageQuery,
    Remark,
    Wire,
    milliseconds_or_none,
    parse_time,
)
from bpn.chapters.wallet import model
from bpn.chapters.wallet.schemas.words import StatusName, TransactionHash, TransactionTypeName
from bpn.kernel.clock import to_milliseconds


class TransferRequest(Wire):
    """Move a stablecoin between the merchant's own wallets."""

    merchant_transaction_id: MerchantReference | None = None
    from_wallet_id: LargeInteger
    to_wallet_id: LargeInteger
    currency: CurrencyCode
    network: Annotated[NetworkName | None, Field(description="BSC when absent.")] = None
    amount: AmountText
    remark: Remark | None = None


class TransferQuery(Wire):
    """Which transfer: exactly one of the two."""

    transaction_id: Identifier | None = None
    merchant_transaction_id: MerchantReference | None = None


class TransferListQuery(PageQuery):
    """Filters of the list of transfers."""

    wallet_id: LargeInteger | None = None
    merchant_transaction_id: MerchantReference | None = None
    currency: CurrencyCode | None = None
    network: NetworkName | None = None
    start_time: Milliseconds | None = None
    end_time: Milliseconds | None = None

    def filters(self) -> model.HistoryFilter:
        """As the chapter knows them."""
        return model.HistoryFilter(
            wallet_id=self.wallet_id,
            merchant_transaction_id=self.merchant_transaction_id,
            currency=self.currency,
            network=self.network,
            transaction_type=model.TransactionType.INTERNAL_TRANSFER,
            start=parse_time(self.start_time, "startTime"),
            end=parse_time(self.end_time, "endTime"),
        )


class HistoryQuery(PageQuery):
    """Filters of the history; all that are given must match."""

    wallet_id: LargeInteger | None = None
    merchant_transaction_id: MerchantReference | None = None
    currency: CurrencyCode | None = None
    network: NetworkName | None = None
    transaction_type: TransactionTypeName | None = None
    status: StatusName | None = None
    start_time: Annotated[Milliseconds | None, Field(description="From this time on.")] = None
    end_time: Annotated[Milliseconds | None, Field(description="Before this time.")] = None
    transaction_id: Identifier | None = None
    hash: TransactionHash | None = None

    def filters(self) -> model.HistoryFilter:
        """As the chapter knows them."""
        return model.HistoryFilter(
            wallet_id=self.wallet_id,
            merchant_transaction_id=self.merchant_transaction_id,
            currency=self.currency,
            network=self.network,
            transaction_type=self.transaction_type,
            status=self.status,
            start=parse_time(self.start_time, "startTime"),
            end=parse_time(self.end_time, "endTime"),
            transaction_id=None if self.transaction_id is None else int(self.transaction_id),
            hash=self.hash,
        )


class TransactionRecord(Wire):
    """One line of the history. Amounts and ids are strings; `walletId` is an integer."""

    transaction_id: Annotated[str, Field(examples=["179545447575900001"])]
    merchant_transaction_id: str | None
    user_id: Annotated[str, Field(description="The merchant.")]
    merchant_user_id: Annotated[str | None, Field(description="The merchant's id of whoever the wallet is for.")]
    from_currency: str
    to_currency: str
    from_account_id: Annotated[str | None, Field(description="The wallet debited; null when it came from outside.")]
    to_account_id: Annotated[str | None, Field(description="The wallet credited; null when it went outside.")]
    transaction_type: TransactionTypeName
    wallet_id: int
    currency: str
    network: str
    amount: Annotated[str, Field(examples=["100"])]
    fee: Annotated[str, Field(examples=["1"])]
    status: StatusName
    from_address: str | None
    to_address: str | None
    hash: str | None
    confirmations: int
    required_confirmations: int
    remark: str | None
    fail_reason: str | None
    create_time: Milliseconds
    update_time: Milliseconds
    complete_time: Milliseconds | None

    @classmethod
    def of(cls, transaction: model.Transaction) -> Self:
        """The wire form."""
        currency = transaction.amount.asset.currency
        counter = transaction.counter_currency or currency
        source, target = _wallet_sides(transaction)
        return cls(
            transaction_id=str(transaction.transaction_id),
            merchant_transaction_id=transaction.merchant_transaction_id,
            user_id=str(transaction.merchant_id),
            merchant_user_id=transaction.merchant_user_id,
            from_currency=counter if transaction.incoming else currency,
            to_currency=currency if transaction.incoming else counter,
            from_account_id=source,
            to_account_id=target,
            transaction_type=transaction.transaction_type.value,
            wallet_id=transaction.wallet_id,
            currency=currency,
            network=transaction.amount.asset.network or "",
            amount=str(transaction.amount),
            fee=str(transaction.fee),
            status=transaction.status.value,
            from_address=transaction.from_address,
            to_address=transaction.to_address,
            hash=transaction.hash,
            confirmations=transaction.confirmations,
            required_confirmations=transaction.required_confirmations,
            remark=transaction.remark,
            fail_reason=transaction.fail_reason,
            create_time=to_milliseconds(transaction.created_at),
            update_time=to_milliseconds(transaction.updated_at),
            complete_time=milliseconds_or_none(transaction.completed_at),
        )


def _wallet_sides(transaction: model.Transaction) -> tuple[str | None, str | None]:
    own = str(transaction.wallet_id)
    if transaction.incoming or transaction.transaction_type is model.TransactionType.DEPOSIT:
        return None, own
    return own, None if transaction.counter_wallet_id is None else str(transaction.counter_wallet_id)
