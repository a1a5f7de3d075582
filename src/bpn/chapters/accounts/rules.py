"""Pure decisions of the accounts chapter: ledger accounts, rails, profiles, what becomes of a pay-in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from bpn.banking.supported_accounts import (
    SupportedAccount,
    SupportedRail,
    find_supported_account,
    supported_accounts,
)
from bpn.chapters.accounts.errors import AmountTooSmall, LimitExceeded, UnsupportedCurrency, UnsupportedRail
from bpn.chapters.accounts.model import (
    NEXT,
    AccountStatus,
    AccountTerms,
    CustomerType,
    HeldIn,
    OrderType,
    Profile,
    Status,
    SubType,
    VirtualAccount,
)
from bpn.kernel.assets import Asset, find_fiat
from bpn.kernel.errors import FieldError, InvalidRequest, InvalidState
from bpn.kernel.money import Money
from bpn.ledger.model import HOUSE, Account, Policy
from bpn.ports.readers import BankParty

CNPJ_DIGITS = 14
"""A Brazilian company's tax number has this many digits; a person's has eleven."""


def master_account(merchant_id: int, account_id: int, asset: Asset) -> Account:
    """What the merchant may spend of a fiat currency; payouts and refunds in progress are held in it."""
    return Account(merchant_id, f"master/{account_id}", asset, Policy.CREDIT_BALANCE)


def incoming_account(merchant_id: int, account_id: int, asset: Asset) -> Account:
    """Pay-ins that have come and are not the master's yet: an invoice is due, an account is restricted, an earmark."""
    return Account(merchant_id, f"incoming/{account_id}", asset, Policy.CREDIT_BALANCE)


def suspense_account(merchant_id: int, asset: Asset) -> Account:
    """What came and is given back to its payer."""
    return Account(merchant_id, "suspense", asset, Policy.CREDIT_BALANCE)


def receivable_account(merchant_id: int, asset: Asset) -> Account:
    """What the merchant owes: pay-ins that their rail took back after they were spent."""
    return Account(merchant_id, "receivable", asset, Policy.DEBIT_BALANCE)


def bank_account(merchant_id: int, asset: Asset) -> Account:
    """What lies at the bank for a merchant (debit balance), or for the house.

    It may stand on the other side where a merchant is paid out what another chapter has credited it: then the house's
    own money at the bank made the payment, and the sum over all books still is what the bank has.
    """
    return Account(merchant_id, BANK, asset, Policy.ANY)


BANK = "bank"
"""The name of the accounts whose sum over all books the bank's balance must equal."""


def fee_account(name: str, asset: Asset) -> Account:
    """Fees earned: `payout` or `payin`."""
    return Account(HOUSE, f"{name}_fees", asset, Policy.CREDIT_BALANCE)


def capital_account(asset: Asset) -> Account:
    """What the operator put into the house."""
    return Account(HOUSE, "capital", asset, Policy.ANY)


def find_asset(currency: str) -> Asset:
    """A fiat currency in which accounts are offered; raises UnsupportedCurrency."""
    asset = find_fiat(currency)
    if asset is None or find_supported_account(currency) is None:
        raise UnsupportedCurrency(
            f"The currency {currency} is not offered; choose one of {', '.join(offered_currencies())}.",
            [FieldError("currency", "is not offered")],
        )
    return asset


def offered_currencies() -> list[str]:
    """The currencies of all accounts that are offered, each once, in the order shown."""
    return [currency for currency in dict.fromkeys(one.currency for one in supported_accounts()) if find_fiat(currency)]


def find_supported(currency: str, country: str | None) -> SupportedAccount:
    """The kind of account of a currency in a country; raises UnsupportedCurrency or InvalidRequest."""
    find_asset(currency)
    supported = find_supported_account(currency, country)
    if supported is None:
        raise InvalidRequest.of("country", f"has no accounts of {currency}")
    return supported


def find_rail(supported: SupportedAccount, rail: str | None, field: str = "rail") -> SupportedRail:
    """A rail of an account, the default one when none is named; raises UnsupportedRail."""
    for known in supported.rails:
        if rail in {None, known.rail}:
            return known
    names = ", ".join(known.rail for known in supported.rails)
    raise UnsupportedRail(
        f"{supported.currency} moves by {names}, not by {rail}.",
        [FieldError(field, "is not offered for this currency")],
    )


def check_sub_type(supported: SupportedAccount, rail: str, sub_type: SubType) -> None:
    """Raise UnsupportedRail unless the account can be of this kind on this rail."""
    if sub_type not in supported.account_sub_types:
        raise UnsupportedRail(
            f"{rail} has no {sub_type} accounts of {supported.currency}.",
            [FieldError("accountSubType", "is not offered on this rail")],
        )


