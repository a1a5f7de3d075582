"""Links for customers and their sub wallets."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints

from bpn.api.fields import LargeInteger, MerchantReference, Milliseconds, PageQuery, ShortText, Wire
from bpn.chapters.provider import model
from bpn.chapters.wallet.model import WalletTerms
from bpn.kernel.clock import to_milliseconds

SubWalletStatusName = Literal["PENDING", "ACTIVE", "FROZEN", "CLOSED"]


class CreateLinkRequest(Wire):
    """Open a sub wallet for a customer, and make the link that the customer is sent."""

    request_id: MerchantReference
    partner_user_id: Annotated[MerchantReference, Field(description="The provider's own id of the customer.")]
    account_name: Annotated[ShortText, Field(examples=["Loja Azul Ltda"])]
    return_url: Annotated[
        str | None,
        StringConstraints(max_length=2048, pattern=r"^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[!-~]*)?$"),
        Field(description="https; where the customer may go back to."),
    ] = None
    locale: Annotated[
        Literal["en", "es", "pt-BR", "zh"] | None, Field(description="In which language the page is shown.")
    ] = None


class CollectionLink(Wire):
    """A link for a customer. `walletId` and `status` are ours."""

    link_id: Annotated[str, Field(examples=["179545447575900001"])]
    url: str
    expires_time: Milliseconds
    wallet_id: int
    status: SubWalletStatusName

    @classmethod
    def of(cls, wallet: model.SubWallet, url: str) -> Self:
        """The wire form."""
        return cls(
            link_id=str(wallet.link_id),
            url=url,
            expires_time=to_milliseconds(wallet.expires_at),
            wallet_id=wallet.wallet_id,
            status=wallet.status.value,
        )


class SubWalletQuery(Wire):
    """Which sub wallet."""

    wallet_id: LargeInteger


class SubWalletListQuery(PageQuery):
    """Filters of the list of sub wallets."""

    partner_user_id: MerchantReference | None = None
    status: SubWalletStatusName | None = None

    def filters(self) -> model.SubWalletFilter:
        """As the chapter knows them."""
        return model.SubWalletFilter(self.partner_user_id, self.status)


class ChangeStatusRequest(Wire):
    """Freeze, thaw or close a sub wallet. CLOSED is for ever."""

    wallet_id: LargeInteger
    status: Literal["ACTIVE", "FROZEN", "CLOSED"]
    reason: ShortText | None = None


class CollectionAddress(Wire):
    """Where to send a currency on a network."""

    currency: str
    network: str
    address: str


class SubWallet(Wire):
    """A sub wallet that collects for a customer."""

    wallet_id: int
    account_name: str
    partner_user_id: str
    status: SubWalletStatusName
    addresses: Annotated[list[CollectionAddress], Field(description="Empty before the wallet is ACTIVE.")]
    create_time: Milliseconds
    frozen_by: Annotated[Literal["PROVIDER", "PLATFORM"] | None, Field(description="Ours.")]
    reason: Annotated[str | None, Field(description="Of the last change of status. Ours.")]
    update_time: Milliseconds

    @classmethod
    def of(cls, wallet: model.SubWallet, terms: WalletTerms) -> Self:
        """The wire form; `terms` name the currencies and networks."""
        tokens = [
            (currency, network.name)
            for network in terms.networks.values()
            for currency, token in network.tokens.items()
            if token.deposits_enabled
        ]
        return cls(
            wallet_id=wallet.wallet_id,
            account_name=wallet.account_name,
            partner_user_id=wallet.partner_user_id,
            status=wallet.status.value,
            addresses=[
                CollectionAddress(currency=currency, network=network, address=wallet.address)
                for currency, network in tokens
                if wallet.address is not None
            ],
            create_time=to_milliseconds(wallet.created_at),
            frozen_by=None if wallet.frozen_by is None else wallet.frozen_by.value,
            reason=wallet.reason,
            update_time=to_milliseconds(wallet.updated_at),
        )


class SubWalletUpdate(Wire):
    """A sub wallet's new state, as its event tells it."""

    wallet_id: int
    account_name: str
    partner_user_id: str
    status: SubWalletStatusName
    address: Annotated[str | None, Field(description="The same on every network.")]
    frozen_by: Literal["PROVIDER", "PLATFORM"] | None
    reason: str | None
    create_time: Milliseconds
    update_time: Milliseconds

    @classmethod
    def of(cls, wallet: model.SubWallet) -> Self:
        """The wire form."""
        return cls(
            wallet_id=wallet.wallet_id,
            account_name=wallet.account_name,
            partner_user_id=wallet.partner_user_id,
            status=wallet.status.value,
            address=wallet.address,
            frozen_by=None if wallet.frozen_by is None else wallet.frozen_by.value,
            reason=wallet.reason,
            create_time=to_milliseconds(wallet.created_at),
            update_time=to_milliseconds(wallet.updated_at),
        )
