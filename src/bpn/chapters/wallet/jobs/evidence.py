"""What the network says of deposits when it is asked again, before they are booked."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import structlog

from bpn.chapters.wallet import rules
from bpn.chapters.wallet.model import Deposit, Network
from bpn.chapters.wallet.model.reading import Evidence, SeenTransfer
from bpn.ports.readers import ChainReader, Receipt, SourceUnavailableError, TransferLog

log = structlog.get_logger(__name__)
_ASKED_AT_ONCE = 16


async def collect_evidence(
    reader: ChainReader, network: Network, deposits: Sequence[Deposit]
) -> dict[int, Evidence | None]:
    """What the chain says of each deposit, by transaction id; absent where it cannot be asked or agreed on now."""
    slots = asyncio.Semaphore(_ASKED_AT_ONCE)
    receipts: dict[str, Receipt | None] = {}

    async def ask(hash_: str) -> None:
        async with slots:
            try:
                receipts[hash_] = await reader.receipt(hash_)
            except SourceUnavailableError as error:
                log.warning("deposit.not_proved", network=network.name, hash=hash_, error=str(error))

    await asyncio.gather(*(ask(hash_) for hash_ in {deposit.transaction.hash or "" for deposit in deposits}))
    contracts = {token.contract for token in network.tokens.values()}
    received = await _received(reader, network, deposits)
    evidence: dict[int, Evidence | None] = {}
    for deposit in deposits:
        hash_, transaction_id = deposit.transaction.hash or "", deposit.transaction.transaction_id
        if hash_ not in receipts or deposit not in received:
            continue
        receipt = receipts[hash_]
        if receipt is None:
            evidence[transaction_id] = None
            continue
        transfers = list(numbered([log_ for log_ in receipt.transfers if log_.contract in contracts]))
        seen = transfers[deposit.position] if deposit.position < len(transfers) else None
        evidence[transaction_id] = Evidence(receipt.block_hash, receipt.succeeded, seen, received[deposit])
    return evidence


async def _received(reader: ChainReader, network: Network, deposits: Sequence[Deposit]) -> Mapping[Deposit, int | None]:
    """What the balance of each deposit's address rose by, None for tokens whose word is taken for it."""
    received: dict[Deposit, int | None] = {}
    for deposit in deposits:
        token = network.tokens[deposit.transaction.amount.asset.currency]
        if not token.verify_received:
            received[deposit] = None
            continue
        try:
            received[deposit] = await _rise(reader, deposit)
        except SourceUnavailableError as error:
            log.warning("deposit.not_proved", network=network.name, hash=deposit.transaction.hash, error=str(error))
    return received


async def _rise(reader: ChainReader, deposit: Deposit) -> int:
    """What arrived of one deposit, among all that moved at its address in its block."""
    number, address = deposit.transaction.block_number or 0, deposit.transaction.to_address or ""
    moved = list(numbered(await reader.transfers([deposit.contract], number, number)))
    after = await reader.token_balance(deposit.contract, address, number)
    before = await reader.token_balance(deposit.contract, address, number - 1)
    arrived = [seen for seen in moved if seen.recipient == address]
    left = sum(seen.amount for seen in moved if seen.sender == address)
    amounts = rules.received_amounts([seen.amount for seen in arrived], after - before, left)
    # Of equal transfers in one transaction any will do: their places are counted among all tokens, not this one's.
    same = [
        amount
        for seen, amount in zip(arrived, amounts, strict=True)
        if (seen.hash, seen.amount) == (deposit.transaction.hash, deposit.transaction.amount.minor)
    ]
    return min(same, default=0)


def numbered(transfers: Sequence[TransferLog]) -> Iterator[SeenTransfer]:
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
