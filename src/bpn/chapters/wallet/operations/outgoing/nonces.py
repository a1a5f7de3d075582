"""Nonces that chain and intents do not agree on, and the operator's word on them."""

from __future__ import annotations

from dataclasses import replace

from bpn.audit import operations as audit
from bpn.audit.model import Decision
from bpn.chapters.wallet.errors import UnsupportedNetwork
from bpn.chapters.wallet.model import Network
from bpn.chapters.wallet.model.outgoing import HOT_KEY_INDEX, OutgoingState, Sender
from bpn.chapters.wallet.store import chains
from bpn.chapters.wallet.store import outgoing as store
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.kernel.errors import FieldError
from bpn.ledger.model import HOUSE


async def accept_nonces(tx: DatabaseTransaction, network: str, transaction_count: int, decision: Decision) -> Sender:
    """An operator's word that what the chain says of the hot wallet's nonces is right; sending goes on from there.

    Raises:
        UnsupportedNetwork: the network is not read here.
    """
    if await chains.find_position(tx, network) is None:
        raise UnsupportedNetwork(f"{network} is not read here.", [FieldError("network", "is unknown")])
    sender = await store.lock_sender(tx, network, HOT_KEY_INDEX)
    accepted = replace(sender, next_nonce=transaction_count)
    await store.save_sender(tx, accepted)
    await audit.record(
        tx,
        decision,
        merchant_id=HOUSE,
        action=f"nonces.accept {network}",
        subject_id=transaction_count,
        before=str(sender.next_nonce),
        after=str(transaction_count),
    )
    return accepted


async def missing_nonces(
    tx: DatabaseTransaction, network: Network, key_index: int, transaction_count: int
) -> list[int]:
    """Nonces that were given and that no open transfer owns, from the one that the chain expects on.

    Nothing behind such a nonce can be mined until something is sent with it.
    """
    (sender, *_) = await store.senders(tx, network.name, [key_index]) or [Sender(network.name, key_index, None)]
    if sender.next_nonce is None:
        return []
    unmined = await store.list_open(tx, network.name, list(OutgoingState), key_index)
    owned = {outgoing.nonce for outgoing in unmined}
    return [nonce for nonce in range(transaction_count, sender.next_nonce) if nonce not in owned]
