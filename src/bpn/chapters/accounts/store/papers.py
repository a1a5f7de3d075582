"""SQL of bank accounts, invoices and information requests: what a merchant tells of itself and others, sealed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter

from bpn.chapters.accounts.model import (
    BankAccount,
    BankAccountFilter,
    BankAccountStatus,
    InformationRequest,
    Invoice,
    InvoicePaperStatus,
    RequestStatus,
)
from bpn.database.pool import Transaction
from bpn.kernel.assets import Asset
from bpn.kernel.encryption import Cipher
from bpn.kernel.money import Money
from bpn.ports.readers import BankParty

_PARTIES = TypeAdapter(BankParty)
_BANK_ACCOUNT = """
    b.merchant_id, b.bank_account_id, b.account_type, b.network_type, b.country, b.currency, b.sealed_info, b.status,
    b.fail_reason, b.created_at
"""


async def insert_bank_account(tx: Transaction, cipher: Cipher, account: BankAccount) -> None:
    """Add a bank account."""
    told = json.dumps({"info": dict(account.info), "party": _PARTIES.dump_python(account.party)})
    await tx.connection.execute(
        """
        INSERT INTO bank_accounts (merchant_id, bank_account_id, account_type, network_type, country, currency,
            sealed_info, status, fail_reason, created_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            account.merchant_id,
            account.bank_account_id,
            account.account_type,
            account.network_type,
            account.country,
            account.currency,
            cipher.seal(told.encode(), _bank_account_place(account.bank_account_id)),
            account.status,
            account.fail_reason,
            account.created_at,
        ),
    )


def _bank_account_place(bank_account_id: int) -> str:
    return f"bank_accounts/{bank_account_id}"


async def save_bank_account(tx: Transaction, account: BankAccount) -> None:
    """Write a bank account's state; the caller holds its row."""
    await tx.connection.execute(
        "UPDATE bank_accounts SET status = %s, fail_reason = %s WHERE merchant_id = %s AND bank_account_id = %s",
        (account.status, account.fail_reason, account.merchant_id, account.bank_account_id),
    )


async def find_bank_account(
    tx: Transaction, cipher: Cipher, merchant_id: int, bank_account_id: int, *, held: bool = False
) -> BankAccount | None:
    """A bank account of a merchant; `held` until this transaction ends."""
    lock = " FOR UPDATE" if held else ""
    cursor = await tx.connection.execute(
        f"SELECT {_BANK_ACCOUNT} FROM bank_accounts b WHERE b.merchant_id = %s AND b.bank_account_id = %s{lock}",
        (merchant_id, bank_account_id),
    )
    row = await cursor.fetchone()
    return None if row is None else _bank_account(cipher, row)


async def pending_bank_accounts(tx: Transaction, cipher: Cipher, limit: int = 500) -> list[BankAccount]:
    """Bank accounts of all merchants that wait for the operator, oldest first."""
    cursor = await tx.connection.execute(
        f"SELECT {_BANK_ACCOUNT} FROM bank_accounts b WHERE b.status = 'PENDING' ORDER BY b.bank_account_id LIMIT %s",
        (limit,),
    )
    return [_bank_account(cipher, row) for row in await cursor.fetchall()]


async def page_bank_accounts(
    tx: Transaction,
    cipher: Cipher,
    merchant_id: int,
    filters: BankAccountFilter,
    *,
    before: int | None,
    offset: int,
    limit: int,
) -> tuple[int, list[BankAccount]]:
    """How many bank accounts match, and a page of them, newest first."""
    conditions = [
        ("b.bank_account_id = %(bank_account_id)s", filters.bank_account_id is not None),
        ("b.account_type = %(account_type)s", filters.account_type is not None),
        ("b.network_type = %(network_type)s", filters.network_type is not None),
        ("b.country = %(country)s", filters.country is not None),
        ("b.currency = %(currency)s", filters.currency is not None),
        ("b.created_at >= %(start)s", filters.start is not None),
        ("b.created_at < %(end)s", filters.end is not None),
    ]
    where = " AND ".join(["b.merchant_id = %(merchant_id)s", *(sql for sql, given in conditions if given)])
    parameters = {
        "merchant_id": merchant_id,
        "bank_account_id": filters.bank_account_id,
        "account_type": filters.account_type,
        "network_type": filters.network_type,
        "country": filters.country,
        "currency": filters.currency,
        "start": filters.start,
        "end": filters.end,
        "before": before,
        "offset": offset,
        "limit": limit,
    }
    cursor = await tx.connection.execute(f"SELECT count(*) FROM bank_accounts b WHERE {where}", parameters)
    (total,) = await cursor.fetchall()
    keyset = " AND b.bank_account_id < %(before)s" if before is not None else ""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_BANK_ACCOUNT} FROM bank_accounts b WHERE {where}{keyset}
        ORDER BY b.bank_account_id DESC OFFSET %(offset)s LIMIT %(limit)s
        """,
        parameters,
    )
    return total[0], [_bank_account(cipher, row) for row in await cursor.fetchall()]


def _bank_account(cipher: Cipher, row: Sequence[Any]) -> BankAccount:
    told = json.loads(cipher.open(bytes(row[6]), _bank_account_place(row[1])))
    return BankAccount(
        merchant_id=row[0],
        bank_account_id=row[1],
        account_type=row[2],
        network_type=row[3],
        country=row[4],
        currency=row[5],
        info=told["info"],
        party=_PARTIES.validate_python(told["party"]),
        status=BankAccountStatus(row[7]),
        fail_reason=row[8],
        created_at=row[9],
    )


_INVOICE = """
    i.merchant_id, i.invoice_id, i.order_id, i.invoice_number, i.invoice_date, i.currency, i.scale, i.amount::text,
    i.sealed_content, i.file_id, i.status, i.fail_reason, i.created_at, i.updated_at
