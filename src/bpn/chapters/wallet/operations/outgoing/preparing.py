"""Giving nonces: the intent, which nonce pays what, is committed before anything is signed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace

from bpn.chapters.wallet import rules
from bpn.chapters.wallet.model import Network, WalletTerms
from bpn.chapters.wallet.model.outgoing import (
    HOT_KEY_INDEX,
    Attempt,
    Funds,
    Outgoing,
    Placement,
    Preparation,
    Purpose,
    WaitReason,
    Wanted,
)
from bpn.chapters.wallet.operations.outgoing.purposes import HANDLINGS
from bpn.chapters.wallet.store import outgoing as store
from bpn.database.pool import Transaction as DatabaseTransaction

FROM_HOT_WALLET = tuple(purpose for purpose in Purpose if purpose is not Purpose.SWEEP)


class NonceMismatchError(Exception):
    """Chain and intents disagree on the nonces of an address."""


async def list_waiting(
    tx: DatabaseTransaction, network: Network, purposes: Collection[Purpose], limit: int
) -> list[Wanted]:
    """What waits for a nonce, by purpose in the order of the table, then oldest first."""
    return [
        wanted
        for purpose, handling in HANDLINGS.items()
        if purpose in purposes
        for wanted in await handling.lock_waiting(tx, network, limit)
    ]


async def prepare_outgoing(
    terms: WalletTerms,
    tx: DatabaseTransaction,
    network: Network,
    funds: Funds,
    limit: int,
    *,
    key_index: int = HOT_KEY_INDEX,
    purposes: Collection[Purpose] = FROM_HOT_WALLET,
) -> Preparation:
    """Give nonces of one address to what waits for them.

    Whether each may leave is checked again here. Where the address is short of the token or of gas, where gas is
    dearer than allowed or the network says that it would fail, a transfer waits and takes no nonce.

    Raises:
        NonceMismatchError: the address has sent more than is known here, as after a restored backup.
    """
    sender = await store.lock_sender(tx, network.name, key_index)
    if sender.next_nonce is not None and funds.transaction_count > sender.next_nonce:
        raise NonceMismatchError(
            f"{network.name}: the chain has {funds.transaction_count} transactions of sender {key_index}, and only"
            f" {sender.next_nonce} nonces were given here; nothing is sent until an operator accepts that"
        )
    unmined = await store.list_open(tx, network.name, store.UNMINED, key_index)
    nonce = funds.transaction_count if sender.next_nonce is None else sender.next_nonce
    first = nonce
    candidates = [
        wanted
        for wanted in await list_waiting(tx, network, purposes, limit)
        if wanted.key_index == key_index and await HANDLINGS[wanted.purpose].may_leave(terms, tx, wanted)
    ]
    waiting: Counter[WaitReason] = Counter()
    for placement in rules.place(candidates, unmined, funds, network.gas):
        if placement.waits_for is not None:
            waiting[placement.waits_for] += 1
            continue
        outgoing = _outgoing(tx, network, placement, nonce)
        await store.insert(tx, outgoing)
        await HANDLINGS[outgoing.purpose].prepared(tx, outgoing)
        nonce += 1
    if nonce > first:
        await store.save_sender(tx, replace(sender, next_nonce=nonce))
    return Preparation(nonce - first, waiting)


def _outgoing(tx: DatabaseTransaction, network: Network, placement: Placement, nonce: int) -> Outgoing:
    wanted = placement.wanted
    return Outgoing(
        network=network.name,
        key_index=wanted.key_index,
        nonce=nonce,
        purpose=wanted.purpose,
        merchant_id=wanted.merchant_id,
        reference_id=wanted.reference_id,
        contract=wanted.contract,
        recipient=wanted.recipient,
        amount=wanted.amount,
        gas_limit=placement.gas_limit,
        attempts=(Attempt(1, placement.fees, None, None, tx.clock.wall(), None),),
    )
