"""Information requests: compliance asks about a virtual account, which is restricted until the answers are enough."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from bpn.audit import operations as audit
from bpn.audit.model import Decision
from bpn.chapters.accounts import events
from bpn.chapters.accounts.errors import InformationRequestNotFound, InvalidState
from bpn.chapters.accounts.model import (
    AccountStatus,
    AccountTerms,
    FieldKind,
    InformationRequest,
    InformationTemplate,
    RequestStatus,
    TemplateField,
)
from bpn.chapters.accounts.operations.accounts import require_account
from bpn.chapters.accounts.store import accounts
from bpn.chapters.accounts.store import papers as store
from bpn.database.pool import Transaction
from bpn.files import operations as files
from bpn.files.model import Upload
from bpn.kernel.errors import FieldError, InvalidRequest

_ANSWERABLE = frozenset({RequestStatus.OPEN, RequestStatus.REOPENED})
_LONGEST_ANSWER = 4000
_REFUSED_ANSWER = "REJECT"
"""A sandbox asks again when an answer is this word, and is content with every other."""


@dataclass(frozen=True, slots=True)
class RequestPage:
    """A page of information requests and how many match."""

    total: int
    requests: list[InformationRequest]


async def ask_information(
    terms: AccountTerms,
    tx: Transaction,
    merchant_id: int,
    account_id: int,
    template: str,
    question: str | None,
    decision: Decision,
) -> InformationRequest:
    """Ask a merchant about a virtual account; until that is closed it is RESTRICTED and its pay-ins wait.

    Raises:
        InvalidRequest: no such template.
        VirtualAccountNotFound: no such account.
        InvalidState: the account is not open.
    """
    _require_template(terms, template)
    account = await require_account(terms, tx, merchant_id, account_id)
    if account.status not in {AccountStatus.SUCCESS, AccountStatus.RESTRICTED}:
        raise InvalidState(f"The account is {account.status}; only about an open one can be asked.")
    request = InformationRequest(
        merchant_id=merchant_id,
        request_id=tx.ids.next(),
        account_id=account_id,
        template=template,
        question=question,
        status=RequestStatus.OPEN,
        reason=None,
        due_at=tx.now + terms.information_deadline,
        created_at=tx.now,
        updated_at=tx.now,
    )
    await store.insert_request(tx, request)
    await _restrict(terms, tx, request)
    await events.request_changed(tx, request)
    await _audit(tx, decision, request, "information.ask", account.status, request.status)
    return request


async def _restrict(terms: AccountTerms, tx: Transaction, request: InformationRequest) -> None:
    """Keep the account restricted until the earliest time at which an open request is due."""
    account = await require_account(terms, tx, request.merchant_id, request.account_id)
    if account.status not in {AccountStatus.SUCCESS, AccountStatus.RESTRICTED}:
        return
    waiting = await store.unclosed_of_account(tx, request.merchant_id, request.account_id)
    status = AccountStatus.RESTRICTED if waiting else AccountStatus.SUCCESS
    changed = replace(
        account,
        status=status,
        restricted_until=min((one.due_at for one in waiting), default=None),
        updated_at=tx.now,
    )
    await accounts.save(tx, changed)
    if status is not account.status:
        await events.account_changed(tx, changed)


async def list_information_requests(
    tx: Transaction,
    merchant_id: int,
    *,
    request_id: int | None,
    account_id: int | None,
    status: str | None,
    before: int | None,
    offset: int,
    limit: int,
) -> RequestPage:
    """What compliance has asked a merchant, newest first."""
    total, found = await store.page_requests(
        tx,
        merchant_id,
        request_id=request_id,
        account_id=account_id,
        status=status,
        before=before,
        offset=offset,
        limit=limit,
    )
    return RequestPage(total, found)


async def get_information_request_template(
    terms: AccountTerms, tx: Transaction, merchant_id: int, request_id: int
) -> tuple[InformationRequest, InformationTemplate]:
    """A request and the fields that it asks for; raises InformationRequestNotFound."""
    request = await _require(tx, merchant_id, request_id)
    return request, terms.templates[request.template]


async def submit_information_request(
    terms: AccountTerms,
    tx: Transaction,
    merchant_id: int,
    request_id: int,
    answers: Mapping[str, str | Upload],
) -> InformationRequest:
    """Answer a request; the operator decides, a sandbox at once.

    Args:
        terms: the chapter's terms.
        tx: the transaction.
        merchant_id: who answers.
        request_id: what.
        answers: by field of the template: text, one of the choices, a date (`2026-01-31`), a file.

    Raises:
        InformationRequestNotFound: no such request.
        InvalidState: it was answered already.
        InvalidRequest: a field is missing, unknown, or not of its kind.
    """
    request = await _require(tx, merchant_id, request_id, held=True)
    if request.status not in _ANSWERABLE:
        raise InvalidState(f"The request is {request.status}; only one that is OPEN or REOPENED can be answered.")
    check_answers(terms.templates[request.template].fields, answers)
    texts = {
        name: str((await files.keep(terms.files, tx, merchant_id, answer, f"answers.{name}")).file_id)
        if isinstance(answer, Upload)
        else answer.strip()
        for name, answer in answers.items()
    }
    await store.set_answers(tx, terms.cipher, request, json.dumps(texts))
    submitted = replace(request, status=RequestStatus.SUBMITTED, reason=None, updated_at=tx.now)
    await store.save_request(tx, submitted)
    await events.request_changed(tx, submitted)
    if not terms.decides_by_itself:
        return submitted
    enough = _REFUSED_ANSWER not in {answer.upper() for answer in texts.values()}
    decision = Decision(enough, "sandbox", None if enough else "The sandbox was told REJECT.")
    return await decide_information(terms, tx, merchant_id, request_id, decision)


def check_answers(fields: Sequence[TemplateField], answers: Mapping[str, str | Upload]) -> None:
    """Raise InvalidRequest unless every answer fits its field and none that is required is missing."""
    known = {field.name for field in fields}
    errors = [FieldError(f"answers.{name}", "is not asked for") for name in answers if name not in known]
    for field in fields:
        fault = _fault(field, answers.get(field.name, ""))
        if fault is not None:
            errors.append(FieldError(f"answers.{field.name}", fault))
    if errors:
        raise InvalidRequest(f"{errors[0].field} {errors[0].reason}.", errors)


def _fault(field: TemplateField, answer: str | Upload) -> str | None:
    if isinstance(answer, Upload):
        return None if field.kind is FieldKind.FILE else f"must be a {field.kind}"
    text = answer.strip()
    if not text:
        return "is required" if field.required else None
    faults = {
        FieldKind.TEXT: len(text) > _LONGEST_ANSWER and f"must have at most {_LONGEST_ANSWER} characters",
        FieldKind.CHOICE: text not in field.choices and f"must be one of {', '.join(field.choices)}",
        FieldKind.DATE: not _is_date(text) and "must be a date such as 2026-01-31",
        FieldKind.FILE: "must be a file",
    }
    return faults[field.kind] or None


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


async def list_open_requests(tx: Transaction) -> list[InformationRequest]:
    """Requests of all merchants that are not closed, oldest first."""
    return await store.open_requests(tx)


async def read_answers(terms: AccountTerms, tx: Transaction, request: InformationRequest) -> Mapping[str, str]:
    """What a merchant answered; empty before the first answer."""
    found = await store.answers_of(tx, terms.cipher, request)
    return {} if found is None else json.loads(found)


async def decide_information(
    terms: AccountTerms, tx: Transaction, merchant_id: int, request_id: int, decision: Decision
) -> InformationRequest:
    """Decide on answers: enough (CLOSED, pay-ins that wait go on), or ask again (REOPENED, with the reason).

    Raises:
        InformationRequestNotFound: no such request.
        InvalidState: it has not been answered, or is closed.
    """
    request = await _require(tx, merchant_id, request_id, held=True)
    if request.status is not RequestStatus.SUBMITTED:
        raise InvalidState(f"The request is {request.status}; only one that is SUBMITTED can be decided.")
    decided = replace(
        request,
        status=RequestStatus.CLOSED if decision.approved else RequestStatus.REOPENED,
        reason=None if decision.approved else decision.reason,
        due_at=request.due_at if decision.approved else tx.now + terms.information_deadline,
        updated_at=tx.now,
    )
    await store.save_request(tx, decided)
    await _restrict(terms, tx, decided)
    await events.request_changed(tx, decided)
    await _audit(
        tx,
        decision,
        decided,
        "information.approve" if decision.approved else "information.reject",
        request.status,
        decided.status,
    )
    return decided


async def _require(tx: Transaction, merchant_id: int, request_id: int, *, held: bool = False) -> InformationRequest:
    request = await store.find_request(tx, merchant_id, request_id, held=held)
    if request is None:
        raise InformationRequestNotFound(
            f"There is no information request {request_id}.", [FieldError("rfiId", "is unknown")]
        )
    return request


def _require_template(terms: AccountTerms, name: str) -> InformationTemplate:
    template = terms.templates.get(name)
    if template is None:
        raise InvalidRequest.of("template", f"is unknown; choose one of {', '.join(terms.templates)}")
    return template


async def _audit(
    tx: Transaction, decision: Decision, request: InformationRequest, action: str, before: str, after: str
) -> None:
    await audit.record(
        tx,
        decision,
        merchant_id=request.merchant_id,
        action=action,
        subject_id=request.request_id,
        before=before,
        after=after,
    )
