"""Final blocks once more: native coin, foreign tokens, failed transfers, and what an endpoint kept silent about."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import structlog
from prometheus_client import Counter

from bpn.chapters.wallet import operations
from bpn.chapters.wallet.jobs.evidence import numbered
from bpn.chapters.wallet.model import Network, WalletTerms
from bpn.chapters.wallet.model.reading import Arrival, UncreditedKind
from bpn.chapters.wallet.operations.survey import Survey
from bpn.jobs.job import TransactionOpener, job
from bpn.ports.readers import BlockTransaction, ChainReader, TransferLog

log = structlog.get_logger(__name__)
UNCREDITED = Counter("bpn_uncredited_total", "What arrived and is not credited.", ["network"])
MISSED = Counter("bpn_chain_missed_transfers_total", "Transfers that reading did not see at first.", ["network"])
_BLOCKS_AT_ONCE = 20


class SurveyJobs:
    """Looks through the final blocks of one network. Nothing is credited late by it, nothing waits for it."""

    def __init__(
        self, open_transaction: TransactionOpener, terms: WalletTerms, network: Network, reader: ChainReader
    ) -> None:
        self._open_transaction = open_transaction
        self._terms = terms
        self._network = network
        self._reader = reader
        self._contracts = {token.contract for token in network.tokens.values()}

    @job(every_seconds=15)
    async def survey_blocks(self) -> bool:
        """Look through a range of final blocks."""
        async with self._open_transaction() as tx:
            survey = await operations.plan_survey(tx, self._network)
        if survey is None:
            return False
        arrivals: list[Arrival] = []
        if survey.addresses:
            transfers = await self._reader.transfers_to(survey.addresses, survey.first, survey.last)
            await self._record_missed([seen for seen in transfers if self._is_credited(seen)])
            arrivals += [self._arrival(seen) for seen in transfers if not self._is_credited(seen)]
            arrivals += await self._from_blocks(survey)
        async with self._open_transaction() as tx:
            new = await operations.record_survey(tx, self._network, survey, arrivals)
        UNCREDITED.labels(self._network.name).inc(new)
        return True

    def _is_credited(self, seen: TransferLog) -> bool:
        return seen.contract in self._contracts and seen.amount > 0

    def _arrival(self, seen: TransferLog) -> Arrival:
        kind = UncreditedKind.ZERO_AMOUNT if seen.contract in self._contracts else UncreditedKind.UNKNOWN_TOKEN
        return Arrival(
            kind,
            seen.transaction_hash,
            seen.log_index,
            seen.block_number,
            seen.contract,
            seen.sender,
            seen.recipient,
            seen.amount,
        )

    async def _record_missed(self, transfers: Sequence[TransferLog]) -> None:
        """Have deposits on record that the endpoint which was read kept silent about."""
        if not transfers:
            return
        async with self._open_transaction() as tx:
            missed = await operations.find_missed(tx, self._network, list(numbered(transfers)))
        for hash_ in dict.fromkeys(seen.hash for seen in missed):
            receipt = await self._reader.receipt(hash_)
            if receipt is None or not receipt.succeeded:
                continue
            block = await self._reader.block(receipt.block_number)
            if block is None:
                continue
            made_at = datetime.fromtimestamp(block.timestamp, UTC)
            logs = [one for one in receipt.transfers if one.contract in self._contracts]
            seen = [replace(one, block_time=made_at) for one in numbered(logs)]
            async with self._open_transaction() as tx:
                count = await operations.record_missed(tx, self._network, seen)
            MISSED.labels(self._network.name).inc(count)
            log.error("chain.transfer_missed", network=self._network.name, hash=hash_, block=receipt.block_number)

    async def _from_blocks(self, survey: Survey) -> list[Arrival]:
        """Native coin and failed transfers, for which there are no events."""
        ours = set(survey.addresses)
        found: list[Arrival] = []
        for start in range(survey.first, survey.last + 1, _BLOCKS_AT_ONCE):
            numbers = range(start, min(start + _BLOCKS_AT_ONCE, survey.last + 1))
            blocks = await asyncio.gather(*(self._reader.transactions(number) for number in numbers))
            for transaction in (one for block in blocks for one in block):
                if transaction.sender == self._terms.hot_address:
                    continue  # gas that we send ourselves
                native = transaction.recipient in ours and transaction.value > 0
                asked = transaction.recipient in self._contracts and transaction.asked_recipient in ours
                if native or asked:
                    found += await self._of_transaction(transaction, native=native)
        return found

    async def _of_transaction(self, transaction: BlockTransaction, *, native: bool) -> list[Arrival]:
        receipt = await self._reader.receipt(transaction.hash)
        failed = receipt is not None and not receipt.succeeded
        if not native and not failed:
            return []
        recipient = transaction.recipient if native else transaction.asked_recipient
        return [
            Arrival(
                UncreditedKind.FAILED_TRANSACTION if failed else UncreditedKind.NATIVE_COIN,
                transaction.hash,
                0,
                transaction.block_number,
                None if native else transaction.recipient,
                transaction.sender,
                recipient or "",
                transaction.value if native else transaction.asked_amount or 0,
            )
        ]
