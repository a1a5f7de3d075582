"""Virtual accounts: asked for, opened by the bank, shown, closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bpn.banking.numbers import InvalidNumberError
from bpn.banking.pix_keys import PixKeyKind, parse_pix_key
from bpn.banking.supported_accounts import SupportedAccount, supported_accounts
from bpn.chapters.accounts import events, rules
from bpn.chapters.accounts.errors import AccountHasOpenOrders, InvalidState, VirtualAccountNotFound
from bpn.chapters.accounts.model import (
    AccountFilter,
    AccountStatus,
    AccountTerms,
    EmailScene,
    Opening,
    OpeningReport,
    Profile,
    SubType,
    VirtualAccount,
)
from bpn.chapters.accounts.operations.codes import check_email_code
from bpn.chapters.accounts.operations.masters import require_master
from bpn.chapters.accounts.operations.sub_users import require_sub_user
from bpn.chapters.accounts.store import accounts as store
from bpn.chapters.accounts.store import orders
from bpn.controls.model import Operation
from bpn.database.pool import Transaction
from bpn.kernel.errors import FieldError, InvalidRequest
from bpn.kernel.ids import random_token
from bpn.kernel.money import Money

_CLOSABLE = frozenset({AccountStatus.SUCCESS, AccountStatus.RESTRICTED})


@dataclass(frozen=True, slots=True)
class AccountCommand:
    """Open a virtual account. `amount` and `expires_at` are of a dynamic code."""

    merchant_id: int
    currency: str
    country: str | None
    rail: str | None
    sub_type: SubType
    pix_key_type: str | None
    pix_key: str | None
    amount: Money | None
    expires_at: datetime | None
    sub_user_id: str | None
    profile: Profile
    email_code: str | None = None


@dataclass(frozen=True, slots=True)
class AccountPage:
    """A page of accounts and how many match."""

    total: int
    accounts: list[VirtualAccount]


async def create_virtual_account(terms: AccountTerms, tx: Transaction, command: AccountCommand) -> VirtualAccount:
    """Ask for an account; a job has the bank open it.

    Raises:
        EmailCodeRequired, EmailCodeInvalid: the merchant's setting demands a code.
        UnsupportedCurrency, UnsupportedRail: not offered.
        InvalidRequest: a field of the profile is missing, a key is none, an amount without a dynamic code.
        MasterAccountNotProvisioned: the merchant has no master account of the currency.
        KybRequired: the sub user has not been approved.
        ServicePaused: pay-ins of the currency are switched off.
    """
    await check_email_code(
        terms, tx, command.merchant_id, EmailScene.CREATE_ACCOUNT, command.profile.email, command.email_code
    )
    return await _create(terms, tx, command, earmark=None)


async def open_earmarked_account(
    terms: AccountTerms, tx: Transaction, command: AccountCommand, earmark: str
) -> VirtualAccount:
    """Ask for an account that belongs to something of a chapter above, named by `earmark`.

    Its pay-ins end SUCCESS, told by `OrderChanged` with the earmark, and wait outside the master until
    `release_pay_ins` says where to. Refuses as `create_virtual_account`.
    """
    return await _create(terms, tx, command, earmark=earmark)


async def _create(
    terms: AccountTerms, tx: Transaction, command: AccountCommand, *, earmark: str | None
) -> VirtualAccount:
    supported = rules.find_supported(command.currency, command.country)
    rail = rules.find_rail(supported, command.rail)
    rules.check_sub_type(supported, rail.rail, command.sub_type)
    wished = _check_codes(command, supported)
    if earmark is None:
        needed = rules.needs_profile(command.currency, command.sub_type, command.pix_key_type)
        rules.check_profile(command.profile, mandatory=needed)
    master = await require_master(tx, command.merchant_id, rules.find_asset(command.currency))
    view = await terms.controls.view(tx)
    view.require_running(command.merchant_id, Operation.PAYIN, master.asset)
    await require_sub_user(terms, tx, command.merchant_id, command.sub_user_id)
    account = VirtualAccount(
        merchant_id=command.merchant_id,
        account_id=tx.ids.next(),
        primary_account_id=master.account_id,
        asset=master.asset,
        country=supported.country,
        rail=rail.rail,
        sub_type=command.sub_type,
        status=AccountStatus.INIT,
        fail_reason=None,
        sub_user_id=command.sub_user_id,
        customer_type=command.profile.customer_type,
        pix_key_type=command.pix_key_type,
        amount=command.amount,
        expires_at=command.expires_at,
        token=random_token(),
        earmark=earmark,
        restricted_until=None,
        created_at=tx.now,
        updated_at=tx.now,
    )
    await store.insert(tx, terms.cipher, account, replace(command.profile, wished_pix_key=wished))
    await events.account_changed(tx, account)
    return account


def _check_codes(command: AccountCommand, supported: SupportedAccount) -> str | None:
    """The PIX key wished for, in its one spelling; raises InvalidRequest where codes and keys do not fit."""
    dynamic = command.sub_type is SubType.DYNAMIC
    for field, given in (("amount", command.amount), ("expiresIn", command.expires_at)):
        if given is not None and not dynamic:
            raise InvalidRequest.of(field, "is of DYNAMIC accounts only")
    if command.pix_key_type is None:
        if command.pix_key is not None:
            raise InvalidRequest.of("pixKeyType", "is required with pixKey")
        return None
    if command.pix_key_type not in supported.pix_key_types:
        raise InvalidRequest.of("pixKeyType", "is of BRL accounts only")
    if command.pix_key is None:
        return None
    try:
        return parse_pix_key(command.pix_key, PixKeyKind(command.pix_key_type)).value
    except InvalidNumberError as error:
        raise InvalidRequest.of("pixKey", str(error)) from None


async def get_virtual_account(
    terms: AccountTerms, tx: Transaction, merchant_id: int, account_id: int
) -> VirtualAccount:
    """An account of the merchant; raises VirtualAccountNotFound."""
    account = await store.find(tx, terms.cipher, merchant_id, account_id)
    if account is None:
        raise _unknown(account_id)
    return account


async def list_virtual_accounts(
    terms: AccountTerms,
    tx: Transaction,
    merchant_id: int,
    filters: AccountFilter,
    *,
    before: int | None,
    offset: int,
    limit: int,
) -> AccountPage:
    """Accounts of a merchant that match all filters, newest first."""
    total, found = await store.page(tx, terms.cipher, merchant_id, filters, before=before, offset=offset, limit=limit)
    return AccountPage(total, found)


async def close_virtual_account(
    terms: AccountTerms, tx: Transaction, merchant_id: int, account_id: int
) -> VirtualAccount:
    """Close an account: what comes for it later is given back to its payer.

    Raises:
        VirtualAccountNotFound: no such account.
        InvalidState: it is not open, or closed already.
        AccountHasOpenOrders: orders of it have not ended.
    """
    account = await require_account(terms, tx, merchant_id, account_id)
    if account.status not in _CLOSABLE:
        raise InvalidState(f"The account is {account.status}; only an open one can be closed.")
    if await orders.has_open(tx, merchant_id, account_id):
        raise AccountHasOpenOrders("Orders of the account have not ended; close it when they have.")
    closed = replace(account, status=AccountStatus.CLOSED, restricted_until=None, updated_at=tx.now)
    await store.save(tx, closed, closing=True)
    await events.account_changed(tx, closed)
    return closed


async def require_account(terms: AccountTerms, tx: Transaction, merchant_id: int, account_id: int) -> VirtualAccount:
    """An account of the merchant, held until this transaction ends; raises VirtualAccountNotFound."""
    account = await store.lock(tx, terms.cipher, merchant_id, account_id)
    if account is None:
        raise _unknown(account_id)
    return account


def _unknown(account_id: int) -> VirtualAccountNotFound:
    return VirtualAccountNotFound(f"There is no virtual account {account_id}.", [FieldError("accountId", "is unknown")])


async def find_account_code(terms: AccountTerms, tx: Transaction, token: str) -> str | None:
    """The BR Code of the account that a public URL names; None where there is none to show."""
    account = await store.find_by_token(tx, terms.cipher, token)
    if account is None or account.numbers is None or account.status is AccountStatus.CLOSED:
        return None
    return account.numbers.pix_code


async def list_supported_accounts(currency: str | None, country: str | None) -> Sequence[SupportedAccount]:
    """The kinds of account that are offered: rails, limits, cut-off times, what must be told of the holder."""
    offered = set(rules.offered_currencies())
    return [
        one
        for one in supported_accounts()
        if one.currency in offered and currency in {None, one.currency} and country in {None, one.country}
    ]


async def list_openings(
    terms: AccountTerms, tx: Transaction, names: Mapping[int, str], after: int, limit: int
) -> list[Opening]:
    """Accounts to open after an id, oldest first; `names` of merchants, who hold accounts that are for nobody else.

    The bank is asked by the account's id: asking again, also beside another worker, opens nothing twice.
    """
    openings = []
    for account in await store.opening(tx, terms.cipher, after, limit):
        profile = await store.profile_of(tx, terms.cipher, account)
        openings.append(Opening(account, profile, profile.name or names[account.merchant_id]))
    return openings


async def record_opening(
    terms: AccountTerms, tx: Transaction, account: VirtualAccount, report: OpeningReport
) -> VirtualAccount | None:
    """Note what the bank made of a request; None when another worker noted it before."""
    known = await require_account(terms, tx, account.merchant_id, account.account_id)
    if known.status is not AccountStatus.INIT:
        return None
    opened = await _opened(terms, tx, known, report)
    await store.save(tx, opened)
    await events.account_changed(tx, opened)
    return opened


async def _opened(
    terms: AccountTerms, tx: Transaction, account: VirtualAccount, report: OpeningReport
) -> VirtualAccount:
    if report.numbers is None:
        return _failed(tx, account, report.fail_reason or "The bank did not open the account.")
    if not await store.set_numbers(tx, terms.cipher, account, report.numbers):
        return _failed(tx, account, "The bank gave a number that another account has.")
    return replace(account, status=AccountStatus.SUCCESS, numbers=report.numbers, updated_at=tx.now)


def _failed(tx: Transaction, account: VirtualAccount, reason: str) -> VirtualAccount:
    return replace(account, status=AccountStatus.FAIL, fail_reason=reason, updated_at=tx.now)


async def list_closings(terms: AccountTerms, tx: Transaction, after: int, limit: int) -> list[VirtualAccount]:
    """Accounts after an id whose bank has still to be told that they are closed."""
    return await store.closing(tx, terms.cipher, after, limit)


async def record_closing(tx: Transaction, account: VirtualAccount) -> None:
    """The bank knows that an account is closed."""
    await store.set_closed(tx, account)
