"""What the machine asks of a purpose: who waits, who may leave, and what arriving or failing means."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bpn.chapters.wallet.model import Network, WalletTerms
from bpn.chapters.wallet.model.outgoing import Outgoing, Wanted
from bpn.database.pool import Transaction as DatabaseTransaction


@dataclass(frozen=True, slots=True)
class Handling:
    """One purpose of outgoing transfers. Every function runs in the transaction that changes the transfer's state.

    Attributes:
        lock_waiting: `(tx, network, limit)`: the transfers that wait for a nonce, oldest first, their rows held; those
            that another worker holds are left to it.
        may_leave: checked again before a nonce is given; one that never may is rejected in here, others wait.
        prepared: it has a nonce and waits no more.
        moved: `outgoing.state`, hash or block has changed on its way, in either direction.
        arrived: mined, succeeded, with enough confirmations. Called once; false puts it off to a later round.
        failed: it never will arrive, and why: reverted, or another transaction has its nonce. Called once.
    """

    lock_waiting: Callable[[DatabaseTransaction, Network, int], Awaitable[list[Wanted]]]
    may_leave: Callable[[WalletTerms, DatabaseTransaction, Wanted], Awaitable[bool]]
    prepared: Callable[[DatabaseTransaction, Outgoing], Awaitable[None]]
    moved: Callable[[DatabaseTransaction, Outgoing], Awaitable[None]]
    arrived: Callable[[DatabaseTransaction, Network, Outgoing], Awaitable[bool]]
    failed: Callable[[DatabaseTransaction, Network, Outgoing, str], Awaitable[None]]
