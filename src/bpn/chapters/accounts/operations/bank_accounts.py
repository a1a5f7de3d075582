"""Bank accounts that a merchant is paid from or pays to, and what numbers of banks say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bpn.banking import registry
from bpn.banking.bank_info import BankInfo
from bpn.banking.bank_info import query_bank_info as look_up
from bpn.banking.numbers import (
    InvalidNumberError,
    parse_account_number,
    parse_bic,
    parse_clabe,
    parse_cpf_or_cnpj,
    parse_iban,
    parse_routing_number,
    parse_sort_code,
)
from bpn.banking.pix_keys import parse_pix_key
from bpn.banking.registry import BankPage
from bpn.chapters.accounts import events, rules
from bpn.chapters.accounts.model import (
    AccountTerms,
    BankAccount,
    BankAccountFilter,
    BankAccountStatus,
    EmailScene,
)
from bpn.chapters.accounts.operations.codes import check_email_code
from bpn.chapters.accounts.store import papers as store
from bpn.database.pool import Transaction
from bpn.kernel.errors import FieldError, InvalidRequest
from bpn.ports.readers import BankParty


@dataclass(frozen=True, slots=True)
class BankAccountCommand:
    """Add a bank account. `info` is in the keys of the wire."""

    merchant_id: int
    account_type: str
    network_type: str
    country: str
    currency: str
    info: Mapping[str, str]
    email: str | None = None
    email_code: str | None = None


@dataclass(frozen=True, slots=True)
class BankAccountPage:
    """A page of bank accounts and how many match."""

    total: int
    accounts: list[BankAccount]


async def add_bank_account(terms: AccountTerms, tx: Transaction, command: BankAccountCommand) -> BankAccount:
    """Add a bank account; every number in it is checked.

    Raises:
        EmailCodeRequired, EmailCodeInvalid: the merchant's setting demands a code.
        UnsupportedCurrency, UnsupportedRail: the currency is not offered, or not by this network.
        InvalidRequest: a number breaks the rule that is named, or a field is missing.
    """
    await check_email_code(
        terms, tx, command.merchant_id, EmailScene.ADD_BANK_ACCOUNT, command.email, command.email_code
    )
    supported = rules.find_supported(command.currency, None)
    rules.find_rail(supported, command.network_type, "networkType")
    pending = terms.bank_accounts_need_approval
    account = BankAccount(
        merchant_id=command.merchant_id,
        bank_account_id=tx.ids.next(),
        account_type=command.account_type,
        network_type=command.network_type,
        country=command.country,
        currency=command.currency,
        info=command.info,
        party=read_party(command.network_type, command.country, command.info, "accountInfo"),
        status=BankAccountStatus.PENDING if pending else BankAccountStatus.APPROVED,
        fail_reason=None,
        created_at=tx.now,
    )
    await store.insert_bank_account(tx, terms.cipher, account)
    await events.bank_account_changed(tx, account)
    return account


async def list_bank_accounts(
    terms: AccountTerms,
    tx: Transaction,
    merchant_id: int,
    filters: BankAccountFilter,
    *,
    before: int | None,
    offset: int,
    limit: int,
) -> BankAccountPage:
    """Bank accounts of a merchant that match all filters, newest first."""
    total, found = await store.page_bank_accounts(
        tx, terms.cipher, merchant_id, filters, before=before, offset=offset, limit=limit
    )
    return BankAccountPage(total, found)


async def query_bank_info(number: str, country: str | None, currency: str | None) -> BankInfo:
    """Which bank a number is of.

    Raises:
        InvalidRequest: it is no IBAN, CLABE, ABA, BIC or PIX key, or breaks the rule that is named.
    """
    try:
        return look_up(number, country, currency)
    except InvalidNumberError as error:
        raise InvalidRequest.of("accountNumber", str(error)) from None


async def list_banks(
    *, country: str | None, currency: str | None, search: str | None, after: int, offset: int, limit: int
) -> BankPage:
    """Banks of the world by country and name; `after` is a bank's number in the list."""
    return registry.list_banks(
        country=country, currency=currency, search=search, after=after, offset=offset, limit=limit
    )


@dataclass(frozen=True, slots=True)
class _Number:
    """A field of the wire that holds a number: where it goes, and how it is read."""

    attribute: str
    read: Callable[[str], str]


