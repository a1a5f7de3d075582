"""What facts of wallet and accounts mean for collection orders and payouts."""

from __future__ import annotations

from collections.abc import Sequence

from bpn.chapters.accounts.model import OrderChanged
from bpn.chapters.provider.model import PAYOUT_EARMARK, ProviderTerms
from bpn.chapters.provider.operations.paying import follow_payout
from bpn.chapters.provider.operations.receiving import follow_deposits, follow_refund
from bpn.chapters.wallet.model import DepositChanged, DepositCleared, RefundChanged
from bpn.database.pool import Transaction
from bpn.outbox import operations as outbox
from bpn.outbox.model import Fact

HEARD = frozenset({DepositChanged.name, DepositCleared.name, RefundChanged.name, OrderChanged.name})


async def hear_facts(terms: ProviderTerms, tx: Transaction, facts: Sequence[Fact]) -> None:
    """Do what follows from facts, in the transaction that marks them as told."""
    deposits = []
    for fact in facts:
        if fact.name == RefundChanged.name:
            await follow_refund(terms, tx, outbox.read(fact, RefundChanged).transaction)
        elif fact.name == DepositChanged.name:
            deposits.append(outbox.read(fact, DepositChanged).transaction)
        elif fact.name == DepositCleared.name:
            deposits.append(outbox.read(fact, DepositCleared).transaction)
        elif f'"{PAYOUT_EARMARK}"' in fact.content:
            order = outbox.read(fact, OrderChanged).order
            if order.earmark == PAYOUT_EARMARK:
                await follow_payout(tx, order)
    await follow_deposits(terms, tx, deposits)
