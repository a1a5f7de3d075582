"""SQL of email codes: digests at rest, address and code sealed until the mail is handed over."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from bpn.chapters.accounts.model import EmailScene
from bpn.database.pool import Transaction
from bpn.kernel.encryption import Cipher


@dataclass(frozen=True, slots=True)
class UnsentCode:
    """A code whose mail has not been handed over."""

    merchant_id: int
    code_id: int
    scene: EmailScene
    address: str
    code: str


def _address(cipher: Cipher, address: str) -> bytes:
    return cipher.digest(address.encode(), "email_codes/address")


def _code(cipher: Cipher, code_id: int, code: str) -> bytes:
    return cipher.digest(code.encode(), f"email_codes/{code_id}")


def _mail(code_id: int) -> str:
    return f"email_codes/mail/{code_id}"


async def insert(tx: Transaction, cipher: Cipher, unsent: UnsentCode, expires_at: datetime) -> None:
    """Add a code; the mail is sent by a job."""
    mail = json.dumps([unsent.address, unsent.code]).encode()
    await tx.connection.execute(
        """
        INSERT INTO email_codes (merchant_id, code_id, scene, address_digest, code_digest, sealed_mail, expires_at,
            created_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            unsent.merchant_id,
            unsent.code_id,
            unsent.scene,
            _address(cipher, unsent.address),
            _code(cipher, unsent.code_id, unsent.code),
            cipher.seal(mail, _mail(unsent.code_id)),
            expires_at,
            tx.now,
        ),
    )


async def lock_address(tx: Transaction, cipher: Cipher, address: str) -> None:
    """Have requests for codes to one address come one after the other until this transaction ends."""
    key = int.from_bytes(_address(cipher, address)[:8], signed=True)
    await tx.connection.execute("SELECT pg_advisory_xact_lock(%s)", (key,))


async def sent_since(
    tx: Transaction, cipher: Cipher, merchant_id: int, address: str, since: datetime
) -> list[datetime]:
    """When codes were asked for to this address since a time, oldest first."""
    cursor = await tx.connection.execute(
        """
        SELECT created_at FROM email_codes
        WHERE merchant_id = %s AND address_digest = %s AND created_at >= %s ORDER BY code_id
        """,
        (merchant_id, _address(cipher, address), since),
    )
    return [row[0] for row in await cursor.fetchall()]


async def use(
    tx: Transaction, cipher: Cipher, merchant_id: int, scene: EmailScene, address: str | None, code: str, tries: int
) -> bool:
    """Try a code on the newest one of its scene and address (None: any); a right one is used up, a wrong one counts."""
    cursor = await tx.connection.execute(
        """
        SELECT code_id, code_digest FROM email_codes
        WHERE merchant_id = %(merchant_id)s AND scene = %(scene)s AND NOT used AND expires_at > %(now)s
          AND tries < %(tries)s AND (%(address)s::bytea IS NULL OR address_digest = %(address)s)
        ORDER BY code_id DESC LIMIT 1 FOR UPDATE
        """,
        {
            "merchant_id": merchant_id,
            "scene": scene,
            "now": tx.now,
            "tries": tries,
            "address": None if address is None else _address(cipher, address),
        },
    )
    row = await cursor.fetchone()
    if row is None:
        return False
    right = bytes(row[1]) == _code(cipher, row[0], code)
    await tx.connection.execute(
        "UPDATE email_codes SET tries = tries + 1, used = %s WHERE merchant_id = %s AND code_id = %s",
        (right, merchant_id, row[0]),
    )
    return right


async def unsent(tx: Transaction, cipher: Cipher, limit: int) -> list[UnsentCode]:
    """Codes whose mail has still to be handed over, oldest first."""
    cursor = await tx.connection.execute(
        """
        SELECT merchant_id, code_id, scene, sealed_mail FROM email_codes
        WHERE sealed_mail IS NOT NULL ORDER BY code_id LIMIT %s
        """,
        (limit,),
    )
    found = []
    for merchant_id, code_id, scene, sealed in await cursor.fetchall():
        address, code = json.loads(cipher.open(bytes(sealed), _mail(code_id)))
        found.append(UnsentCode(merchant_id, code_id, EmailScene(scene), address, code))
    return found


async def forget_mail(tx: Transaction, merchant_id: int, code_id: int) -> None:
    """The mail has been handed over, or never will be: only digests stay."""
    await tx.connection.execute(
        "UPDATE email_codes SET sealed_mail = NULL WHERE merchant_id = %s AND code_id = %s", (merchant_id, code_id)
    )
