"""What operators see of the hot wallet and of what it sends, and the replacement they may order."""

from __future__ import annotations

from bpn.audit import operations as audit
from bpn.audit.model import Decision
from bpn.chapters.wallet import rules
from bpn.chapters.wallet.errors import TransactionNotFound
from bpn.chapters.wallet.model import Network
from bpn.chapters.wallet.model.outgoing import Fees, Funds, Outgoing, Placement, Sender
from bpn.chapters.wallet.operations.outgoing.following import plan_replacement
from bpn.chapters.wallet.operations.outgoing.preparing import FROM_HOT_WALLET, list_waiting
from bpn.chapters.wallet.store import outgoing as store
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.kernel.errors import InvalidState


async def explain_waiting(
    tx: DatabaseTransaction, network: Network, key_index: int, funds: Funds, limit: int
) -> list[Placement]:
    """What waits for a nonce of the hot wallet, oldest first, and why it would go on waiting now."""
    waiting = await list_waiting(tx, network, FROM_HOT_WALLET, limit)
    unmined = await store.list_open(tx, network.name, store.UNMINED, key_index)
    return rules.place(waiting, unmined, funds, network.gas)


async def find_sender(tx: DatabaseTransaction, network: str, key_index: int) -> Sender:
    """The nonces of an address."""
    found = await store.senders(tx, network, [key_index])
    return found[0] if found else Sender(network, key_index, None)


async def list_newest_outgoing(
    tx: DatabaseTransaction, network: str, key_index: int, limit: int
) -> list[Outgoing]:  # fmt: skip
    """The newest transfers of an address, settled ones too."""
    return await store.list_newest(tx, network, key_index, limit)


async def replace_outgoing(
    tx: DatabaseTransaction,
    network: Network,
    key_index: int,
    nonce: int,
    fees: Fees | None,
    decision: Decision,
) -> Fees:
    """Replace a transaction that is not mined at a higher fee now, without waiting for its time; the new fees.

    Raises:
        TransactionNotFound: no transfer owns that nonce.
        InvalidState: it is mined, not sent yet, or the cap leaves no room for a higher fee.
    """
    known = await store.lock(tx, network.name, key_index, nonce)
    if known is None:
        raise TransactionNotFound(f"Nothing was sent with nonce {nonce} of sender {key_index} on {network.name}.")
    if not await plan_replacement(tx, network, known, fees):
        raise InvalidState(
            f"Nonce {nonce} is {known.state}; what is sent and not mined can be replaced, up to the fee cap."
        )
    replaced = await store.lock(tx, network.name, key_index, nonce)
    offered = (replaced or known).newest.fees
    await audit.record(
        tx,
        decision,
        merchant_id=known.merchant_id,
        action=f"outgoing.replace {network.name}",
        subject_id=nonce,
        before=str(known.newest.fees.max_fee),
        after=str(offered.max_fee),
    )
    return offered