"""


def _invoice_place(invoice_id: int) -> str:
    return f"virtual_account_invoices/{invoice_id}"


async def insert_invoice(tx: Transaction, cipher: Cipher, invoice: Invoice) -> None:
    """Add an invoice."""
    await tx.connection.execute(
        """
        INSERT INTO virtual_account_invoices (merchant_id, invoice_id, order_id, invoice_number, invoice_date,
            currency, scale, amount, sealed_content, file_id, status, fail_reason, created_at, updated_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            invoice.merchant_id,
            invoice.invoice_id,
            invoice.order_id,
            invoice.invoice_number,
            invoice.invoice_date,
            invoice.amount.asset.currency,
            invoice.amount.asset.scale,
            invoice.amount.minor,
            cipher.seal(invoice.content.encode(), _invoice_place(invoice.invoice_id)),
            invoice.file_id,
            invoice.status,
            invoice.fail_reason,
            invoice.created_at,
            invoice.updated_at,
        ),
    )


async def save_invoice(tx: Transaction, invoice: Invoice) -> None:
    """Write an invoice's state; the caller holds its row."""
    await tx.connection.execute(
        """
        UPDATE virtual_account_invoices SET status = %s, fail_reason = %s, updated_at = %s
        WHERE merchant_id = %s AND invoice_id = %s
        """,
        (invoice.status, invoice.fail_reason, invoice.updated_at, invoice.merchant_id, invoice.invoice_id),
    )


async def lock_invoice(tx: Transaction, cipher: Cipher, merchant_id: int, invoice_id: int) -> Invoice | None:
    """An invoice, held until this transaction ends."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_INVOICE} FROM virtual_account_invoices i WHERE i.merchant_id = %s AND i.invoice_id = %s FOR UPDATE
        """,
        (merchant_id, invoice_id),
    )
    row = await cursor.fetchone()
    return None if row is None else _invoice(cipher, row)


async def submitted_invoices(tx: Transaction, cipher: Cipher, limit: int = 500) -> list[Invoice]:
    """Invoices of all merchants that wait for the operator, oldest first."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_INVOICE} FROM virtual_account_invoices i WHERE i.status = 'SUBMITTED' ORDER BY i.invoice_id LIMIT %s
        """,
        (limit,),
    )
    return [_invoice(cipher, row) for row in await cursor.fetchall()]


async def page_invoices(
    tx: Transaction,
    cipher: Cipher,
    merchant_id: int,
    *,
    invoice_id: int | None,
    order_id: int | None,
    status: str | None,
    before: int | None,
    offset: int,
    limit: int,
) -> tuple[int, list[Invoice]]:
    """How many invoices match, and a page of them, newest first."""
    conditions = [
        ("i.invoice_id = %(invoice_id)s", invoice_id is not None),
        ("i.order_id = %(order_id)s", order_id is not None),
        ("i.status = %(status)s", status is not None),
    ]
    where = " AND ".join(["i.merchant_id = %(merchant_id)s", *(sql for sql, given in conditions if given)])
    parameters = {
        "merchant_id": merchant_id,
        "invoice_id": invoice_id,
        "order_id": order_id,
        "status": status,
        "before": before,
        "offset": offset,
        "limit": limit,
    }
    cursor = await tx.connection.execute(f"SELECT count(*) FROM virtual_account_invoices i WHERE {where}", parameters)
    (total,) = await cursor.fetchall()
    keyset = " AND i.invoice_id < %(before)s" if before is not None else ""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_INVOICE} FROM virtual_account_invoices i WHERE {where}{keyset}
        ORDER BY i.invoice_id DESC OFFSET %(offset)s LIMIT %(limit)s
        """,
        parameters,
    )
    return total[0], [_invoice(cipher, row) for row in await cursor.fetchall()]


def _invoice(cipher: Cipher, row: Sequence[Any]) -> Invoice:
    return Invoice(
        merchant_id=row[0],
        invoice_id=row[1],
        order_id=row[2],
        invoice_number=row[3],
        invoice_date=row[4],
        amount=Money(int(row[7]), Asset(row[5], None, row[6])),
        content=cipher.open(bytes(row[8]), _invoice_place(row[1])).decode(),
        file_id=row[9],
        status=InvoicePaperStatus(row[10]),
        fail_reason=row[11],
        created_at=row[12],
        updated_at=row[13],
    )


_REQUEST = """
    r.merchant_id, r.request_id, r.account_id, r.template, r.question, r.status, r.fail_reason, r.due_at,
    r.created_at, r.updated_at
