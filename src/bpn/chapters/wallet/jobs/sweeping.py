"""Deposit addresses are looked at, given gas, and swept from their own keys."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from prometheus_client import Counter, Gauge

from bpn.chapters.wallet import operations, rules
from bpn.chapters.wallet.jobs.carrier import Carrier
from bpn.chapters.wallet.model import DepositChanged, Network, WalletTerms
from bpn.chapters.wallet.model.outgoing import HOT_KEY_INDEX, OutgoingState, Purpose, WaitReason, Wanted
from bpn.chapters.wallet.model.sweeping import Sweepable, SweepLook
from bpn.chapters.wallet.operations.outgoing import FROM_HOT_WALLET
from bpn.jobs.job import Fact, Listener, Transaction, TransactionOpener, job
from bpn.ports.readers import ChainReader

log = structlog.get_logger(__name__)
DECIDED = Counter("bpn_sweeps_total", "Deposit addresses looked at, by what was decided.", ["network", "decision"])
UNDER_WAY = Gauge("bpn_sweeps_under_way", "Sweeps that are not done.", ["network"])
_WAITING_SEEN = 200
_SWEPT_AT_ONCE = 50
_UNMINED = (OutgoingState.PREPARED, OutgoingState.SIGNED, OutgoingState.BROADCAST)


def sweep_listener() -> Listener:
    """What notes where deposits were booked, in the relay's transaction."""

    async def hear(tx: Transaction, facts: Sequence[Fact]) -> None:
        await operations.mark_sweepable(tx, [fact for fact in facts if fact.name == DepositChanged.name])

    return Listener(frozenset({DepositChanged.name}), hear)


class SweepingJobs:
    """Sweeps the deposit addresses of one network."""

    def __init__(
        self,
        open_transaction: TransactionOpener,
        terms: WalletTerms,
        network: Network,
        reader: ChainReader,
        carrier: Carrier,
    ) -> None:
        self._open_transaction = open_transaction
        self._terms = terms
        self._network = network
        self._reader = reader
        self._carrier = carrier

    @job(every_seconds=10)
    async def plan_sweeps(self) -> bool:
        """Look at addresses where something was booked, and begin the sweeps that are worth their gas."""
        async with self._open_transaction() as tx:
            waiting = await operations.list_waiting(tx, self._network, FROM_HOT_WALLET, _WAITING_SEEN)
        contracts = [token.contract for token in self._network.tokens.values()]
        funds = await self._carrier.funds(self._terms.hot_address, (), contracts if waiting else ())
        async with self._open_transaction() as tx:
            candidates = await operations.list_sweepable(self._terms, tx, self._network, waiting, funds)
            UNDER_WAY.labels(self._network.name).set(len(await operations.list_sweeps(tx, self._network.name)))
        if candidates is None or funds.fees is None:
            return False
        looks = [await self._look(place, candidates.final_block) for place in candidates.places]
        async with self._open_transaction() as tx:
            decided = await operations.plan_sweeps(
                self._terms, tx, self._network, candidates, looks, funds.fees
            )  # fmt: skip
        for decision, count in decided.items():
            DECIDED.labels(self._network.name, decision).inc(count)
        return False

    async def _look(self, place: Sweepable, final_block: int) -> SweepLook:
        contract, hot = self._network.tokens[place.currency].contract, self._terms.hot_address
        final = await self._reader.token_balance(contract, place.address, final_block)
        balance = min(final, await self._reader.token_balance(contract, place.address)) if final else 0
        gas = await self._reader.transfer_gas(place.address, contract, hot, balance) if balance else None
        return SweepLook(
            place,
            balance,
            await self._reader.native_balance(place.address),
            gas,
            await self._reader.transfer_gas(hot, None, place.address, 1) if balance else None,
        )

    @job(every_seconds=3)
    async def send_sweeps(self) -> bool:
        """Give the addresses' own nonces to sweeps that have their gas, sign, broadcast."""
        async with self._open_transaction() as tx:
            ready = await operations.list_waiting(tx, self._network, [Purpose.SWEEP], _SWEPT_AT_ONCE)
        for wanted in ready:
            await self._prepare(wanted)
        async with self._open_transaction() as tx:
            due = await operations.list_outgoing(tx, self._network.name, _UNMINED)
        await self._carrier.carry([outgoing for outgoing in due if outgoing.key_index != HOT_KEY_INDEX])
        return False

    async def _prepare(self, wanted: Wanted) -> None:
        address = rules.sender_address(self._terms, wanted.key_index)
        funds = await self._carrier.funds(address, [wanted.call], [wanted.contract or ""])
        try:
            async with self._open_transaction() as tx:
                prepared = await operations.prepare_outgoing(
                    self._terms,
                    tx,
                    self._network,
                    funds,
                    _SWEPT_AT_ONCE,
                    key_index=wanted.key_index,
                    purposes=[Purpose.SWEEP],
                )
        except operations.NonceMismatchError:
            log.exception("sweep.nonce_mismatch", network=self._network.name, sender=wanted.key_index)
            return
        hopeless = {WaitReason.GAS, WaitReason.TOKENS, WaitReason.REVERTS} & prepared.waiting.keys()
        if hopeless:
            log.warning(
                "sweep.given_up", network=self._network.name, sender=wanted.key_index, reasons=sorted(hopeless)
            )  # fmt: skip
            async with self._open_transaction() as tx:
                await operations.give_sweep_up(tx, wanted.merchant_id, wanted.reference_id, min(hopeless))
