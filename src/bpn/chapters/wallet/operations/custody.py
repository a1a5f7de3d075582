"""What the platform itself holds: at deposit addresses and in hot wallets, on chain and in the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bpn.audit import operations as audit
from bpn.audit.model import Decision
from bpn.chapters.wallet import rules
from bpn.chapters.wallet.model import WalletTerms
from bpn.chapters.wallet.model.outgoing import HOT_KEY_INDEX, Outgoing, OutgoingState, Purpose
from bpn.chapters.wallet.store import chains, outgoing, transactions, wallets
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.kernel.assets import Asset
from bpn.kernel.money import Money
from bpn.ledger import operations as ledger
from bpn.ledger.model import HOUSE, Transfer


@dataclass(frozen=True, slots=True)
class Holding:
    """An asset that must lie on chain at these addresses; `contract` is None for the native coin."""

    asset: Asset
    contract: str | None
    addresses: tuple[str, ...]


async def custody_holdings(terms: WalletTerms, tx: DatabaseTransaction) -> list[Holding]:
    """Where every asset of every network lies: the hot wallet and the deposit addresses.

    Coins are looked for at those deposit addresses that were ever looked at for a sweep: what strangers send to others
    is nobody's.
    """
    holdings = []
    for network in terms.networks.values():
        addresses = tuple(await wallets.custody_addresses(tx, network.name))
        senders = await outgoing.sender_indexes(tx, network.name)
        sending = dict.fromkeys([HOT_KEY_INDEX, *senders])
        holdings.append(
            Holding(network.native, None, tuple(rules.sender_address(terms, index) for index in sending))
        )  # fmt: skip
        holdings += [
            Holding(token.asset, token.contract, (terms.hot_address, *addresses)) for token in network.tokens.values()
        ]
    return holdings


async def custody_ledger(tx: DatabaseTransaction, assets: Sequence[Asset]) -> list[int]:
    """What the ledger says lies on chain, in minor units, by asset.

    Tokens are in custody accounts and in the hot wallet, coins in the hot wallet and, for gas, at deposit addresses.
    """
    totals = await ledger.totals(tx, "custody", assets)
    hot = await ledger.balances(tx, [rules.hot_wallet_account(asset) for asset in assets])
    gas = await ledger.balances(tx, [rules.deposit_gas_account(asset) for asset in assets])
    return [
        -(total + held.posted + given.posted) for total, held, given in zip(totals, hot, gas, strict=True)
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class UnderWay:
    """What the chain may show already and the ledger does not yet: arrivals that confirm, and what was sent.

    Attributes:
        arriving: by asset, deposits that are seen and not booked.
        outgoing: by network, transfers that are not settled; whether they are mined the chain says.
        blocks: by network, the newest block read: of that moment is all that the ledger and this say.
    """

    arriving: Mapping[Asset, int]
    outgoing: Mapping[str, Sequence[Outgoing]]
    blocks: Mapping[str, int]


async def custody_under_way(terms: WalletTerms, tx: DatabaseTransaction) -> UnderWay:
    """What may make chain and ledger differ for a while."""
    arriving: dict[Asset, int] = {}
    for network in terms.networks.values():
        for currency, amount in (await transactions.confirming_amounts(tx, network.name)).items():
            if currency in network.tokens:
                arriving[network.tokens[currency].asset] = amount
    return UnderWay(
        arriving,
        {name: await outgoing.list_open(tx, name, list(OutgoingState)) for name in terms.networks},
        {position.network: position.next_block - 1 for position in await chains.positions(tx)},
    )


def leaves_custody(transfer: Outgoing) -> bool:
    """Whether a transfer takes something away from us, and not only from one of our addresses to another."""
    return transfer.purpose in {Purpose.WITHDRAWAL, Purpose.REFUND}


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


async def fund_house(tx: DatabaseTransaction, amount: Money, decision: Decision) -> None:
    """An operator's word that an amount of their own lies in the hot wallet."""
    transfer_id = tx.ids.next()
    (before,) = await ledger.balances(tx, [rules.hot_wallet_account(amount.asset)])
    await book_house_funds(tx, transfer_id, amount)
    await audit.record(
        tx,
        decision,
        merchant_id=HOUSE,
        action=f"hot.fund {amount.asset.code}",
        subject_id=transfer_id,
        before=str(Money(-before.posted, amount.asset)),
        after=str(Money(-before.posted + amount.minor, amount.asset)),
    )


async def house_funds_booked(tx: DatabaseTransaction, asset: Asset) -> bool:
    """Whether anything was ever put into the hot wallet of an asset."""
    (capital,) = await ledger.balances(tx, [rules.capital_account(asset)])
    return capital.posted != 0
