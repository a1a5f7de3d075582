"""What the platform itself holds: at deposit addresses and in hot wallets, on chain and in the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bpn.chapters.wallet import rules
from bpn.chapters.wallet.model import WalletTerms
from bpn.chapters.wallet.store import wallets
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.kernel.assets import Asset
from bpn.kernel.money import Money
from bpn.ledger import operations as ledger
from bpn.ledger.model import Transfer


@dataclass(frozen=True, slots=True)
class Holding:
    """An asset that must lie on chain at these addresses; `contract` is None for the native coin."""

    asset: Asset
    contract: str | None
    addresses: tuple[str, ...]


async def custody_holdings(terms: WalletTerms, tx: DatabaseTransaction) -> list[Holding]:
    """Where every asset of every network lies: the hot wallet, and the deposit addresses for tokens."""
    holdings = []
    for network in terms.networks.values():
        addresses = tuple(await wallets.custody_addresses(tx, network.name))
        holdings.append(Holding(network.native, None, (terms.hot_address,)))
        holdings += [
            Holding(token.asset, token.contract, (terms.hot_address, *addresses)) for token in network.tokens.values()
        ]
    return holdings


async def custody_ledger(tx: DatabaseTransaction, assets: Sequence[Asset]) -> list[int]:
    """What the ledger says lies on chain, in minor units, by asset: all custody accounts and the hot wallet."""
    totals = await ledger.totals(tx, "custody", assets)
    hot = await ledger.balances(tx, [rules.hot_wallet_account(asset) for asset in assets])
    return [-(total + balance.posted) for total, balance in zip(totals, hot, strict=True)]


async def book_house_funds(tx: DatabaseTransaction, transfer_id: int, amount: Money) -> None:
    """Note that the operator put an amount into the hot wallet; the same `transfer_id` books it once."""
    await ledger.post_one(
        tx,
        Transfer(
            transfer_id,
            rules.hot_wallet_account(amount.asset),
            rules.capital_account(amount.asset),
            amount,
            "wallet.house_funding",
            0,
        ),
    )


async def house_funds_booked(tx: DatabaseTransaction, asset: Asset) -> bool:
    """Whether anything was ever put into the hot wallet of an asset."""
    (capital,) = await ledger.balances(tx, [rules.capital_account(asset)])
    return capital.posted != 0