def check_profile(profile: Profile, *, mandatory: bool) -> None:
    """Raise InvalidRequest where a field is missing that the account's kind demands, named as the wire names it."""
    if not mandatory:
        return
    if profile.customer_type is None:
        raise InvalidRequest.of("companyInfo", "or individualInfo is required for this account")
    company = profile.customer_type is CustomerType.CORPORATE
    group = "companyInfo" if company else "individualInfo"
    names = {
        "name": "entityName" if company else "firstName",
        "industry": "industry",
        "business_platform_url": "businessPlatformUrl",
        "registration_number": "registrationNumber" if company else "taxIdNumber",
        "registration_country": "incorporatedCountry" if company else "taxCountry",
    }
    missing = [
        FieldError(f"{group}.{wire}", "is required for this account")
        for attribute, wire in names.items()
        if not getattr(profile, attribute)
    ]
    if missing:
        raise InvalidRequest(f"{missing[0].field} {missing[0].reason}.", missing)


def needs_profile(currency: str, sub_type: SubType, pix_key_type: str | None) -> bool:
    """Whether an account's holder must be told: BRL codes for one payment, BRL keys of a chosen kind."""
    return currency == "BRL" and (sub_type is SubType.DYNAMIC or pix_key_type is not None)


def check_payout_amount(rail: SupportedRail, amount: Money) -> None:
    """Refuse a payout that the rail does not carry.

    Raises:
        AmountTooSmall: less than the minimum.
        LimitExceeded: more than the rail carries at once.
    """
    currency, value = amount.asset.currency, amount.to_decimal()
    if value < Decimal(rail.minimum):
        raise AmountTooSmall(
            f"The smallest payout by {rail.rail} is {rail.minimum} {currency}.",
            [FieldError("amount", f"must be at least {rail.minimum}")],
        )
    if value > Decimal(rail.maximum):
        raise LimitExceeded(
            f"{rail.rail} carries at most {rail.maximum} {currency} in one payment.",
            [FieldError("amount", f"must be at most {rail.maximum}")],
        )


def check_transition(kind: OrderType, status: Status, following: Status) -> None:
    """Raise InvalidState unless an order of this type may go from one state to the other."""
    if following not in NEXT.get(kind, {}).get(status, frozenset()):
        raise InvalidState(f"The order is {status}; it cannot become {following}.")


def needs_review(terms: AccountTerms, amount: Money) -> bool:
    """Whether a payout waits for the operator."""
    return amount.to_decimal() > terms.review_above


def needs_second_person(terms: AccountTerms, amount: Money) -> bool:
    """Whether two people must approve a payout."""
    return terms.second_person_above is not None and amount.to_decimal() > terms.second_person_above


def is_business(payer: BankParty | None) -> bool:
    """Whether a payer is known to be a company."""
    return payer is not None and payer.tax_id is not None and len(payer.tax_id) == CNPJ_DIGITS


@dataclass(frozen=True, slots=True)
class InvoiceRule:
    """When a merchant's pay-ins need an invoice: from `threshold` on (None: never by amount), or of businesses."""

    threshold: Decimal | None
    from_businesses: bool

    def asks(self, amount: Money, payer: BankParty | None) -> bool:
        """Whether this pay-in needs one."""
        large = self.threshold is not None and amount.to_decimal() >= self.threshold
        return large or (self.from_businesses and is_business(payer))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a pay-in: its state, where its money waits, and why it is refused."""

    status: Status
    held_in: HeldIn | None
    reason: str | None = None


def judge_pay_in(
    account: VirtualAccount, amount: Money, payer: BankParty | None, rule: InvoiceRule, paid_at: datetime
) -> Verdict:
    """What becomes of money that came to an account."""
    if reason := _refusal(account, amount, paid_at):
        return Verdict(Status.RETURNED, HeldIn.SUSPENSE, reason)
    if account.status is AccountStatus.RESTRICTED:
        return Verdict(Status.ON_HOLD, HeldIn.INCOMING)
    if rule.asks(amount, payer):
        return Verdict(Status.INVOICE_REQUIRED, HeldIn.INCOMING)
    return Verdict(Status.SUCCESS, None if account.earmark is None else HeldIn.INCOMING)


def _refusal(account: VirtualAccount, amount: Money, paid_at: datetime) -> str | None:
    if account.status is AccountStatus.CLOSED:
        return "The account is closed."
    if amount.asset != account.asset:
        return f"The account takes {account.asset.currency} only."
    if account.amount is not None and account.amount != amount:
        return f"The code asks for {account.amount} {account.asset.currency}."
    if account.expires_at is not None and paid_at > account.expires_at:
        return "The code has expired."
    return None


def charge_bearer(rail: str) -> str:
    """Who pays the banks' charges, in the words of ISO 20022: shared over SWIFT, by the scheme's rule elsewhere."""
    return "SHAR" if rail == "SWIFT" else "SLEV"
