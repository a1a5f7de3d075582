"""What the operator sets about the accounts chapter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from bpn.chapters.accounts.model.papers import InformationTemplate
from bpn.kernel.assets import Asset
from bpn.kernel.encryption import Cipher
from bpn.kernel.money import Money


@dataclass(frozen=True, slots=True)
class RailTerms:
    """How money moves in a currency on one rail.

    Attributes:
        name: PIX, ACH, FEDWIRE, SEPA, SWIFT, FPS, SPEI or LOCAL.
        countries: where its accounts can be, ISO 3166 alpha-2.
        receives: whether virtual accounts are opened on it.
        pays: whether payouts leave on it.
        sub_types: of its virtual accounts.
        minimum: the smallest payout.
        maximum: the largest payout, None where the rail has no limit.
        cut_off: local time until which a payout leaves the same day; None: at any time.
        kyb_fields: what must be told of the account's holder.
    """

    name: str
    countries: tuple[str, ...]
    receives: bool
    pays: bool
    sub_types: tuple[str, ...]
    minimum: Money
    maximum: Money | None
    cut_off: str | None
    kyb_fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Currency:
    """A fiat currency and its rails, the default one first. `symbol` is shown before amounts."""

    asset: Asset
    symbol: str
    rails: Mapping[str, RailTerms]

    @property
    def default_rail(self) -> RailTerms:
        """What a request means that names no rail."""
        return next(iter(self.rails.values()))


@dataclass(frozen=True, slots=True)
class AccountTerms:
    """What the operator sets about the chapter.

    Attributes:
        currencies: by code, in the order shown.
        source: the bank's name with us.
        cipher: seals personal data at rest.
        base_url: where public URLs begin.
        templates: what compliance may ask, by name.
        review_above: payouts of more whole units wait for the operator.
        second_person_above: of those, which need two people; None asks for one only.
        bank_accounts_need_approval: whether a person approves bank accounts.
        sub_users_need_approval: whether a sub user must have been approved before an account is opened for it.
        information_deadline: how long a merchant has to answer an information request.
        code_lifetime: how long an email code is good.
        code_tries: how often it may be guessed.
        codes_per_hour: to one address.
        batch_limit: payments that leave together.
        decides_by_itself: a sandbox decides on invoices and answers at once.
    """

    currencies: Mapping[str, Currency]
    source: str
    cipher: Cipher
    base_url: str
    templates: Mapping[str, InformationTemplate]
    review_above: Decimal
    second_person_above: Decimal | None
    bank_accounts_need_approval: bool
    sub_users_need_approval: bool
    information_deadline: timedelta
    code_lifetime: timedelta
    code_tries: int
    codes_per_hour: int
    batch_limit: int
    decides_by_itself: bool
