"""Whether a sub user may have an account: what the KYB chapter says of it."""

from __future__ import annotations

from bpn.chapters.accounts.model import AccountTerms
from bpn.database.pool import Transaction


async def require_sub_user(terms: AccountTerms, tx: Transaction, merchant_id: int, sub_user_id: str | None) -> None:
    """Let only an approved sub user have an account.

    One that the KYB chapter knows must be approved; one that it does not know, where the operator asks for it.

    Raises:
        KybRequired: not approved.
    """
