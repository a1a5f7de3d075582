"""Sub users: shared, looked up, screened, decided, exported, erased."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bpn.audit import operations as audit
from bpn.audit.model import Decision
from bpn.chapters.kyb import events, rules, store
from bpn.chapters.kyb.errors import KybRequired, SubUserNotFound
from bpn.chapters.kyb.model import KybCase, KybStatus, KybTerms, Sharing, SubUser
from bpn.database.pool import Transaction
from bpn.files import operations as files
from bpn.kernel.clock import to_milliseconds
from bpn.kernel.errors import InvalidRequest, InvalidState

_LISTED_AT_ONCE = 500


async def share_kyb(terms: KybTerms, tx: Transaction, merchant_id: int, sharing: Sharing) -> SubUser:
    """Take a customer's details: a new sub user, the answer to what was asked, or a correction before anybody looked.

    Raises:
        InvalidRequest: a document is not a file that is accepted.
        InvalidState: it is under review or decided.
    """
    fresh = SubUser(
        merchant_id=merchant_id,
        sub_user_id=tx.ids.next(),
        partner_user_id=sharing.partner_user_id,
        customer_type=sharing.customer_type,
        status=KybStatus.PENDING,
        pending_actions=(),
        reject_reasons=(),
        version=1,
        created_at=tx.now,
        updated_at=tx.now,
    )
    inserted = await store.insert(tx, fresh)
    known = fresh if inserted else await store.lock_by_partner(tx, merchant_id, sharing.partner_user_id)
    if known is None:
        raise InvalidState("The sub user is changing; ask again.")
    sub_user = known
    before: list[tuple[str, int]] = []
    if not inserted:
        if known.status not in {KybStatus.PENDING, KybStatus.NEED_MORE} or known.erased_at is not None:
            raise InvalidState(f"The sub user is {known.status.value}; nothing more is asked of it.")
        sub_user = replace(
            known,
            customer_type=sharing.customer_type,
            status=KybStatus.PENDING,
            pending_actions=(),
            reject_reasons=(),
            version=known.version + 1,
            updated_at=tx.now,
        )
        await store.save(tx, sub_user)
        _, before, _ = await store.read_profile(tx, terms.cipher, known)
    documents = list(before)
    for place, (kind, upload) in enumerate(sharing.documents):
        field_name = f"documents[{place}]"
        file = await files.keep(terms.files, tx, merchant_id, upload, field_name, type_field="content_type")
        documents.append((kind, file.file_id))
    await store.set_profile(tx, terms.cipher, sub_user, sharing.profile, documents)
    await events.status_changed(tx, sub_user)
    return sub_user


async def get_kyb_status(
    tx: Transaction, merchant_id: int, *, sub_user_id: int | None = None, partner_user_id: str | None = None
) -> SubUser:
    """A sub user's state, by our id or by the merchant's.

    Raises:
        InvalidRequest: neither id, or both.
        SubUserNotFound: the merchant has none of it.
    """
    if (sub_user_id is None) == (partner_user_id is None):
        raise InvalidRequest.of("partnerUserId", "or subUserId is required, and not both")
    found = await store.find(tx, merchant_id, sub_user_id=sub_user_id, partner_user_id=partner_user_id)
    if found is None:
        raise SubUserNotFound("There is no such sub user.")
    return found


async def check_approved(tx: Transaction, merchant_id: int, sub_user_id: int) -> SubUser:
    """A sub user that is approved, and stays so until this transaction ends.

    Raises:
        KybRequired: it is not, or the merchant has none of this id.
    """
    found = await store.hold(tx, merchant_id, sub_user_id)
    if found is None or found.status is not KybStatus.APPROVED or found.erased_at is not None:
        raise KybRequired("The sub user must be approved first.")
    return found


@dataclass(frozen=True, slots=True)
class ScreeningCase:
    """A sub user to screen, with the names to look up."""

    sub_user: SubUser
    names: list[str] = field(repr=False)


async def list_screening(terms: KybTerms, tx: Transaction, limit: int) -> list[ScreeningCase]:
    """Sub users that nobody has looked at, oldest first."""
    cases = []
    for sub_user in await store.list_waiting(tx, KybStatus.PENDING, limit):
        profile, _, _ = await store.read_profile(tx, terms.cipher, sub_user)
        cases.append(ScreeningCase(sub_user, rules.names_of(profile or {})))
    return cases


async def record_screening(
    terms: KybTerms, tx: Transaction, case: ScreeningCase, *, hit: bool, reason: str | None
) -> SubUser | None:
    """Decide by what screening said; None when the sub user has changed meanwhile."""
    sub_user = await store.lock(tx, case.sub_user.merchant_id, case.sub_user.sub_user_id)
    if sub_user is None or sub_user.version != case.sub_user.version or sub_user.status is not KybStatus.PENDING:
        return None
    status = rules.decide(case.names, hit=hit, automatic=terms.automatic)
    changed = replace(
        sub_user,
        status=status,
        pending_actions=(rules.SANDBOX_ACTION,) if status is KybStatus.NEED_MORE else (),
        reject_reasons=(rules.SANDBOX_REASON,) if status is KybStatus.REJECTED else (),
        updated_at=tx.now,
    )
    await store.save(tx, changed)
    if hit:
        await store.set_note(tx, changed, reason)
    await events.status_changed(tx, changed)
    return changed


async def list_reviewing(tx: Transaction) -> list[SubUser]:
    """Sub users of all merchants that wait for the operator, oldest first."""
    return await store.list_waiting(tx, KybStatus.REVIEWING, _LISTED_AT_ONCE)


async def find_case(terms: KybTerms, tx: Transaction, sub_user_id: int) -> KybCase:
    """All that is known of a sub user, for the operator.

    Raises:
        SubUserNotFound: there is none of this id.
    """
    sub_user = await _owned(tx, sub_user_id)
    profile, documents, note = await store.read_profile(tx, terms.cipher, sub_user)
    found = await files.find(terms.files, tx, sub_user.merchant_id, [file_id for _, file_id in documents])
    by_id = {file.file_id: file for file in found}
    return KybCase(
        sub_user, profile, tuple((kind, by_id[file_id]) for kind, file_id in documents if file_id in by_id), note
    )


async def decide_kyb(tx: Transaction, sub_user_id: int, decision: Decision) -> SubUser:
    """An operator approves or rejects a sub user.

    Raises:
        SubUserNotFound: there is none of this id.
        InvalidState: erased, or in this state already.
        InvalidRequest: rejected without a reason.
    """
    if decision.approved:
        return await _decide(tx, sub_user_id, decision, KybStatus.APPROVED, "kyb.approve")
    if not decision.reason:
        raise InvalidRequest.of("reason", "is required to reject")
    return await _decide(tx, sub_user_id, decision, KybStatus.REJECTED, "kyb.reject", reasons=(decision.reason,))


async def ask_for_more(tx: Transaction, sub_user_id: int, decision: Decision, actions: Sequence[str]) -> SubUser:
    """An operator asks the merchant for more; the merchant answers by sharing again.

    Raises:
        SubUserNotFound: there is none of this id.
        InvalidState: erased, or asked already.
        InvalidRequest: nothing is asked for.
    """
    if not actions:
        raise InvalidRequest.of("actions", "must say what is asked for")
    return await _decide(tx, sub_user_id, decision, KybStatus.NEED_MORE, "kyb.ask", actions=tuple(actions))


async def _decide(
    tx: Transaction,
    sub_user_id: int,
    decision: Decision,
    status: KybStatus,
    action: str,
    *,
    actions: tuple[str, ...] = (),
    reasons: tuple[str, ...] = (),
) -> SubUser:
    sub_user = await _locked(tx, sub_user_id)
    rules.check_change(sub_user, status)
    changed = replace(sub_user, status=status, pending_actions=actions, reject_reasons=reasons, updated_at=tx.now)
    await store.save(tx, changed)
    await audit.record(
        tx,
        decision,
        merchant_id=sub_user.merchant_id,
        action=action,
        subject_id=sub_user_id,
        before=sub_user.status.value,
        after=status.value,
    )
    await events.status_changed(tx, changed)
    return changed


async def export_sub_user(terms: KybTerms, tx: Transaction, sub_user_id: int, decision: Decision) -> dict[str, Any]:
    """All that is kept of a sub user, as JSON values; that it was asked for is audited.

    Raises:
        SubUserNotFound: there is none of this id.
    """
    case = await find_case(terms, tx, sub_user_id)
    sub_user = case.sub_user
    await audit.record(
        tx,
        decision,
        merchant_id=sub_user.merchant_id,
        action="kyb.export",
        subject_id=sub_user_id,
        before=sub_user.status.value,
        after=sub_user.status.value,
    )
    return {
        "subUserId": str(sub_user.sub_user_id),
        "partnerUserId": sub_user.partner_user_id,
        "customerType": sub_user.customer_type.value,
        "status": sub_user.status.value,
        "createTime": to_milliseconds(sub_user.created_at),
        "updateTime": to_milliseconds(sub_user.updated_at),
        "profile": _plain(case.profile),
        "documents": [
            {"fileId": str(file.file_id), "kind": kind, "name": file.name, "contentType": file.content_type,
             "sha256": file.digest}
            for kind, file in case.documents
        ],
        "note": case.note,
    }  # fmt: skip


def _plain(profile: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if profile is None else dict(profile)


async def erase_sub_user(terms: KybTerms, tx: Transaction, sub_user_id: int, decision: Decision) -> SubUser:
    """Wipe a sub user's details and documents. The row and what the ledger says stay; nothing new can be opened.

    Raises:
        SubUserNotFound: there is none of this id.
        InvalidState: erased before.
    """
    sub_user = await _locked(tx, sub_user_id)
    if sub_user.erased_at is not None:
        raise InvalidState("The sub user is erased.")
    _, documents, _ = await store.read_profile(tx, terms.cipher, sub_user)
    await files.erase(tx, sub_user.merchant_id, [file_id for _, file_id in documents])
    changed = replace(
        sub_user,
        status=KybStatus.REJECTED,
        pending_actions=(),
        reject_reasons=("The details were erased.",),
        updated_at=tx.now,
        erased_at=tx.now,
    )
    await store.save(tx, changed)
    await store.set_profile(tx, terms.cipher, changed, None, [])
    await audit.record(
        tx,
        decision,
        merchant_id=sub_user.merchant_id,
        action="kyb.erase",
        subject_id=sub_user_id,
        before=sub_user.status.value,
        after="ERASED",
    )
    await events.status_changed(tx, changed)
    await events.sub_user_erased(tx, changed)
    return changed


async def _owned(tx: Transaction, sub_user_id: int) -> SubUser:
    owner = await store.owner_of(tx, sub_user_id)
    found = None if owner is None else await store.find(tx, owner, sub_user_id=sub_user_id, partner_user_id=None)
    if found is None:
        raise SubUserNotFound(f"There is no sub user {sub_user_id}.")
    return found


async def _locked(tx: Transaction, sub_user_id: int) -> SubUser:
    owner = await store.owner_of(tx, sub_user_id)
    found = None if owner is None else await store.lock(tx, owner, sub_user_id)
    if found is None:
        raise SubUserNotFound(f"There is no sub user {sub_user_id}.")
    return found
