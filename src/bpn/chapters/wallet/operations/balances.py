"""Balances of wallets, with their value in USD."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bpn.chapters.fx import operations as fx
from bpn.chapters.fx.model import Rate
from bpn.chapters.wallet import rules
from bpn.chapters.wallet.errors import WalletNotFound
from bpn.chapters.wallet.model import AssetBalance, NetworkBalance, Wallet, WalletTerms
from bpn.chapters.wallet.store import transactions, wallets
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.kernel.assets import Asset
from bpn.kernel.errors import FieldError, Refusal
from bpn.ledger import operations as ledger
from bpn.ledger.model import Balance

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class BalanceQuery:
    """Whose balances: the primary wallet when no id is given, every currency when none is named."""

    merchant_id: int
    wallet_id: int | None
    currency: str | None


async def get_asset_balance(
    terms: WalletTerms, tx: DatabaseTransaction, queries: Sequence[BalanceQuery]
) -> list[AssetBalance | Refusal]:
    """Balances of many wallets, read set-wise; for each query its balances or its refusal, in order.

    Refusals: WalletNotFound, UnsupportedCurrency.
    """
    found = await wallets.find_many(tx, [(query.merchant_id, query.wallet_id) for query in queries])
    results: dict[int, AssetBalance | Refusal] = {}
    asked: list[tuple[int, Wallet, list[Asset]]] = []
    for place, (query, wallet) in enumerate(zip(queries, found, strict=True)):
        try:
            asked.append((place, *_require(terms, query, wallet)))
        except Refusal as refusal:
            results[place] = refusal
    if asked:
        balances = await _read(tx, [(wallet, asset) for _, wallet, assets in asked for asset in assets])
        prices = await fx.usd_prices(terms.fx, tx, terms.currency_names)
        for place, wallet, assets in asked:
            results[place] = _value(wallet, tuple(balances[wallet.wallet_id, asset] for asset in assets), prices)
    return [results[place] for place in range(len(queries))]


def _require(terms: WalletTerms, query: BalanceQuery, wallet: Wallet | None) -> tuple[Wallet, list[Asset]]:
    if query.currency is not None:
        rules.check_currency(terms, query.currency)
    if wallet is None:
        raise WalletNotFound(f"There is no wallet {query.wallet_id}.", [FieldError("walletId", "is unknown")])
    tokens = (token for network in terms.networks.values() for token in network.tokens.values())
    return wallet, [token.asset for token in tokens if query.currency in {None, token.asset.currency}]


async def _read(
    tx: DatabaseTransaction, pairs: Sequence[tuple[Wallet, Asset]]
) -> dict[tuple[int, Asset], NetworkBalance]:
    accounts = [
        account
        for wallet, asset in pairs
        for account in (
            rules.available_account(wallet.merchant_id, wallet.wallet_id, asset),
            rules.unreleased_account(wallet.merchant_id, wallet.wallet_id, asset),
        )
    ]
    now = await ledger.balances(tx, accounts)
    yesterday = await ledger.balances(tx, accounts, at=tx.now - _DAY)
    pending = await transactions.pending_amounts(tx, [(wallet.merchant_id, wallet.wallet_id) for wallet, _ in pairs])
    return {
        (wallet.wallet_id, asset): _network_balance(
            asset,
            now[2 * place],
            now[2 * place + 1],
            pending.get((wallet.wallet_id, asset.currency, asset.network or ""), 0),
            sum(balance.posted for balance in yesterday[2 * place : 2 * place + 2]),
        )
        for place, (wallet, asset) in enumerate(pairs)
    }


def _network_balance(
    asset: Asset, available: Balance, unreleased: Balance, pending: int, total_yesterday: int
) -> NetworkBalance:
    return NetworkBalance(asset, available.available, available.pending + unreleased.posted, pending, total_yesterday)


def _value(wallet: Wallet, balances: tuple[NetworkBalance, ...], prices: dict[str, Rate]) -> AssetBalance:
    total, price_time = rules.total_usd(balances, prices)
    return AssetBalance(wallet, balances, total, price_time)
