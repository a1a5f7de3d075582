"""Reading a network: new blocks, their transfers, what a reorg replaced, and booking what is final."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import structlog
from prometheus_client import Gauge

from bpn.chapters.wallet import operations
from bpn.chapters.wallet.jobs.evidence import collect_evidence, numbered
from bpn.chapters.wallet.model import Finality, Network, WalletTerms
from bpn.chapters.wallet.model.reading import ChainPosition, Reading, SeenTransfer
from bpn.chapters.wallet.operations.reading import ChainHead
from bpn.jobs.job import TransactionOpener, job
from bpn.ports.readers import Block, ChainReader, EndpointsDisagreeError, SourceUnavailableError

log = structlog.get_logger(__name__)
HEAD = Gauge("bpn_chain_head_number", "The newest block of a network.", ["network"])
BEHIND = Gauge("bpn_chain_blocks_behind", "Blocks of a network that are not read yet.", ["network"])
STOPPED = Gauge("bpn_chain_reading_stopped", "Whether the reading of a network waits for an operator.", ["network"])
DOUBTED = Gauge("bpn_chain_in_doubt", "Whether a network's endpoints disagree on what is final.", ["network"])
_BOOKED_AT_ONCE = 500


class ReadingJobs:
    """Reads one network."""

    def __init__(
        self, open_transaction: TransactionOpener, terms: WalletTerms, network: Network, reader: ChainReader
    ) -> None:
        self._open_transaction = open_transaction
        self._terms = terms
        self._network = network
        self._reader = reader
        self._range = network.read_range

    @job(every_seconds=1)
    async def read_blocks(self) -> bool:
        """Read new blocks in a bounded range, then book what is final."""
        head = await self._reader.head()
        final_number, doubt, final = await self._final(head)
        seen = ChainHead(head.number, head.hash, _time(head), final_number)
        async with self._open_transaction() as tx:
            position, known = await operations.plan_reading(tx, self._network, seen)
        STOPPED.labels(self._network.name).set(position.stopped is not None)
        if position.stopped is not None:
            return False
        first = await self._first_block(position, known, head)
        if first is None:
            return False
        if final is not None and final.number < first and known.get(final.number, final.hash) != final.hash:
            doubt = f"block {final.number} is {final.hash} for the network, and {known[final.number]} as read"
        last = await self._read_on(position, first, seen, doubt)
        decided = await self._book()
        return last < head.number or decided == _BOOKED_AT_ONCE

    async def _final(self, head: Block) -> tuple[int, str | None, Block | None]:
        """The newest final block's number, what speaks against the chain, and the block where it can be told."""
        finality = self._network.finality
        number = max(0, head.number - self._network.confirmations + 1)
        try:
            final = await self._reader.final_block(number if finality is Finality.CONFIRMATIONS else finality.value)
        except EndpointsDisagreeError as error:
            log.error("chain.in_doubt", network=self._network.name, error=str(error))  # noqa: TRY400 - said in the error
            return (number if finality is Finality.CONFIRMATIONS else 0), str(error), None
        return final.number, None, final

    async def _first_block(self, position: ChainPosition, known: dict[int, str], head: Block) -> int | None:
        """Where to read from: the next block, or the first that a reorg replaced; None where it went too deep."""
        for number in sorted(known, reverse=True):
            block = head if number == head.number else await self._reader.block(number)
            if block is not None and block.hash == known[number]:
                return number + 1
            if block is not None:
                log.warning("chain.reorg", network=self._network.name, block=number)
        if not known:
            return position.next_block
        if position.first_block >= head.number - self._network.reorg_depth:
            return position.first_block
        reason = f"A reorg replaced more than {self._network.reorg_depth} blocks, back to {min(known)} at least."
        async with self._open_transaction() as tx:
            await operations.stop_reading(tx, self._network.name, reason)
        STOPPED.labels(self._network.name).set(1)
        log.error("chain.reading_stopped", network=self._network.name, reason=reason)
        return None

    async def _read_on(self, position: ChainPosition, first: int, head: ChainHead, doubt: str | None) -> int:
        """Read a range and write it down; the last block read so far."""
        # What a reorg replaced is read as a whole: what only moved must not look gone.
        last = min(head.number, max(first + self._range - 1, position.next_block - 1))
        HEAD.labels(self._network.name).set(head.number)
        DOUBTED.labels(self._network.name).set(doubt is not None)
        BEHIND.labels(self._network.name).set(head.number - position.next_block + 1)
        if last < first:
            return head.number
        try:
            reading = await self._read(position.next_block, first, last, head, doubt)
        except SourceUnavailableError:
            self._range = max(1, self._range // 2)
            raise
        if reading is None:
            return first - 1
        async with self._open_transaction() as tx:
            recorded = await operations.record_blocks(tx, self._network, reading)
        if recorded:
            self._range = min(self._network.read_range, 2 * self._range)
        if last < head.number:
            log.info(
                "chain.catching_up",
                network=self._network.name,
                block=last,
                head=head.number,
                found=len(reading.transfers),
            )
        return last

    async def _read(
        self, expected_next: int, first: int, last: int, head: ChainHead, doubt: str | None
    ) -> Reading | None:
        """The transfers of a range with the hashes of its blocks; None when the chain moved under the reading."""
        contracts = [token.contract for token in self._network.tokens.values()]
        transfers = await self._reader.transfers(contracts, first, last)
        hashes, times = {}, {}
        # The last block's too, however deep: a network that is another one altogether is found out by it.
        for number in range(min(last, max(first, head.number - self._network.reorg_depth)), last + 1):
            if number == head.number:
                hashes[number], times[number] = head.hash, head.time
                continue
            block = await self._reader.block(number)
            if block is None:
                return None
            hashes[number], times[number] = block.hash, _time(block)
        if any(hashes.get(seen.block_number, seen.block_hash) != seen.block_hash for seen in transfers):
            return None
        seen = list(numbered(transfers))
        if not await self._add_older_times(seen, times):
            return None
        return Reading(
            self._network.name,
            expected_next,
            first,
            last,
            tuple(replace(transfer, block_time=times.get(transfer.block_number)) for transfer in seen),
            hashes,
            head.number,
            head.time,
            head.final_number,
            doubt,
        )

    async def _add_older_times(self, transfers: Sequence[SeenTransfer], times: dict[int, datetime]) -> bool:
        """Ask when older blocks were made that hold something of ours; false if one is gone."""
        older = [transfer for transfer in transfers if transfer.block_number not in times]
        if not older:
            return True
        async with self._open_transaction() as tx:
            numbers = await operations.find_blocks_of_ours(tx, self._network.name, older)
        for number in sorted(numbers):
            block = await self._reader.block(number)
            if block is None:
                return False
            times[number] = _time(block)
        return True

    async def _book(self) -> int:
        """Ask the network again about deposits in final blocks, and book those it vouches for; how many."""
        async with self._open_transaction() as tx:
            final = await operations.list_final(tx, self._network, _BOOKED_AT_ONCE)
        if not final:
            return 0
        evidence = await collect_evidence(self._reader, self._network, final)
        async with self._open_transaction() as tx:
            return await operations.confirm_deposits(self._terms, tx, self._network, evidence, _BOOKED_AT_ONCE)


def _time(block: Block) -> datetime:
    return datetime.fromtimestamp(block.timestamp, UTC)
