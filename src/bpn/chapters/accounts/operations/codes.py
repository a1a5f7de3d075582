"""Email codes: six digits sent to an address, good for a while, for a few tries, for one use."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta

from bpn.chapters.accounts.errors import EmailCodeInvalid, EmailCodeRequired, EmailNotRegistered, TooManyEmailCodes
from bpn.chapters.accounts.model import AccountTerms, EmailScene
from bpn.chapters.accounts.store import codes as store
from bpn.controls.model import EMAIL_CODE_FOR, REGISTERED_EMAIL
from bpn.database.pool import Transaction
from bpn.kernel.errors import FieldError

_HOUR = timedelta(hours=1)
_DIGITS = 6


async def send_email_code(
    terms: AccountTerms, tx: Transaction, merchant_id: int, address: str, scene: EmailScene
) -> timedelta:
    """Have a code sent to an address; how long it is good for.

    Raises:
        EmailNotRegistered: codes for payouts go to the merchant's registered address only.
        TooManyEmailCodes: the address was sent several within the hour.
    """
    view = await terms.controls.view(tx)
    registered = view.merchant_setting(merchant_id, REGISTERED_EMAIL)
    demanded = scene in view.merchant_setting(merchant_id, EMAIL_CODE_FOR)
    if scene is EmailScene.PAYOUT and (demanded or registered) and address != (registered or "").strip().lower():
        raise EmailNotRegistered(
            "Codes for payouts go to the registered address only.", [FieldError("email", "is not the registered one")]
        )
    await store.lock_address(tx, terms.cipher, address)
    sent = await store.sent_since(tx, terms.cipher, merchant_id, address, tx.now - _HOUR)
    if len(sent) >= terms.codes_per_hour:
        wait = int((sent[-terms.codes_per_hour] + _HOUR - tx.now).total_seconds()) + 1
        raise TooManyEmailCodes(f"{terms.codes_per_hour} codes an hour may be sent to one address.", wait)
    code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"
    unsent = store.UnsentCode(merchant_id, tx.ids.next(), scene, address, code)
    await store.insert(tx, terms.cipher, unsent, tx.now + terms.code_lifetime)
    return terms.code_lifetime


async def check_email_code(
    terms: AccountTerms, tx: Transaction, merchant_id: int, scene: EmailScene, address: str | None, code: str | None
) -> None:
    """Let go on only with a right code, where the merchant's setting demands one or one is given; it is used up.

    Call it before anything is written: a wrong code is counted though the request is refused.

    Raises:
        EmailCodeRequired: none is given, and one is demanded.
        EmailCodeInvalid: wrong, used, too old, or guessed too often.
    """
    view = await terms.controls.view(tx)
    demanded = scene in view.merchant_setting(merchant_id, EMAIL_CODE_FOR)
    if code is None:
        if demanded:
            raise EmailCodeRequired(
                f"A code is demanded; have it sent by send-email-code with the scene {scene}.",
                [FieldError("emailCode", "is required")],
            )
        return
    registered = view.merchant_setting(merchant_id, REGISTERED_EMAIL)
    target = registered if scene is EmailScene.PAYOUT or address is None else address
    # Where a code is demanded it counts only if it went to a known address.
    right = (target or not demanded) and await store.use(
        tx, terms.cipher, merchant_id, scene, target and target.strip().lower(), code, terms.code_tries
    )
    if not right:
        raise EmailCodeInvalid(
            "The code is wrong, used or too old; have a new one sent.", [FieldError("emailCode", "is not valid")]
        )


async def list_unsent_codes(terms: AccountTerms, tx: Transaction, limit: int = 100) -> Sequence[store.UnsentCode]:
    """Codes whose mail has still to be handed over."""
    return await store.unsent(tx, terms.cipher, limit)


async def record_code_sent(tx: Transaction, unsent: store.UnsentCode) -> None:
    """The mail was handed over, or refused for good: what was sealed of it is forgotten."""
    await store.forget_mail(tx, unsent.merchant_id, unsent.code_id)
