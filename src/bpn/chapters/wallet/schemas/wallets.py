"""Wallets and their deposit addresses."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints

from bpn.api.fields import (
    CurrencyCode,
    LargeInteger,
    MerchantReference,
    Milliseconds,
    NetworkName,
    PageQuery,
    ShortText,
    Wire,
)
from bpn.chapters.wallet import model
from bpn.kernel.clock import to_milliseconds


class WalletQuery(PageQuery):
    """Filters of the list of wallets."""

    wallet_type: Literal["primary", "sub", "collection_sub"] | None = None
    name: ShortText | None = None


class SubAccountQuery(PageQuery):
    """Filters of the list of sub-accounts."""

    name: ShortText | None = None


class SubAccountRequest(Wire):
    """Open a sub-account."""

    name: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), Field(examples=["Store 12"])
    ]
    merchant_user_id: Annotated[
        MerchantReference | None, Field(description="The merchant's own id of whoever the wallet is for.")
    ] = None
    request_id: Annotated[MerchantReference | None, Field(description="The merchant's own id of this request.")] = None


class Wallet(Wire):
    """A wallet."""

    wallet_id: Annotated[int, Field(examples=[4503599627370496])]
    name: str
    wallet_type: Literal["primary", "sub", "collection_sub"]
    merchant_user_id: str | None
    create_time: Milliseconds

    @classmethod
    def of(cls, wallet: model.Wallet) -> Self:
        """The wire form."""
        return cls(
            wallet_id=wallet.wallet_id,
            name=wallet.name,
            wallet_type=wallet.wallet_type.value,
            merchant_user_id=wallet.merchant_user_id,
            create_time=to_milliseconds(wallet.created_at),
        )


class DepositAddressQuery(Wire):
    """Which wallet, currency and network."""

    wallet_id: Annotated[LargeInteger | None, Field(description="The primary wallet when absent.")] = None
    currency: CurrencyCode
    network: Annotated[NetworkName | None, Field(description="BSC when absent.")] = None


class WalletAddress(Wire):
    """Where to send a stablecoin."""

    wallet_id: int
    currency: str
    network: str
    address: Annotated[str, Field(description="In EIP-55 form.")]
    tag: Annotated[str | None, Field(description="Null on networks without tags.")]
    minimum_deposit: str
    confirmations: int
    create_time: Milliseconds

    @classmethod
    def of(cls, address: model.DepositAddress) -> Self:
        """The wire form."""
        return cls(
            wallet_id=address.wallet_id,
            currency=address.token.asset.currency,
            network=address.token.asset.network or "",
            address=address.address,
            tag=None,
            minimum_deposit=str(address.token.minimum_deposit),
            confirmations=address.confirmations,
            create_time=to_milliseconds(address.created_at),
        )
