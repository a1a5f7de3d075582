"""Reading a network: new blocks, their transfers, and what a reorg replaced."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import structlog

from bpn.chapters.wallet import operations
from bpn.chapters.wallet.model import Network, Reading, SeenTransfer, WalletTerms
from bpn.jobs.job import TransactionOpener, job
from bpn.ports.readers import Block, ChainReader, TransferLog

log = structlog.get_logger(__name__)


class ReadingJobs:
    """Reads one network."""

    def __init__(
        self, open_transaction: TransactionOpener, terms: WalletTerms, network: Network, reader: ChainReader
    ) -> None:
        self._open_transaction = open_transaction
        self._terms = terms
        self._network = network
        self._reader = reader

    @job(every_seconds=1)
    async def read_blocks(self) -> bool:
        """Read new blocks in a bounded range, then book what has enough confirmations."""
        head = await self._reader.head()
        head_time = datetime.fromtimestamp(head.timestamp, UTC)
        async with self._open_transaction() as tx:
            position, known = await operations.plan_reading(tx, self._network, head.number, head_time)
        first = await self._first_block(position.next_block, known)
        last = min(head.number, first + self._terms.read_range - 1)
        if first <= last:
            reading = await self._read(position.next_block, first, last, head)
            if reading is None:
                return True
            async with self._open_transaction() as tx:
                await operations.record_blocks(self._terms, tx, reading)
        async with self._open_transaction() as tx:
            await operations.confirm_deposits(self._terms, tx, self._network)
        return last < head.number

    async def _first_block(self, next_block: int, known: dict[int, str]) -> int:
        """Where to read from: `next_block`, or the first block that a reorg replaced."""
        for number in sorted(known, reverse=True):
            block = await self._reader.block(number)
            if block is not None and block.hash == known[number]:
                return number + 1
            log.warning("chain.reorg", network=self._network.name, block=number)
        return min(known, default=next_block)

    async def _read(self, expected_next: int, first: int, last: int, head: Block) -> Reading | None:
        """The transfers of a range with the hashes of its blocks; None when the chain moved under the reading."""
        contracts = [token.contract for token in self._network.tokens.values()]
        transfers = await self._reader.transfers(contracts, first, last)
        hashes = {}
        for number in range(max(first, head.number - self._terms.reorg_depth), last + 1):
            block = head if number == head.number else await self._reader.block(number)
            if block is None:
                return None
            hashes[number] = block.hash
        if any(hashes.get(seen.block_number, seen.block_hash) != seen.block_hash for seen in transfers):
            return None
        return Reading(
            self._network.name,
            expected_next,
            first,
            last,
            tuple(_numbered(transfers)),
            hashes,
            head.number,
            datetime.fromtimestamp(head.timestamp, UTC),
        )


def _numbered(transfers: Sequence[TransferLog]) -> Iterator[SeenTransfer]:
    """Transfers with their places in their transactions, in the chain's order."""
    counts: Counter[str] = Counter()
    for log_ in sorted(transfers, key=lambda transfer: (transfer.block_number, transfer.log_index)):
        hash_ = log_.transaction_hash
        yield SeenTransfer(
            log_.block_number,
            log_.block_hash,
            hash_,
            counts[hash_],
            log_.contract,
            log_.sender,
            log_.recipient,
            log_.amount,
        )
        counts[hash_] += 1
