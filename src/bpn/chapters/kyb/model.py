"""What the KYB chapter speaks of: sub users, their states, the fact it announces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from bpn.files.model import File, FileTerms, Upload
from bpn.kernel.encryption import Cipher


@dataclass(frozen=True, slots=True)
class KybTerms:
    """What the operator sets about the chapter.

    Attributes:
        cipher: seals details at rest.
        files: what documents are kept under.
        automatic: whether the sandbox's rule decides; a person does otherwise.
    """

    cipher: Cipher
    files: FileTerms
    automatic: bool


class CustomerType(StrEnum):
    """What a sub user is."""

    INDIVIDUAL = "INDIVIDUAL"
    CORPORATE = "CORPORATE"


class KybStatus(StrEnum):
    """States of a sub user; `NEXT` says which may follow which."""

    PENDING = "PENDING"
    REVIEWING = "REVIEWING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    NEED_MORE = "NEED_MORE"


NEXT: Mapping[KybStatus, frozenset[KybStatus]] = {
    KybStatus.PENDING: frozenset(KybStatus),
    KybStatus.REVIEWING: frozenset({KybStatus.APPROVED, KybStatus.REJECTED, KybStatus.NEED_MORE}),
    KybStatus.APPROVED: frozenset({KybStatus.REJECTED, KybStatus.NEED_MORE}),
    KybStatus.REJECTED: frozenset({KybStatus.APPROVED, KybStatus.NEED_MORE}),
    KybStatus.NEED_MORE: frozenset({KybStatus.PENDING, KybStatus.APPROVED, KybStatus.REJECTED}),
}
"""An operator may think again; a merchant only answers what is asked, or corrects what nobody has looked at."""


@dataclass(frozen=True, slots=True)
class SubUser:
    """A customer of a merchant, without any detail that says who it is.

    Attributes:
        sub_user_id: ours.
        partner_user_id: the merchant's own id of it.
        pending_actions: what the merchant is asked for while NEED_MORE.
        reject_reasons: why it is REJECTED.
        version: counts the times it was shared: what is decided is decided on one version.
    """

    merchant_id: int
    sub_user_id: int
    partner_user_id: str
    customer_type: CustomerType
    status: KybStatus
    pending_actions: tuple[str, ...]
    reject_reasons: tuple[str, ...]
    version: int
    created_at: datetime
    updated_at: datetime
    erased_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sharing:
    """What a merchant shares of a customer.

    Attributes:
        profile: all details in the spelling of the request, JSON values only.
        documents: files with what each is, `PASSPORT`.
    """

    partner_user_id: str
    customer_type: CustomerType
    profile: Mapping[str, Any] = field(repr=False)
    documents: Sequence[tuple[str, Upload]] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class KybCase:
    """All that is known of a sub user, for the operator and for an export.

    Attributes:
        profile: None after it was erased.
        documents: files with what each is.
        note: what screening said.
    """

    sub_user: SubUser
    profile: Mapping[str, Any] | None = field(repr=False)
    documents: tuple[tuple[str, File], ...] = field(repr=False)
    note: str | None


@dataclass(frozen=True, slots=True)
class KybStatusChanged:
    """A sub user has a new state."""

    name: ClassVar[str] = "kyb.status.changed"
    sub_user: SubUser


@dataclass(frozen=True, slots=True)
class SubUserErased:
    """A sub user's details are wiped; whoever keeps others of it wipes them too."""

    name: ClassVar[str] = "kyb.sub_user.erased"
    sub_user_id: int
