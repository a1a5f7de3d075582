"""Looking through final blocks once more: what arrived and is not credited, and what reading did not see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bpn.chapters.wallet.model import Network
from bpn.chapters.wallet.model.reading import Arrival, SeenTransfer, Uncredited
from bpn.chapters.wallet.store import chains, deposits, outgoing, uncredited, wallets
from bpn.database.pool import Transaction as DatabaseTransaction


@dataclass(frozen=True, slots=True)
class Survey:
    """The blocks to look through, and every deposit address of the network."""

    first: int
    last: int
    addresses: tuple[str, ...]


async def plan_survey(tx: DatabaseTransaction, network: Network) -> Survey | None:
    """The next final blocks that nobody has looked through; None when there are none, or the network is in doubt."""
    position = await chains.find_position(tx, network.name)
    if position is None or position.stopped or position.doubt or position.survey_block > position.final_number:
        return None
    last = min(position.final_number, position.survey_block + network.read_range - 1)
    return Survey(position.survey_block, last, tuple(await wallets.custody_addresses(tx, network.name)))


async def find_missed(
    tx: DatabaseTransaction, network: Network, transfers: Sequence[SeenTransfer]
) -> list[SeenTransfer]:
    """Those of these credited transfers whose transaction has fewer deposits on record than it has transfers.

    The places of `transfers` are not looked at.
    """
    owners = await wallets.find_owners(tx, network.name, sorted({seen.recipient for seen in transfers}))
    ours = [(owners[seen.recipient].merchant_id, seen.hash) for seen in transfers if seen.recipient in owners]
    recorded = await deposits.count_by_hash(tx, network.name, sorted(set(ours)))
    missing = {place for place, expected in Counter(ours).items() if recorded.get(place, 0) < expected}
    return [
        seen
        for seen in transfers
        if seen.recipient in owners and (owners[seen.recipient].merchant_id, seen.hash) in missing
    ]


async def record_survey(tx: DatabaseTransaction, network: Network, survey: Survey, arrivals: Sequence[Arrival]) -> int:
    """Put on record what is not credited, and move on; returns how many are new.

    Left out is what we sent to our own addresses: coins for the gas of sweeps.
    """
    position = await chains.lock_position(tx, network.name)
    if position is None or position.survey_block != survey.first:
        return 0
    owners = await wallets.find_owners(tx, network.name, sorted({arrival.recipient for arrival in arrivals}))
    own = await outgoing.known_hashes(tx, network.name, sorted({arrival.hash for arrival in arrivals}))
    rows = [
        Uncredited(
            owners[a.recipient].merchant_id, tx.ids.next(), owners[a.recipient].wallet_id, network.name, tx.now, a
        )
        for a in arrivals
        if a.recipient in owners and a.hash not in own
    ]
    await chains.save_position(tx, replace(position, survey_block=survey.last + 1))
    return await uncredited.insert(tx, rows) if rows else 0


async def list_uncredited(tx: DatabaseTransaction, *, before: int | None, limit: int) -> list[Uncredited]:
    """What arrived and is not credited, newest first, for the operator; `before` is an id."""
    return await uncredited.newest(tx, before, limit)
