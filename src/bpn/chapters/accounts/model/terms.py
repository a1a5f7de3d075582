"""What the operator sets about the accounts chapter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from bpn.chapters.accounts.model.papers import InformationTemplate
from bpn.controls.operations import Controls
from bpn.files.model import FileTerms
from bpn.kernel.encryption import Cipher


@dataclass(frozen=True, slots=True)
class AccountTerms:
    """What the operator sets about the chapter.

    Attributes:
        source: the bank's name with us.
        controls: fees, limits, pauses and merchants' settings.
        cipher: seals personal data at rest.
        files: how the files of merchants are kept.
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

    source: str
    controls: Controls
    cipher: Cipher
    files: FileTerms
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
