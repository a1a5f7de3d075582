"""The wallet chapter's jobs: read the chain, release deposits, send withdrawals, keep prices fresh."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import structlog

from bpn.chapters.wallet import operations, rules
from bpn.chapters.wallet.model import (
    DepositChanged,
    Funds,
    Network,
    Outgoing,
    OutgoingState,
    Price,
    Reading,
    SeenTransfer,
    WalletTerms,
    WithdrawalChanged,
)
from bpn.chapters.wallet.operations.sending import ReceiptReport
from bpn.jobs.job import TransactionOpener, job
from bpn.kernel.clock import Clock
from bpn.ports.readers import (
    Block,
    ChainReader,
    GasFees,
    PriceReader,
    ScreeningReader,
    SourceUnavailableError,
    TransferLog,
)
from bpn.ports.senders import BroadcastOutcome, Signer, TokenTransfer, TransactionSender

log = structlog.get_logger(__name__)
_PREPARED_AT_ONCE = 50
_EXPIRED_AT_ONCE = 100
_REBROADCAST_AFTER = timedelta(seconds=30)


class ChainJobs:
    """The jobs of one network."""

    def __init__(
        self,
        open_transaction: TransactionOpener,
        terms: WalletTerms,
        network: Network,
        reader: ChainReader,
        sender: TransactionSender,
        signer: Signer,
        screening: ScreeningReader,
        clock: Clock,
    ) -> None:
        self._open_transaction = open_transaction
        self._terms = terms
        self._network = network
        self._reader = reader
        self._sender = sender
        self._signer = signer
        self._screening = screening
        self._clock = clock

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

    @job(every_seconds=5, after=(DepositChanged.name,))
    async def screen_deposits(self) -> bool:
        """Look up the senders of deposits, and release or freeze."""
        async with self._open_transaction() as tx:
            cases = await operations.list_screening(self._terms, tx, self._network.name)
        for case in cases:
            verdict = await self._screening.screen(case.address, case.names)
            async with self._open_transaction() as tx:
                await operations.decide_screening(tx, case, hit=verdict.hit, reason=verdict.reason)
        return False

    @job(every_seconds=30)
    async def expire_senders(self) -> bool:
        """Put deposits into suspense whose sender's details are overdue, some at a time."""
        async with self._open_transaction() as tx:
            expired = await operations.expire_senders(tx, self._network.name, _EXPIRED_AT_ONCE)
        return expired == _EXPIRED_AT_ONCE

    @job(every_seconds=2, after=(WithdrawalChanged.name,))
    async def send_withdrawals(self) -> bool:
        """Give nonces to withdrawals that wait, sign, broadcast."""
        funds = await self._funds()
        async with self._open_transaction() as tx:
            prepared = await operations.prepare_outgoing(self._terms, tx, self._network, funds, _PREPARED_AT_ONCE)
            due = await operations.list_outgoing(
                tx, self._network.name, [OutgoingState.PREPARED, OutgoingState.SIGNED, OutgoingState.BROADCAST]
            )
        for outgoing in due:
            signed = await self._signed(outgoing) if outgoing.state is OutgoingState.PREPARED else outgoing
            if self._is_due(signed):
                await self._broadcast(signed)
        return prepared == _PREPARED_AT_ONCE

    async def _funds(self) -> Funds:
        address = self._terms.hot_address
        contracts = [token.contract for token in self._network.tokens.values()]
        balances = await asyncio.gather(*(self._reader.token_balance(contract, address) for contract in contracts))
        fees = await self._reader.gas_fees()
        return Funds(
            dict(zip(contracts, balances, strict=True)),
            await self._reader.native_balance(address),
            await self._reader.transaction_count(address),
            fees.max_fee_per_gas,
            fees.max_priority_fee_per_gas,
        )

    async def _signed(self, outgoing: Outgoing) -> Outgoing:
        signed = await self._signer.sign(
            rules.HOT_KEY_INDEX,
            TokenTransfer(
                self._network.chain_id,
                outgoing.nonce,
                outgoing.contract,
                outgoing.recipient,
                outgoing.amount,
                outgoing.gas_limit,
                GasFees(outgoing.max_fee, outgoing.priority_fee),
            ),
        )
        async with self._open_transaction() as tx:
            return await operations.record_signature(tx, outgoing, signed.raw, signed.hash)

    def _is_due(self, outgoing: Outgoing) -> bool:
        sent_at = outgoing.broadcast_at
        return outgoing.raw is not None and (sent_at is None or self._clock.wall() - sent_at > _REBROADCAST_AFTER)

    async def _broadcast(self, outgoing: Outgoing) -> None:
        """Send the stored bytes. A nonce that is too low means that they, or others, are mined: the receipt tells."""
        outcome = await self._sender.broadcast(outgoing.raw or b"")
        taken = outcome in {BroadcastOutcome.ACCEPTED, BroadcastOutcome.ALREADY_KNOWN, BroadcastOutcome.NONCE_TOO_LOW}
        if not taken:
            log.error("withdrawal.not_taken", network=self._network.name, nonce=outgoing.nonce, outcome=outcome.value)
            return
        async with self._open_transaction() as tx:
            await operations.record_broadcast(tx, outgoing, self._clock.wall())

    @job(every_seconds=1)
    async def follow_withdrawals(self) -> bool:
        """Look for receipts of what was sent; settle those with enough confirmations."""
        async with self._open_transaction() as tx:
            sent = await operations.list_outgoing(
                tx, self._network.name, [OutgoingState.SIGNED, OutgoingState.BROADCAST, OutgoingState.MINED]
            )
        if not sent:
            return False
        head = await self._reader.head()
        mined = await self._reader.transaction_count(self._terms.hot_address)
        for outgoing in sent:
            await self._follow(outgoing, head.number, mined)
        return False

    async def _follow(self, outgoing: Outgoing, head_number: int, mined: int) -> None:
        """Look at one nonce; `mined` is how many the chain has of the hot wallet."""
        receipt = await self._reader.receipt(outgoing.hash or "")
        if receipt is None:
            taken = mined > outgoing.nonce
            if outgoing.state is OutgoingState.MINED:
                async with self._open_transaction() as tx:
                    await operations.record_receipt(tx, outgoing, None)
            elif taken or outgoing.taken_at_block is not None:
                async with self._open_transaction() as tx:
                    await operations.record_nonce(tx, self._network, outgoing, head_number, taken=taken)
            return
        if outgoing.block_number != receipt.block_number:
            async with self._open_transaction() as tx:
                await operations.record_receipt(tx, outgoing, receipt.block_number)
        if head_number - receipt.block_number + 1 >= self._network.confirmations:
            report = ReceiptReport(
                receipt.transaction_hash,
                receipt.block_number,
                receipt.succeeded,
                receipt.gas_used * receipt.effective_gas_price,
            )
            async with self._open_transaction() as tx:
                await operations.settle_outgoing(tx, self._network, outgoing, report)


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


class PriceJobs:
    """Keeps the USD prices of all currencies fresh."""

    def __init__(self, open_transaction: TransactionOpener, currencies: Sequence[str], source: PriceReader) -> None:
        self._open_transaction = open_transaction
        self._currencies = currencies
        self._source = source

    @job(every_seconds=30)
    async def refresh_prices(self) -> bool:
        """Ask the source for all prices at once; when it is down the last ones stand until they are too old."""
        try:
            quoted = await self._source.prices(self._currencies)
        except SourceUnavailableError as error:
            log.warning("prices.unavailable", source=self._source.source, error=str(error))
            return False
        prices = {currency: Price(price.usd, price.time, self._source.source) for currency, price in quoted.items()}
        async with self._open_transaction() as tx:
            await operations.record_prices(tx, prices)
        return False
