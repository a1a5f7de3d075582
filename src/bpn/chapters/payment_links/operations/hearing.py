"""What the chapter makes of facts of the wallet: deposits at links' addresses, and refunds that have ended."""

from __future__ import annotations

from collections.abc import Sequence

from bpn.chapters.payment_links.model import LinkTerms
from bpn.chapters.payment_links.operations.receiving import follow_deposits
from bpn.chapters.payment_links.operations.refunds import follow_refund
from bpn.chapters.wallet.model import DepositChanged, DepositCleared, RefundChanged
from bpn.database.pool import Transaction
from bpn.outbox import operations as outbox
from bpn.outbox.model import Fact

HEARD = frozenset({DepositChanged.name, DepositCleared.name, RefundChanged.name})


async def hear_facts(terms: LinkTerms, tx: Transaction, facts: Sequence[Fact]) -> None:
    """Do what follows from facts, in the transaction that marks them as told."""
    deposits = []
    for fact in facts:
        if fact.name == RefundChanged.name:
            refund = outbox.read(fact, RefundChanged)
            await follow_refund(tx, refund.transaction)
        elif fact.name == DepositChanged.name:
            deposits.append(outbox.read(fact, DepositChanged).transaction)
        else:
            deposits.append(outbox.read(fact, DepositCleared).transaction)
    await follow_deposits(terms, tx, deposits)
