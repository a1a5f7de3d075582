"""The bank of an installation: the simulated one in a sandbox, else the one that is configured."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal

from bpn.adapters.bank.iso20022.bank import FileBank
from bpn.adapters.bank.iso20022.number_pool import NumberPool
from bpn.adapters.bank.iso20022.terms import FileTerms, OwnAccount
from bpn.adapters.bank.simulated.bank import SimulatedBank
from bpn.banking.supported_accounts import supported_accounts
from bpn.kernel.clock import Clock
from bpn.ports.readers import BankReader
from bpn.ports.senders import AccountIssuer, BankSender
from bpn.ports.simulation import SandboxBank
from bpn.settings import BankSettings, Settings

SANDBOX_MONEY = Decimal(10_000_000)
"""What the sandbox's accounts begin with at the simulated bank: whole units of each currency."""


@dataclass(frozen=True, slots=True)
class Bank:
    """A bank behind its ports; `levers` only where it is simulated."""

    reader: BankReader
    sender: BankSender
    issuer: AccountIssuer
    levers: SandboxBank | None


@asynccontextmanager
async def open_bank(settings: Settings, database_url: str, clock: Clock) -> AsyncIterator[Bank | None]:
    """The bank of these settings, None where there is none; closed in the end."""
    if settings.bank is not None:
        terms = _file_terms(settings.bank)
        files = FileBank(terms)
        yield Bank(files, files, NumberPool(terms.directory), None)
        return
    if not settings.sandbox:
        yield None
        return
    opening = {account.currency: SANDBOX_MONEY for account in supported_accounts()}
    bank = SimulatedBank(database_url, clock, opening, settle_seconds=settings.sandbox_bank_seconds)
    await bank.start()
    try:
        yield Bank(bank, bank, bank, bank)
    finally:
        await bank.stop()


def _file_terms(bank: BankSettings) -> FileTerms:
    accounts = {
        currency.upper(): OwnAccount(account.number.replace(" ", ""), account.name, account.bic)
        for currency, account in bank.accounts.items()
    }
    return FileTerms(bank.directory, bank.initiator, accounts, bank.quiet_seconds)
