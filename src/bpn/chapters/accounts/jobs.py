"""The accounts chapter's jobs: open accounts, book what the bank tells, send payments, hand over mail."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from bpn.chapters.accounts import operations
from bpn.chapters.accounts.model import (
    AccountTerms,
    EmailScene,
    Opening,
    OpeningReport,
    OrderChanged,
    OutgoingBatch,
    OutgoingPayment,
    SubType,
    VirtualAccountChanged,
)
from bpn.jobs.job import Transaction, TransactionOpener, job
from bpn.ports.readers import BankParty, BankReader, ScreeningReader, SourceUnavailableError
from bpn.ports.senders import (
    AccountIssuer,
    AccountRequest,
    BankSender,
    ChargeBearer,
    Mail,
    Mailer,
    MailRefusedError,
    OpeningState,
    Payment,
    PaymentBatch,
)

log = structlog.get_logger(__name__)
_AT_ONCE = 100
_ENTRIES_AT_ONCE = 500
NameReader = Callable[[Transaction], Awaitable[dict[int, str]]]
"""Reads the names of all merchants by id."""


class BankJobs:
    """The jobs that speak to the bank."""

    def __init__(
        self,
        open_transaction: TransactionOpener,
        terms: AccountTerms,
        reader: BankReader,
        sender: BankSender,
        issuer: AccountIssuer,
        screening: ScreeningReader,
        names: NameReader,
    ) -> None:
        self._open_transaction = open_transaction
        self._terms = terms
        self._reader = reader
        self._sender = sender
        self._issuer = issuer
        self._screening = screening
        self._names = names

    @job(every_seconds=2, after=(VirtualAccountChanged.name,))
    async def open_accounts(self) -> bool:
        """Have the bank open accounts that were asked for, some at a time, all of them in turn."""
        after = 0
        while True:
            async with self._open_transaction() as tx:
                openings = await operations.list_openings(self._terms, tx, await self._names(tx), after, _AT_ONCE)
            for one in openings:
                after = one.account.account_id
                answer = await self._issuer.open(_request(one))
                if answer.state is OpeningState.PENDING:
                    continue
                report = OpeningReport(answer.numbers, answer.fail_reason)
                async with self._open_transaction() as tx:
                    await operations.record_opening(self._terms, tx, one.account, report)
            if len(openings) < _AT_ONCE:
                return False

    @job(every_seconds=10, after=(VirtualAccountChanged.name,))
    async def close_accounts(self) -> bool:
        """Tell the bank of accounts that were closed."""
        async with self._open_transaction() as tx:
            closings = await operations.list_closings(self._terms, tx, 0, _AT_ONCE)
        for account in closings:
            await self._issuer.close(str(account.account_id))
            async with self._open_transaction() as tx:
                await operations.record_closing(tx, account)
        return len(closings) == _AT_ONCE

    @job(every_seconds=1)
    async def read_bank_entries(self) -> bool:
        """Book what the bank tells; it is acknowledged once that is committed."""
        try:
            batch = await self._reader.read(_ENTRIES_AT_ONCE)
        except SourceUnavailableError as error:
            log.warning("bank.unavailable", source=self._reader.source, error=str(error))
            return False
        if batch is not None:
            async with self._open_transaction() as tx:
                await operations.record_entries(self._terms, tx, self._reader.source, batch.entries)
            await self._reader.acknowledge(batch.receipt)
        return batch is not None and batch.more

    @job(every_seconds=5)
    async def retry_reversals(self) -> bool:
        """Take back pay-ins that were told in the very moment in which they were taken back."""
        async with self._open_transaction() as tx:
            await operations.retry_reversals(self._terms, tx, self._reader.source)
        return False

    @job(every_seconds=1, after=(OrderChanged.name,))
    async def send_payments(self) -> bool:
        """Screen payees, decide which payments leave together, hand them to the bank."""
        await self._screen()
        async with self._open_transaction() as tx:
            prepared = await operations.prepare_batch(self._terms, tx)
        async with self._open_transaction() as tx:
            batches = await operations.list_unsent_batches(self._terms, tx, await self._names(tx))
        for batch in batches:
            try:
                await self._sender.pay(_batch(batch))
            except SourceUnavailableError as error:
                log.warning("bank.unavailable", source=self._sender.source, error=str(error))
                return False
            async with self._open_transaction() as tx:
                await operations.record_batch_sent(self._terms, tx, batch)
        return prepared == self._terms.batch_limit

    async def _screen(self) -> None:
        async with self._open_transaction() as tx:
            cases = await operations.list_payees_to_screen(self._terms, tx)
        for case in cases:
            verdict = await self._screening.screen(case.account, case.names)
            async with self._open_transaction() as tx:
                await operations.decide_payee(self._terms, tx, case, hit=verdict.hit, reason=verdict.reason)

    @job(every_seconds=5, after=(VirtualAccountChanged.name,))
    async def release_held(self) -> bool:
        """Let pay-ins through whose account is free again, give back those whose time is over."""
        async with self._open_transaction() as tx:
            decided = await operations.release_held(self._terms, tx, _AT_ONCE)
        return decided == _AT_ONCE


def _request(opening: Opening) -> AccountRequest:
    account, profile = opening.account, opening.profile
    return AccountRequest(
        request_id=str(account.account_id),
        currency=account.asset.currency,
        country=account.country,
        rail=account.rail,
        holder_name=opening.holder_name,
        holder_tax_id=profile.registration_number if profile.registration_country == account.country else None,
        dynamic=account.sub_type is SubType.DYNAMIC,
        amount=None if account.amount is None else str(account.amount),
        expires_at=account.expires_at,
        pix_key_type=account.pix_key_type,
        pix_key=profile.wished_pix_key,
    )


def _batch(batch: OutgoingBatch) -> PaymentBatch:
    return PaymentBatch(str(batch.batch_id), batch.created_at, tuple(_payment(one) for one in batch.payments))


def _payment(leaving: OutgoingPayment) -> Payment:
    order = leaving.order
    return Payment(
        end_to_end_id=str(order.order_id),
        rail=order.rail,
        currency=order.amount.asset.currency,
        amount=str(order.amount),
        payer_name=leaving.payer_name,
        payee=order.party or BankParty(),
        remittance=order.remark or order.purpose,
        charge_bearer=ChargeBearer(order.charge_bearer),
        pay_in_reference=leaving.pay_in_reference,
    )


_SUBJECTS = {
    EmailScene.CREATE_ACCOUNT: "Your code to open an account",
    EmailScene.PAYOUT: "Your code for a payout",
    EmailScene.ADD_BANK_ACCOUNT: "Your code to add a bank account",
}


class MailJobs:
    """The job that hands codes to the mail server."""

    def __init__(self, open_transaction: TransactionOpener, terms: AccountTerms, mailer: Mailer) -> None:
        self._open_transaction = open_transaction
        self._terms = terms
        self._mailer = mailer

    @job(every_seconds=1)
    async def send_email_codes(self) -> bool:
        """Hand codes over; what was sealed of them is forgotten then."""
        async with self._open_transaction() as tx:
            waiting = await operations.list_unsent_codes(self._terms, tx, _AT_ONCE)
        minutes = int(self._terms.code_lifetime.total_seconds()) // 60
        for unsent in waiting:
            mail = Mail(
                message_id=str(unsent.code_id),
                to=unsent.address,
                subject=_SUBJECTS[unsent.scene],
                text=f"Your code is {unsent.code}. It is good for {minutes} minutes and for one use.\n\n"
                "If you did not ask for it, somebody else did with your address: do not pass it on.\n",
            )
            try:
                await self._mailer.send(mail)
            except MailRefusedError:
                log.warning("email_code.refused", code_id=unsent.code_id)
            except SourceUnavailableError as error:
                log.warning("mail.unavailable", error=str(error))
                return False
            async with self._open_transaction() as tx:
                await operations.record_code_sent(tx, unsent)
        return len(waiting) == _AT_ONCE
