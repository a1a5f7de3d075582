"""Whether a sub user may have an account: what the KYB chapter says of it."""

from __future__ import annotations

from bpn.chapters.accounts.errors import KybRequired
from bpn.chapters.accounts.model import AccountTerms
from bpn.chapters.kyb import operations as kyb
from bpn.chapters.kyb.errors import SubUserNotFound
from bpn.database.pool import Transaction
from bpn.kernel.errors import FieldError

_ID_DIGITS = 18


async def require_sub_user(terms: AccountTerms, tx: Transaction, merchant_id: int, sub_user_id: str | None) -> None:
    """Let only an approved sub user have an account: by our id of it, or by the merchant's.

    One that was shared must be approved; one that was not, only where the operator asks for it.

    Raises:
        KybRequired: not approved.
    """
    if sub_user_id is None:
        return
    ours = sub_user_id.isascii() and sub_user_id.isdigit() and len(sub_user_id) == _ID_DIGITS
    try:
        known = await kyb.get_kyb_status(
            tx,
            merchant_id,
            sub_user_id=int(sub_user_id) if ours else None,
            partner_user_id=None if ours else sub_user_id,
        )
    except SubUserNotFound:
        if terms.sub_users_need_approval:
            raise KybRequired(
                "The sub user must be shared and approved first.", [FieldError("subUserId", "is not approved")]
            ) from None
        return
    await kyb.check_approved(tx, merchant_id, known.sub_user_id)
