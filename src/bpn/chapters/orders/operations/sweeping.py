"""Finding funds that a lost fact left behind."""

from __future__ import annotations

from bpn.chapters.orders.model import EARMARK
from bpn.chapters.orders.operations.funding import Funds
from bpn.chapters.wallet import operations as wallet
from bpn.chapters.wallet.model import Transaction as Deposit
from bpn.database.pool import Transaction


def funds_of_deposit(deposit: Deposit) -> Funds | None:
    """What a cleared deposit brings to its order; None where it is not an order's."""
    if deposit.earmark is None or deposit.earmark.kind != EARMARK:
        return None
    return Funds(
        deposit.merchant_id, deposit.earmark.subject_id, deposit.transaction_id, deposit.amount, deposit.created_at
    )


async def list_waiting_deposits(tx: Transaction) -> list[Funds]:
    """Cleared deposits of orders that still wait, held."""
    deposits = await wallet.list_cleared(tx, EARMARK)
    return [funds for deposit in deposits if (funds := funds_of_deposit(deposit)) is not None]
