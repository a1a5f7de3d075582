"""Carries prepared transfers to the chain and back: signs, broadcasts, replaces, follows. For every sending address."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

import structlog
from prometheus_client import Counter, Gauge

from bpn.chapters.wallet import operations, rules
from bpn.chapters.wallet.model import Network, WalletTerms
from bpn.chapters.wallet.model.outgoing import (
    Attempt,
    Call,
    Fees,
    Funds,
    NonceTaken,
    Outgoing,
    OutgoingState,
    Preparation,
    ReceiptReport,
    WaitReason,
)
from bpn.jobs.job import TransactionOpener
from bpn.kernel.clock import Clock
from bpn.ports.readers import ChainReader, GasFees, SourceUnavailableError
from bpn.ports.senders import BroadcastOutcome, ChainTransfer, Signer, TransactionSender

log = structlog.get_logger(__name__)
WAITING = Gauge(
    "bpn_outgoing_waiting", "Transfers that wait for a nonce, by network and reason.", ["network", "reason"]
)
UNMINED = Gauge("bpn_outgoing_unmined", "Transfers with a nonce that are not mined yet.", ["network"])
GAPS = Gauge("bpn_outgoing_gaps", "Senders whose next nonce no node knows, though later ones were sent.", ["network"])
REPLACED = Counter("bpn_outgoing_replaced_total", "Transactions replaced at a higher fee.", ["network"])
NOT_TAKEN = Counter("bpn_outgoing_not_taken_total", "Broadcasts that a node refused.", ["network", "outcome"])
NOT_SIGNED = Counter("bpn_outgoing_not_signed_total", "Signatures that the signer did not give.", ["network"])
_TAKEN = {BroadcastOutcome.ACCEPTED, BroadcastOutcome.ALREADY_KNOWN, BroadcastOutcome.NONCE_TOO_LOW}


async def read_fees(reader: ChainReader, network: Network) -> Fees | None:
    """Fees with which a transaction sent now should be mined soon; None where that is above the cap."""
    asked = await reader.gas_fees()
    offered = Fees(asked.max_fee_per_gas, asked.max_priority_fee_per_gas)
    return rules.capped_fees(offered, asked.base_fee_per_gas, network.gas.fee_cap)


async def read_funds(
    reader: ChainReader, network: Network, address: str, calls: Iterable[Call], contracts: Sequence[str]
) -> Funds:
    """What a sending address has, and what each of these calls would need."""
    gas = {
        call: await reader.transfer_gas(address, call.contract, call.recipient, call.amount)
        for call in dict.fromkeys(calls)
    }
    return Funds(
        {contract: await reader.token_balance(contract, address) for contract in contracts},
        await reader.native_balance(address),
        await reader.transaction_count(address),
        await read_fees(reader, network),
        gas,
    )


class Carrier:
    """One network's way out. Each step is committed before the next; any worker may take any step."""

    def __init__(
        self,
        open_transaction: TransactionOpener,
        terms: WalletTerms,
        network: Network,
        reader: ChainReader,
        sender: TransactionSender,
        signer: Signer,
        clock: Clock,
    ) -> None:
        self._open_transaction = open_transaction
        self._terms = terms
        self._network = network
        self._reader = reader
        self._sender = sender
        self._signer = signer
        self._clock = clock

    async def funds(self, address: str, calls: Iterable[Call], contracts: Sequence[str]) -> Funds:
        """What a sending address has, and what each of these calls would need."""
        return await read_funds(self._reader, self._network, address, calls, contracts)

    async def carry(self, outgoing: Sequence[Outgoing]) -> None:
        """Sign what is not signed, send what is due. One that the signer does not sign holds up no other."""
        for one in outgoing:
            try:
                signed = await self._signed(one) if one.newest.hash is None else one
            except SourceUnavailableError as error:
                NOT_SIGNED.labels(self._network.name).inc()
                log.error(  # noqa: TRY400 - the signer's answer says all, where it was asked does not
                    "outgoing.not_signed", network=self._network.name, sender=one.key_index, error=str(error)
                )
                continue
            if self._is_due(signed.newest):
                await self._broadcast(signed)

    async def _signed(self, outgoing: Outgoing) -> Outgoing:
        attempt = outgoing.newest
        signed = await self._signer.sign(
            outgoing.key_index,
            ChainTransfer(
                self._network.chain_id,
                outgoing.nonce,
                outgoing.contract,
                outgoing.recipient,
                outgoing.amount,
                outgoing.gas_limit,
                GasFees(attempt.fees.max_fee, attempt.fees.priority_fee),
            ),
        )
        async with self._open_transaction() as tx:
            return await operations.record_signature(tx, outgoing, attempt.number, signed.raw, signed.hash)

    def _is_due(self, attempt: Attempt) -> bool:
        if attempt.raw is None:
            return False
        return attempt.sent_at is None or self._clock.wall() - attempt.sent_at > self._network.gas.rebroadcast_after

    async def _broadcast(self, outgoing: Outgoing) -> None:
        """Send the newest bytes, and where no node takes them (a replacement it finds too cheap) those before."""
        for attempt in reversed(outgoing.attempts):
            if self._is_due(attempt) and await self._is_taken(outgoing, attempt):
                break

    async def _is_taken(self, outgoing: Outgoing, attempt: Attempt) -> bool:
        """Send stored bytes. A nonce that is too low means that they, or others, are mined: the receipt tells."""
        outcome = await self._sender.broadcast(attempt.raw or b"")
        if outcome not in _TAKEN:
            NOT_TAKEN.labels(self._network.name, outcome.value).inc()
            log.error(
                "outgoing.not_taken",
                network=self._network.name,
                sender=outgoing.key_index,
                nonce=outgoing.nonce,
                purpose=outgoing.purpose.value,
                outcome=outcome.value,
            )
            return False
        async with self._open_transaction() as tx:
            await operations.record_broadcast(tx, outgoing, attempt.number, self._clock.wall())
        return True

    async def follow(self, sent: Sequence[Outgoing]) -> None:
        """Look for receipts, settle what has enough confirmations, replace what is stuck, report gaps."""
        head = await self._reader.head()
        fees = await read_fees(self._reader, self._network) if sent else None
        gaps = unmined = 0
        groups = {key_index: list(group) for key_index, group in groupby(sent, key=lambda one: one.key_index)}
        for key_index, outgoings in groups.items():
            address = rules.sender_address(self._terms, key_index)
            mined = await self._reader.transaction_count(address)
            for outgoing in outgoings:
                await self._follow(outgoing, address, head.number, mined)
            waiting = [one for one in outgoings if one.nonce >= mined and one.state is not OutgoingState.MINED]
            unmined += len(waiting)
            await self._replace_stuck(waiting, fees)
            gaps += await self._has_gap(key_index, waiting, mined)
        GAPS.labels(self._network.name).set(gaps)
        UNMINED.labels(self._network.name).set(unmined)

    async def _follow(self, outgoing: Outgoing, address: str, head_number: int, mined: int) -> None:
        """Look at one nonce; `mined` is how many the chain has of the sending address."""
        receipt = None
        for hash_ in outgoing.hashes:
            receipt = receipt or await self._reader.receipt(hash_)
        if receipt is None:
            await self._follow_unmined(outgoing, address, head_number, mined)
            return
        if (outgoing.block_number, outgoing.hash) != (receipt.block_number, receipt.transaction_hash):
            async with self._open_transaction() as tx:
                await operations.record_receipt(tx, outgoing, receipt.block_number, receipt.transaction_hash)
        if head_number - receipt.block_number + 1 >= self._network.confirmations:
            report = ReceiptReport(
                receipt.transaction_hash,
                receipt.block_number,
                receipt.succeeded,
                receipt.gas_used * receipt.effective_gas_price,
            )
            async with self._open_transaction() as tx:
                await operations.settle_outgoing(tx, self._network, outgoing, report)

    async def _follow_unmined(self, outgoing: Outgoing, address: str, head_number: int, mined: int) -> None:
        if outgoing.state is OutgoingState.MINED:
            async with self._open_transaction() as tx:
                await operations.record_receipt(tx, outgoing, None)
            return
        if mined <= outgoing.nonce and outgoing.taken_at_block is None:
            return
        # What took the nonce is looked at, not guessed: it may be an attempt whose record was lost.
        found = await self._reader.transaction_at_nonce(address, outgoing.nonce) if mined > outgoing.nonce else None
        if found is not None and found.hash in outgoing.hashes:
            return
        taken = None
        if found is not None:
            does = None if found.recipient is None else Call(found.contract, found.recipient, found.amount)
            taken = NonceTaken(found.hash, does == outgoing.call)
            log.warning("outgoing.nonce_taken", network=self._network.name, nonce=outgoing.nonce, hash=found.hash)
        async with self._open_transaction() as tx:
            await operations.record_nonce(tx, self._network, outgoing, head_number, taken)

    async def _replace_stuck(self, waiting: Sequence[Outgoing], fees: Fees | None) -> None:
        """Replace the transaction that the chain expects next, and those that offer less than it asks now."""
        now = self._clock.wall()
        for place, outgoing in enumerate(waiting):
            attempt = outgoing.newest
            # One that no node takes for its fee, because the base fee rose meanwhile, is stuck as well.
            if attempt.raw is None or now - attempt.planned_at < self._network.gas.replace_after:
                continue
            if place > 0 and (fees is None or attempt.fees.max_fee >= fees.max_fee):
                continue
            async with self._open_transaction() as tx:
                replaced = await operations.plan_replacement(tx, self._network, outgoing, fees)
            if replaced:
                REPLACED.labels(self._network.name).inc()
            log.warning(
                "outgoing.replaced" if replaced else "outgoing.stuck_at_fee_cap",
                network=self._network.name,
                sender=outgoing.key_index,
                nonce=outgoing.nonce,
                attempts=len(outgoing.attempts) + replaced,
            )

    async def recheck(self, depth: int) -> None:
        """Find what was settled and then removed or moved by a deep reorg, and carry it again."""
        head = await self._reader.head()
        async with self._open_transaction() as tx:
            settled = await operations.list_settled(tx, self._network.name, head.number - depth)
        for outgoing in settled:
            receipt = await self._reader.receipt(outgoing.hash or "")
            if receipt is not None and receipt.block_number == outgoing.block_number:
                continue
            async with self._open_transaction() as tx:
                await operations.reopen_outgoing(tx, outgoing)
            log.error(
                "outgoing.removed", network=self._network.name, sender=outgoing.key_index, nonce=outgoing.nonce
            )  # fmt: skip

    async def _has_gap(self, key_index: int, waiting: Sequence[Outgoing], mined: int) -> bool:
        """Whether no node knows the next nonce of an address though later ones were sent: nothing moves until it does.

        Either nothing here owns the nonce, or a node has forgotten or never taken what does.
        """
        async with self._open_transaction() as tx:
            missing = await operations.missing_nonces(tx, self._network, key_index, mined)
        later = any(one.nonce > mined and one.newest.sent_at is not None for one in waiting)
        if not missing:
            first = waiting[0] if waiting and waiting[0].nonce == mined else None
            if first is None or not later:
                return False
            for hash_ in first.hashes:
                if await self._reader.knows_transaction(hash_):
                    return False
            missing = [first.nonce]
        log.error("outgoing.nonce_gap", network=self._network.name, sender=key_index, nonces=missing[:10])
        return True

    def report(self, preparation: Preparation) -> None:
        """Say how many wait for a nonce, and why."""
        for reason in WaitReason:
            WAITING.labels(self._network.name, reason.value).set(preparation.waiting.get(reason, 0))
        if preparation.waiting:
            log.warning("outgoing.waiting", network=self._network.name, reasons=dict(preparation.waiting))
