"""Withdrawals on their way: nonces, signatures, broadcasts, receipts."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog

from bpn.chapters.wallet import operations, rules
from bpn.chapters.wallet.model import (
    Funds,
    Network,
    Outgoing,
    OutgoingState,
    WalletTerms,
    WithdrawalChanged,
)
from bpn.chapters.wallet.operations.sending import ReceiptReport
from bpn.jobs.job import TransactionOpener, job
from bpn.kernel.clock import Clock
from bpn.ports.readers import ChainReader, GasFees
from bpn.ports.senders import BroadcastOutcome, Signer, TokenTransfer, TransactionSender

log = structlog.get_logger(__name__)
_PREPARED_AT_ONCE = 50
_REBROADCAST_AFTER = timedelta(seconds=30)


class SendingJobs:
    """Sends the withdrawals of one network."""

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
