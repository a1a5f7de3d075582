"""The desk as its operator sees it: what it holds, funding it, taking funds back."""

from __future__ import annotations

from dataclasses import dataclass

from bpn.audit import operations as audit
from bpn.audit.model import Decision
from bpn.chapters.orders.errors import InsufficientBalance
from bpn.chapters.orders.model import OrderTerms
from bpn.chapters.orders.rules.accounts import capital_account, desk_account
from bpn.database.pool import Transaction
from bpn.kernel.money import Money
from bpn.ledger import operations as ledger
from bpn.ledger.model import HOUSE, Account


@dataclass(frozen=True, slots=True)
class DeskHolding:
    """What the desk has of an asset, and what of the house's capital is free to fund it with."""

    held: Money
    free: Money


async def list_desk(terms: OrderTerms, tx: Transaction) -> list[DeskHolding]:
    """The desk's inventory of every asset."""
    assets = list(terms.assets)
    found = await ledger.balances(
        tx, [account for asset in assets for account in (desk_account(asset), capital_account(asset))]
    )
    return [
        DeskHolding(Money(found[2 * place].posted, asset), Money(found[2 * place + 1].posted, asset))
        for place, asset in enumerate(assets)
    ]


async def fund_desk(tx: Transaction, amount: Money, decision: Decision) -> Money:
    """Give the desk an amount of the house's capital (not approved: take it back); what it holds then.

    Raises:
        InsufficientBalance: the capital, or the desk, has less.
    """
    desk, capital = desk_account(amount.asset), capital_account(amount.asset)
    (before,) = await ledger.balances(tx, [desk])
    if decision.approved:
        await move_capital(tx, desk, amount, "orders.desk_funded")
    else:
        await ledger.post_one(tx, *ledger.across(tx, desk, capital, amount, "orders.desk_withdrawn", 0))
    (after,) = await ledger.balances(tx, [desk])
    held = Money(after.posted, amount.asset)
    await audit.record(
        tx,
        decision,
        merchant_id=HOUSE,
        action="desk.fund" if decision.approved else "desk.withdraw",
        subject_id=0,
        before=f"{Money(before.posted, amount.asset)} {amount.asset.code}",
        after=f"{held} {amount.asset.code}",
    )
    return held


async def move_capital(tx: Transaction, target: Account, amount: Money, code: str) -> None:
    """Move an amount of the house's capital; raises InsufficientBalance where it has less."""
    capital = capital_account(amount.asset)
    await ledger.post_one(tx, *ledger.across(tx, capital, target, amount, code, 0))
    # The account may stand on either side, so the ledger would let it go below zero; it is held now.
    (left,) = await ledger.balances(tx, [capital])
    if left.posted < 0:
        raise InsufficientBalance(
            f"The house's free capital of {amount.asset.code} is {Money(left.posted + amount.minor, amount.asset)}."
        )
