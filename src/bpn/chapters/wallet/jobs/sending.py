"""What the hot wallet sends: withdrawals, refunds, gas for deposit addresses."""

from __future__ import annotations

from bpn.chapters.wallet import operations
from bpn.chapters.wallet.jobs.carrier import Carrier
from bpn.chapters.wallet.jobs.screening import screened
from bpn.chapters.wallet.model import Network, RefundChanged, WalletTerms, WithdrawalChanged
from bpn.chapters.wallet.model.outgoing import HOT_KEY_INDEX, OutgoingState
from bpn.chapters.wallet.operations.outgoing import FROM_HOT_WALLET
from bpn.jobs.job import TransactionOpener, job
from bpn.ports.readers import ScreeningReader

_PREPARED_AT_ONCE = 50
_UNMINED = (OutgoingState.PREPARED, OutgoingState.SIGNED, OutgoingState.BROADCAST)
_SENT = (OutgoingState.SIGNED, OutgoingState.BROADCAST, OutgoingState.MINED)


class SendingJobs:
    """Sends what leaves the hot wallet of one network, and follows all that was sent there."""

    def __init__(
        self,
        open_transaction: TransactionOpener,
        terms: WalletTerms,
        network: Network,
        carrier: Carrier,
        screening: ScreeningReader,
    ) -> None:
        self._open_transaction = open_transaction
        self._terms = terms
        self._network = network
        self._carrier = carrier
        self._screening = screening

    @job(every_seconds=2, after=(WithdrawalChanged.name, RefundChanged.name))
    async def send_outgoing(self) -> bool:
        """Look recipients up once more, give nonces to what waits, sign, broadcast."""
        await self._screen()
        async with self._open_transaction() as tx:
            waiting = await operations.list_waiting(tx, self._network, FROM_HOT_WALLET, _PREPARED_AT_ONCE)
        contracts = [token.contract for token in self._network.tokens.values()]
        funds = await self._carrier.funds(
            self._terms.hot_address, (wanted.call for wanted in waiting), contracts
        )  # fmt: skip
        async with self._open_transaction() as tx:
            prepared = await operations.prepare_outgoing(self._terms, tx, self._network, funds, _PREPARED_AT_ONCE)
            due = await operations.list_outgoing(tx, self._network.name, _UNMINED, HOT_KEY_INDEX)
        self._carrier.report(prepared)
        await self._carrier.carry(due)
        return prepared.given >= _PREPARED_AT_ONCE

    async def _screen(self) -> None:
        """Who cannot be looked up waits without a nonce; others go on."""
        async with self._open_transaction() as tx:
            cases = await operations.list_unscreened_withdrawals(
                self._terms, tx, self._network.name, _PREPARED_AT_ONCE
            )  # fmt: skip
        for case in cases:
            verdict = await screened(self._screening, case)
            if verdict is None:
                return
            async with self._open_transaction() as tx:
                await operations.record_recipient_screening(
                    self._terms, tx, case, hit=verdict.hit, reason=verdict.reason
                )  # fmt: skip

    @job(every_seconds=60)
    async def recheck_settled(self) -> bool:
        """Find what a deep reorg removed although it was settled."""
        await self._carrier.recheck(self._network.reorg_depth)
        return False

    @job(every_seconds=1)
    async def follow_outgoing(self) -> bool:
        """Look at what was sent: receipts, confirmations, what is stuck, gaps."""
        async with self._open_transaction() as tx:
            sent = await operations.list_outgoing(tx, self._network.name, _SENT)
        await self._carrier.follow(sent)
        return False
