"""Sweeps and top-ups as the machine sees them: coins to a deposit address, then its tokens to the hot wallet."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bpn.chapters.wallet import rules
from bpn.chapters.wallet.model import Network, WalletTerms
from bpn.chapters.wallet.model.outgoing import HOT_KEY_INDEX, Outgoing, Purpose, Wanted
from bpn.chapters.wallet.model.sweeping import Sweep, SweepState
from bpn.chapters.wallet.operations.outgoing.handling import Handling
from bpn.chapters.wallet.store import outgoing as outgoing_store
from bpn.chapters.wallet.store import sweeps as store
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.kernel.money import Money
from bpn.ledger import operations as ledger
from bpn.ledger.model import Transfer

_REST_AFTER_FAILURE = timedelta(hours=1)


async def _lock_needing_gas(tx: DatabaseTransaction, network: Network, limit: int) -> list[Wanted]:
    return [
        Wanted(Purpose.TOP_UP, sweep.merchant_id, sweep.sweep_id, HOT_KEY_INDEX, None, sweep.address, sweep.top_up)
        for sweep in await store.lock_in(tx, network.name, SweepState.NEEDS_GAS, limit)
    ]


async def _lock_ready(tx: DatabaseTransaction, network: Network, limit: int) -> list[Wanted]:
    return [
        Wanted(
            Purpose.SWEEP,
            sweep.merchant_id,
            sweep.sweep_id,
            sweep.key_index,
            sweep.contract,
            sweep.recipient,
            sweep.amount,
        )
        for sweep in await store.lock_in(tx, network.name, SweepState.READY, limit)
    ]


async def _may_leave(terms: WalletTerms, tx: DatabaseTransaction, wanted: Wanted) -> bool:  # noqa: ARG001 - every purpose is asked alike
    """From one address of ours to another: nothing that was true when it was planned may forbid it now."""
    return True


async def _gas_prepared(tx: DatabaseTransaction, outgoing: Outgoing) -> None:
    await move_sweep(tx, await _lock(tx, outgoing), SweepState.TOPPING_UP)


async def _prepared(tx: DatabaseTransaction, outgoing: Outgoing) -> None:
    await move_sweep(tx, await _lock(tx, outgoing), SweepState.SENDING)


async def _moved(tx: DatabaseTransaction, outgoing: Outgoing) -> None:
    """Nobody is told of the house's own movements on their way."""


async def _gas_arrived(tx: DatabaseTransaction, network: Network, outgoing: Outgoing) -> bool:
    sweep = await _lock(tx, outgoing)
    native = network.native
    amount = Money(outgoing.amount, native)
    source, target = rules.hot_wallet_account(native), rules.deposit_gas_account(native)
    await ledger.post_one(tx, Transfer(tx.ids.next(), target, source, amount, "wallet.top_up", sweep.sweep_id))
    sender = await outgoing_store.lock_sender(tx, network.name, sweep.key_index)
    await outgoing_store.save_sender(tx, replace(sender, native=sender.native + outgoing.amount))
    await move_sweep(tx, sweep, SweepState.READY)
    return True


async def _arrived(tx: DatabaseTransaction, network: Network, outgoing: Outgoing) -> bool:
    """The tokens lie in the hot wallet now; put off while the ledger does not know that they lay at the address."""
    sweep = await _lock(tx, outgoing)
    asset = network.tokens[sweep.currency].asset
    custody = rules.custody_account(sweep.merchant_id, asset)
    (held,) = await ledger.balances(tx, [custody])
    if -held.posted < sweep.amount:
        return False
    amount = Money(sweep.amount, asset)
    hot = rules.hot_wallet_account(asset)
    await ledger.post_one(tx, *ledger.across(tx, hot, custody, amount, "wallet.sweep", sweep.sweep_id))
    await move_sweep(tx, sweep, SweepState.DONE)
    return True


async def _failed(tx: DatabaseTransaction, network: Network, outgoing: Outgoing, reason: str) -> None:  # noqa: ARG001 - every purpose is told the network
    sweep = await _lock(tx, outgoing)
    await move_sweep(tx, sweep, SweepState.FAILED, reason)
    # What failed on chain would fail again at once, and cost gas again.
    await store.rest_address(tx, sweep, tx.now + _REST_AFTER_FAILURE)


async def _lock(tx: DatabaseTransaction, outgoing: Outgoing) -> Sweep:
    return await store.lock(tx, outgoing.merchant_id, outgoing.reference_id)


async def move_sweep(tx: DatabaseTransaction, sweep: Sweep, state: SweepState, reason: str | None = None) -> None:
    """Change a sweep's state; the caller holds its row. An ended one has its address looked at again."""
    rules.check_sweep_transition(sweep.state, state)
    ended = state in {SweepState.DONE, SweepState.FAILED}
    await store.save(tx, replace(sweep, state=state, fail_reason=reason, completed_at=tx.now if ended else None))


TOP_UPS = Handling(_lock_needing_gas, _may_leave, _gas_prepared, _moved, _gas_arrived, _failed)
SWEEPS = Handling(_lock_ready, _may_leave, _prepared, _moved, _arrived, _failed)