"""


def _request_place(request_id: int) -> str:
    return f"information_requests/{request_id}"


async def insert_request(tx: Transaction, request: InformationRequest) -> None:
    """Add an information request."""
    await tx.connection.execute(
        """
        INSERT INTO information_requests (merchant_id, request_id, account_id, template, question, status, due_at,
            created_at, updated_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            request.merchant_id,
            request.request_id,
            request.account_id,
            request.template,
            request.question,
            request.status,
            request.due_at,
            request.created_at,
            request.updated_at,
        ),
    )


async def save_request(tx: Transaction, request: InformationRequest) -> None:
    """Write an information request's state; the caller holds its row."""
    await tx.connection.execute(
        """
        UPDATE information_requests SET status = %s, fail_reason = %s, due_at = %s, updated_at = %s
        WHERE merchant_id = %s AND request_id = %s
        """,
        (
            request.status,
            request.reason,
            request.due_at,
            request.updated_at,
            request.merchant_id,
            request.request_id,
        ),
    )


async def set_answers(tx: Transaction, cipher: Cipher, request: InformationRequest, answers: str) -> None:
    """Keep the answers to an information request (JSON), sealed."""
    await tx.connection.execute(
        "UPDATE information_requests SET sealed_answers = %s WHERE merchant_id = %s AND request_id = %s",
        (
            cipher.seal(answers.encode(), _request_place(request.request_id)),
            request.merchant_id,
            request.request_id,
        ),
    )


async def answers_of(tx: Transaction, cipher: Cipher, request: InformationRequest) -> str | None:
    """The answers to an information request (JSON), opened; None before the first."""
    cursor = await tx.connection.execute(
        "SELECT sealed_answers FROM information_requests WHERE merchant_id = %s AND request_id = %s",
        (request.merchant_id, request.request_id),
    )
    (row,) = await cursor.fetchall()
    return None if row[0] is None else cipher.open(bytes(row[0]), _request_place(request.request_id)).decode()


async def find_request(
    tx: Transaction, merchant_id: int, request_id: int, *, held: bool = False
) -> InformationRequest | None:
    """An information request; `held` until this transaction ends."""
    lock = " FOR UPDATE" if held else ""
    cursor = await tx.connection.execute(
        f"SELECT {_REQUEST} FROM information_requests r WHERE r.merchant_id = %s AND r.request_id = %s{lock}",
        (merchant_id, request_id),
    )
    row = await cursor.fetchone()
    return None if row is None else _request(row)


async def open_requests(tx: Transaction, limit: int = 500) -> list[InformationRequest]:
    """Information requests of all merchants that are not closed, oldest first."""
    cursor = await tx.connection.execute(
        f"SELECT {_REQUEST} FROM information_requests r WHERE r.status <> 'CLOSED' ORDER BY r.request_id LIMIT %s",
        (limit,),
    )
    return [_request(row) for row in await cursor.fetchall()]


async def unclosed_of_account(tx: Transaction, merchant_id: int, account_id: int) -> list[InformationRequest]:
    """What is still asked about an account."""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_REQUEST} FROM information_requests r
        WHERE r.merchant_id = %s AND r.account_id = %s AND r.status <> 'CLOSED'
        """,
        (merchant_id, account_id),
    )
    return [_request(row) for row in await cursor.fetchall()]


async def page_requests(
    tx: Transaction,
    merchant_id: int,
    *,
    request_id: int | None,
    account_id: int | None,
    status: str | None,
    before: int | None,
    offset: int,
    limit: int,
) -> tuple[int, list[InformationRequest]]:
    """How many information requests match, and a page of them, newest first."""
    conditions = [
        ("r.request_id = %(request_id)s", request_id is not None),
        ("r.account_id = %(account_id)s", account_id is not None),
        ("r.status = %(status)s", status is not None),
    ]
    where = " AND ".join(["r.merchant_id = %(merchant_id)s", *(sql for sql, given in conditions if given)])
    parameters = {
        "merchant_id": merchant_id,
        "request_id": request_id,
        "account_id": account_id,
        "status": status,
        "before": before,
        "offset": offset,
        "limit": limit,
    }
    cursor = await tx.connection.execute(f"SELECT count(*) FROM information_requests r WHERE {where}", parameters)
    (total,) = await cursor.fetchall()
    keyset = " AND r.request_id < %(before)s" if before is not None else ""
    cursor = await tx.connection.execute(
        f"""
        SELECT {_REQUEST} FROM information_requests r WHERE {where}{keyset}
        ORDER BY r.request_id DESC OFFSET %(offset)s LIMIT %(limit)s
        """,
        parameters,
    )
    return total[0], [_request(row) for row in await cursor.fetchall()]


def _request(row: Sequence[Any]) -> InformationRequest:
    return InformationRequest(
        merchant_id=row[0],
        request_id=row[1],
        account_id=row[2],
        template=row[3],
        question=row[4],
        status=RequestStatus(row[5]),
        reason=row[6],
        due_at=row[7],
        created_at=row[8],
        updated_at=row[9],
    )