def _pix_key(text: str) -> str:
    return parse_pix_key(text).value


def _plain(text: str) -> str:
    return text.strip()


_NUMBERS: Mapping[str, _Number] = {
    "iban": _Number("account", parse_iban),
    "clabe": _Number("account", parse_clabe),
    "accountNumber": _Number("account", _plain),
    "routingNumber": _Number("bank_code", parse_routing_number),
    "sortCode": _Number("bank_code", parse_sort_code),
    "bankCode": _Number("bank_code", _plain),
    "branchCode": _Number("branch_code", _plain),
    "bic": _Number("bic", parse_bic),
    "swiftCode": _Number("bic", parse_bic),
    "bankName": _Number("bank_name", _plain),
    "cpfOrCnpj": _Number("tax_id", parse_cpf_or_cnpj),
    "taxId": _Number("tax_id", _plain),
    "pixKey": _Number("pix_key", _pix_key),
    "accountHolderName": _Number("name", _plain),
    "name": _Number("name", _plain),
    "address": _Number("address", _plain),
}
_NEEDED: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "PIX": (("pix_key", "account"), ("name",)),
    "SEPA": (("account",), ("name",)),
    "FPS": (("account",), ("name",)),
    "SPEI": (("account",), ("name",)),
    "ACH": (("bank_code",), ("account",), ("name",)),
    "FEDWIRE": (("bank_code",), ("account",), ("name",)),
    "SWIFT": (("account",), ("bic", "bank_code"), ("name",)),
    "LOCAL": (("account",), ("bank_code", "bic"), ("name",)),
}
"""By network, what a payment needs: one attribute of each group."""

_WIRE = {
    "pix_key": "pixKey",
    "account": "accountNumber",
    "name": "accountHolderName",
    "bank_code": "bankCode",
    "bic": "bic",
}
_OWN_NAMES = {
    ("SEPA", "account"): "iban",
    ("SPEI", "account"): "clabe",
    ("ACH", "bank_code"): "routingNumber",
    ("FEDWIRE", "bank_code"): "routingNumber",
}


def read_party(network_type: str, country: str | None, info: Mapping[str, str], field: str) -> BankParty:
    """How a payment names the holder of an account that is given in the keys of the wire.

    Args:
        network_type: by which rail it is reached.
        country: of the account.
        info: the account, in the keys of the wire; keys that nobody knows are not used.
        field: what the refusal calls it.

    Raises:
        InvalidRequest: a number breaks the rule that is named, or what the rail needs is missing.
    """
    told: dict[str, str] = {}
    errors = []
    for key, text in info.items():
        known = _NUMBERS.get(key)
        if known is None or not text.strip():
            continue
        try:
            told[known.attribute] = _reader(network_type, key, known.read)(text)
        except InvalidNumberError as error:
            errors.append(FieldError(f"{field}.{key}", str(error)))
    if not errors:
        errors = _missing(network_type, told, info, field)
    if errors:
        raise InvalidRequest(f"{errors[0].field} {errors[0].reason}.", errors)
    return BankParty(country=country, **told)


def _reader(network_type: str, key: str, usual: Callable[[str], str]) -> Callable[[str], str]:
    """How an account number of a rail is read: some rails have numbers of their own kind."""
    if key != "accountNumber":
        return usual
    own: Mapping[str, Callable[[str], str]] = {
        "SEPA": parse_iban,
        "SPEI": parse_clabe,
        "FPS": lambda text: parse_iban(text) if text[:2].isalpha() else parse_account_number(text, "GB"),
        "ACH": lambda text: parse_account_number(text, "US"),
        "FEDWIRE": lambda text: parse_account_number(text, "US"),
    }
    return own.get(network_type, parse_account_number)


def _missing(network_type: str, told: Mapping[str, str], info: Mapping[str, str], field: str) -> list[FieldError]:
    missing = [group for group in _NEEDED[network_type] if not any(told.get(attribute) for attribute in group)]
    if network_type == "FPS" and not missing and "iban" not in info and "bank_code" not in told:
        return [FieldError(f"{field}.sortCode", "is required by FPS, or an iban")]
    return [
        FieldError(
            f"{field}.{_OWN_NAMES.get((network_type, group[0]), _WIRE[group[0]])}", f"is required by {network_type}"
        )
        for group in missing
    ]
