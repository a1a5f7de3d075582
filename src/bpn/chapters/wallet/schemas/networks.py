"""The terms on which currencies move on networks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Self

from pydantic import Field

from bpn.api.fields import CurrencyCode, NetworkName, Wire
from bpn.chapters.wallet import model
from bpn.kernel.money import format_decimal


class NetworkConfigQuery(Wire):
    """Which currency and network only."""

    currency: CurrencyCode | None = None
    network: NetworkName | None = None


class NetworkConfig(Wire):
    """The terms on which a currency moves on a network."""

    currency: Annotated[str, Field(examples=["USDT"])]
    network: Annotated[str, Field(examples=["BSC"])]
    chain_id: Annotated[int, Field(examples=[56])]
    contract: Annotated[str, Field(description="The token's contract address.")]
    scale: Annotated[int, Field(description="Decimals.", examples=[18])]
    minimum_deposit: Annotated[str, Field(examples=["1"])]
    minimum_withdrawal: Annotated[str, Field(examples=["1"])]
    withdrawal_fee: Annotated[
        str, Field(description="Of the smallest withdrawal; on top of the amount, in the currency.", examples=["1"])
    ]
    withdrawal_fee_bps: Annotated[
        str, Field(description="The share of the amount within the fee, in hundredths of a percent.", examples=["0"])
    ]
    confirmations: Annotated[int, Field(examples=[15])]
    estimated_seconds: Annotated[int, Field(description="From the first block to confirmed.", examples=[45])]
    deposit_enabled: bool
    withdraw_enabled: bool


class NetworkConfigList(Wire):
    """All currencies and networks."""

    list: list[NetworkConfig]

    @classmethod
    def of(cls, networks: Iterable[model.Network], query: NetworkConfigQuery) -> Self:
        """The wire form of those that the query asks for."""
        return cls(
            list=[
                _network_config(network, token)
                for network in networks
                for token in network.tokens.values()
                if query.currency in {None, token.asset.currency} and query.network in {None, network.name}
            ]
        )


def _network_config(network: model.Network, token: model.Token) -> NetworkConfig:
    seconds = (network.block_seconds * network.confirmations).to_integral_value()
    return NetworkConfig(
        currency=token.asset.currency,
        network=network.name,
        chain_id=network.chain_id,
        contract=token.contract,
        scale=token.asset.scale,
        minimum_deposit=str(token.minimum_deposit),
        minimum_withdrawal=str(token.minimum_withdrawal),
        withdrawal_fee=str(token.withdrawal_fee),
        withdrawal_fee_bps=format_decimal(token.withdrawal_fee_bps),
        confirmations=network.confirmations,
        estimated_seconds=int(seconds),
        deposit_enabled=token.deposits_enabled,
        withdraw_enabled=token.withdrawals_enabled,
    )
