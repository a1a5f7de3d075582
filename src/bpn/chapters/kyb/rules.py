"""Pure decisions of the KYB chapter: which names are screened, what the sandbox decides, which state may follow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bpn.chapters.kyb.model import NEXT, KybStatus, SubUser
from bpn.kernel.errors import InvalidState

MAGIC_WORDS: Mapping[str, KybStatus] = {
    "REJECT": KybStatus.REJECTED,
    "NEEDMORE": KybStatus.NEED_MORE,
    "REVIEW": KybStatus.REVIEWING,
}
"""Words in a name that decide in the sandbox; any other name is approved."""

SANDBOX_REASON = "The sandbox rejects this name."
SANDBOX_ACTION = "Share a proof of address."


def names_of(profile: Mapping[str, Any]) -> list[str]:
    """The names to screen: the person, the company in each language, its owners."""
    return [name for name in _names(profile) if name.strip()]


def _names(profile: Mapping[str, Any]) -> Iterator[str]:
    entity = (profile.get("kyb_info") or {}).get("entity_details") or {}
    yield entity.get("business_name_en") or ""
    yield entity.get("business_name_zh") or ""
    for person in (profile.get("kyc_info") or {}, *(profile.get("owners") or ())):
        yield f"{person.get('first_name') or ''} {person.get('last_name') or ''}"


def decide(names: list[str], *, hit: bool, automatic: bool) -> KybStatus:
    """What becomes of a sub user once it is screened: a person decides on a hit, and wherever no rule does."""
    if hit or not automatic:
        return KybStatus.REVIEWING
    text = "".join(" ".join(names).upper().split())
    return next((status for word, status in MAGIC_WORDS.items() if word in text), KybStatus.APPROVED)


def check_change(sub_user: SubUser, status: KybStatus) -> None:
    """Whether a state may follow.

    Raises:
        InvalidState: it may not.
    """
    if sub_user.erased_at is not None or status not in NEXT[sub_user.status]:
        shown = "erased" if sub_user.erased_at is not None else sub_user.status.value
        raise InvalidState(f"The sub user is {shown}; it cannot become {status.value}.")


def profile_place(merchant_id: int, sub_user_id: int) -> str:
    """The place that a profile is sealed for."""
    return f"kyb/{merchant_id}/{sub_user_id}"
