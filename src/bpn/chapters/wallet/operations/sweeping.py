"""Which deposit addresses are swept: those where something was booked, and where it is worth its gas."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bpn.chapters.fx import operations as fx
from bpn.chapters.wallet import rules
from bpn.chapters.wallet.model import DepositChanged, Network, Status, WalletTerms
from bpn.chapters.wallet.model.outgoing import Fees, Funds, OutgoingState, Wanted
from bpn.chapters.wallet.model.sweeping import Sweep, Sweepable, SweepLook, SweepPlan, SweepRefusal, SweepState
from bpn.chapters.wallet.operations.outgoing.sweeps import move_sweep
from bpn.chapters.wallet.store import chains
from bpn.chapters.wallet.store import outgoing as outgoing_store
from bpn.chapters.wallet.store import sweeps as store
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.kernel.money import Money
from bpn.ledger import operations as ledger
from bpn.ledger.model import HOUSE, Transfer
from bpn.outbox import operations as outbox
from bpn.outbox.model import Fact

_BOOKED = frozenset({Status.SENDER_REQUIRED, Status.SCREENING, Status.COMPLETED, Status.REJECTED})


@dataclass(frozen=True, slots=True)
class SweepCandidates:
    """Addresses to look at, and the newest block whose deposits are booked."""

    places: tuple[Sweepable, ...]
    final_block: int
    short: frozenset[str]


async def mark_sweepable(tx: DatabaseTransaction, facts: Sequence[Fact]) -> None:
    """Have the addresses looked at at which deposits were booked."""
    booked = [
        content.transaction
        for content in (outbox.read(fact, DepositChanged) for fact in facts)
        if content.transaction.status in _BOOKED
    ]
    places = {
        (one.merchant_id, one.amount.asset.network or "", one.amount.asset.currency, one.to_address or "")
        for one in booked
    }
    if places:
        await store.mark(tx, sorted(places), tx.now)


async def list_sweepable(
    terms: WalletTerms, tx: DatabaseTransaction, network: Network, waiting: Sequence[Wanted], funds: Funds
) -> SweepCandidates | None:
    """The addresses to look at now; those first whose tokens the hot wallet is short of for what waits.

    None where sweeping is switched off, the network is in doubt, as many sweeps as allowed are under way, or there is
    nothing to look at.
    """
    position = await chains.find_position(tx, network.name)
    free = terms.sweeping.batch - len(await store.list_open(tx, network.name))
    if not terms.sweeping.enabled or free <= 0 or position is None or position.stopped or position.doubt:
        return None
    wanted: Counter[str] = Counter()
    for one in waiting:
        wanted[one.contract or ""] += one.amount
    short = frozenset(
        currency
        for currency, token in network.tokens.items()
        if wanted[token.contract] > funds.tokens.get(token.contract, 0)
    )
    places = await store.list_due(tx, network.name, sorted(short), tx.now, free)
    if not places:
        return None
    return SweepCandidates(tuple(places), position.final_number, short)


async def plan_sweeps(
    terms: WalletTerms,
    tx: DatabaseTransaction,
    network: Network,
    candidates: SweepCandidates,
    looks: Sequence[SweepLook],
    fees: Fees,
) -> Counter[str]:
    """Begin the sweeps that are worth it, let the other addresses rest; what was decided, counted by reason."""
    currencies = [*network.tokens, network.native.currency]
    quoted = {
        currency: fx.shown(price.value) for currency, price in (await fx.usd_prices(terms.fx, tx, currencies)).items()
    }
    under_way: Counter[tuple[int, str]] = Counter()
    for sweep in await store.list_open(tx, network.name):
        under_way[sweep.merchant_id, sweep.currency] += sweep.amount
    decided: Counter[str] = Counter()
    for look in looks:
        place, token = look.place, network.tokens[look.place.currency]
        await _book_found_coins(tx, network, look)
        (held,) = await ledger.balances(tx, [rules.custody_account(place.merchant_id, token.asset)])
        booked = -held.posted - under_way[place.merchant_id, place.currency]
        plan = rules.plan_sweep(
            token,
            network,
            replace(look, balance=min(look.balance, booked)),
            fees,
            quoted,
            short=place.currency in candidates.short,
        )
        if isinstance(plan, SweepRefusal):
            await store.rest(tx, place, None if look.balance == 0 else tx.now + terms.sweeping.recheck)
            decided[plan] += 1
            continue
        if await store.insert(tx, _sweep(tx, terms, network, look, plan)):
            under_way[place.merchant_id, place.currency] += plan.amount.minor
            decided["begun"] += 1
    return decided


def _sweep(tx: DatabaseTransaction, terms: WalletTerms, network: Network, look: SweepLook, plan: SweepPlan) -> Sweep:
    place = look.place
    return Sweep(
        merchant_id=place.merchant_id,
        sweep_id=tx.ids.next(),
        network=network.name,
        currency=place.currency,
        address=place.address,
        key_index=place.key_index,
        contract=network.tokens[place.currency].contract,
        recipient=terms.hot_address,
        amount=plan.amount.minor,
        top_up=plan.top_up,
        state=SweepState.NEEDS_GAS if plan.top_up else SweepState.READY,
        fail_reason=None,
        created_at=tx.now,
        completed_at=None,
    )


async def _book_found_coins(tx: DatabaseTransaction, network: Network, look: SweepLook) -> None:
    """Coins that strangers sent to the address: they are spent as gas, so the house's book has to know them."""
    sender = await outgoing_store.lock_sender(tx, network.name, look.place.key_index)
    found = look.native - sender.native
    unsettled = await outgoing_store.list_open(
        tx, network.name, [*outgoing_store.UNMINED, OutgoingState.MINED], look.place.key_index
    )
    if found <= 0 or unsettled:
        return
    native = network.native
    await ledger.post_one(
        tx,
        Transfer(
            tx.ids.next(),
            rules.deposit_gas_account(native),
            rules.found_coins_account(native),
            Money(found, native),
            "wallet.coins_found",
            HOUSE,
        ),
    )
    await outgoing_store.save_sender(tx, replace(sender, native=look.native))


async def give_sweep_up(tx: DatabaseTransaction, merchant_id: int, sweep_id: int, reason: str) -> None:
    """End a sweep that waits for its nonce in vain; its address is looked at anew, with what it was given by then."""
    sweep = await store.lock(tx, merchant_id, sweep_id)
    if sweep.state is SweepState.READY:
        await move_sweep(tx, sweep, SweepState.FAILED, reason)


async def list_sweeps(tx: DatabaseTransaction, network: str) -> list[Sweep]:
    """The sweeps of a network that are under way, oldest first."""
    return await store.list_open(tx, network)
