"""Master accounts: a merchant's fiat balances, one per currency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bpn.audit import operations as audit
from bpn.audit.model import Decision
from bpn.chapters.accounts import rules
from bpn.chapters.accounts.errors import MasterAccountNotProvisioned
from bpn.chapters.accounts.model import MasterAccount, MasterBalance
from bpn.chapters.accounts.store import masters as store
from bpn.database.pool import Transaction
from bpn.kernel.assets import Asset
from bpn.kernel.errors import FieldError, Refusal
from bpn.kernel.money import Money
from bpn.ledger import operations as ledger
from bpn.ledger.model import Account


@dataclass(frozen=True, slots=True)
class MasterPage:
    """A page of balances and how many there are."""

    total: int
    balances: list[MasterBalance]


def find_asset(currency: str) -> Asset:
    """A fiat currency in which accounts are offered; raises UnsupportedCurrency."""
    return rules.find_asset(currency)


async def provision_masters(
    tx: Transaction, merchant_id: int, currencies: Sequence[str], decision: Decision | None = None
) -> list[MasterAccount]:
    """Give a merchant master accounts; those that it has stay. With the operator's decision it is audited.

    Raises:
        UnsupportedCurrency: accounts of a currency are not offered.
    """
    assets = [rules.find_asset(currency) for currency in currencies]
    await store.insert(tx, [MasterAccount(merchant_id, tx.ids.next(), asset, tx.now) for asset in assets])
    found = await store.find_many(tx, [(merchant_id, asset) for asset in assets])
    if decision is not None:
        for account in found.values():
            await audit.record(
                tx,
                decision,
                merchant_id=merchant_id,
                action="account.provision",
                subject_id=account.account_id,
                before="",
                after=account.asset.currency,
            )
    return list(found.values())


async def provision_all_masters(tx: Transaction, merchant_id: int) -> list[MasterAccount]:
    """Give a merchant a master account of every currency that is offered, as a sandbox does."""
    return await provision_masters(tx, merchant_id, rules.offered_currencies())


async def get_master_balance(tx: Transaction, merchant_id: int, currency: str) -> MasterBalance:
    """A merchant's balance of a currency.

    Raises:
        UnsupportedCurrency: accounts of the currency are not offered.
        MasterAccountNotProvisioned: the merchant has no master account of it.
    """
    account = await require_master(tx, merchant_id, rules.find_asset(currency))
    (balance,) = await _balances(tx, [account])
    return balance


async def list_master_accounts(
    tx: Transaction, merchant_id: int, *, currency: str | None, before: int | None, offset: int, limit: int
) -> MasterPage:
    """The balances of a merchant, newest account first."""
    found = [
        account
        for account in await store.of_merchant(tx, merchant_id)
        if currency in {None, account.asset.currency} and (before is None or account.account_id < before)
    ]
    return MasterPage(len(found), await _balances(tx, found[offset : offset + limit]))


async def _balances(tx: Transaction, accounts: Sequence[MasterAccount]) -> list[MasterBalance]:
    found = await ledger.balances(
        tx,
        [
            ledger_account
            for account in accounts
            for ledger_account in (
                rules.master_account(account.merchant_id, account.account_id, account.asset),
                rules.incoming_account(account.merchant_id, account.account_id, account.asset),
            )
        ],
    )
    return [
        MasterBalance(
            account,
            Money(found[2 * place].available, account.asset),
            Money(found[2 * place + 1].posted, account.asset),
            Money(found[2 * place].pending, account.asset),
        )
        for place, account in enumerate(accounts)
    ]


async def require_masters(tx: Transaction, keys: Sequence[tuple[int, Asset]]) -> list[MasterAccount | Refusal]:
    """Master accounts by merchant and asset, in order; MasterAccountNotProvisioned in the place of one that is not."""
    found = await store.find_many(tx, keys) if keys else {}
    return [found.get((merchant_id, asset.currency)) or _not_provisioned(asset) for merchant_id, asset in keys]


def _not_provisioned(asset: Asset) -> MasterAccountNotProvisioned:
    return MasterAccountNotProvisioned(
        f"There is no master account of {asset.currency}; ask the operator to provision one.",
        [FieldError("currency", "has no master account")],
    )


async def require_master(tx: Transaction, merchant_id: int, asset: Asset) -> MasterAccount:
    """A merchant's master account of a currency; raises MasterAccountNotProvisioned."""
    found = await store.find_many(tx, [(merchant_id, asset)])
    if not found:
        raise _not_provisioned(asset)
    return found[merchant_id, asset.currency]


def master_ledger_account(account: MasterAccount) -> Account:
    """The ledger account of what a merchant may spend of a currency, for a batch of a chapter above."""
    return rules.master_account(account.merchant_id, account.account_id, account.asset)
