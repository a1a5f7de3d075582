"""The travel-rule record of a deposit or withdrawal, as IVMS101."""

from __future__ import annotations

import json
from collections.abc import Mapping

from bpn.chapters.wallet.errors import TransactionNotFound
from bpn.chapters.wallet.model import Transaction, TransactionType, WalletTerms
from bpn.chapters.wallet.store import deposits, transactions, whitelist
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.kernel.errors import InvalidState
from bpn.kernel.ivms101 import Person, Place, Record, transfer_record

_HOSTED = 1
"""`receiveFrom` of a deposit that came from another platform."""


async def travel_rule_record(
    terms: WalletTerms,
    tx: DatabaseTransaction,
    merchant_id: int,
    transaction_id: int,
    *,
    merchant_name: str,
    platform_name: str,
) -> Record:
    """Who sent a deposit to the merchant, or whom it pays by a withdrawal.

    Args:
        terms: the chapter's terms.
        tx: the transaction.
        merchant_id: whose transaction it is.
        transaction_id: a deposit or a withdrawal.
        merchant_name: the merchant as the other side is told.
        platform_name: what this installation is called.

    Raises:
        TransactionNotFound: no such deposit or withdrawal.
        InvalidState: a deposit whose sender nobody has named, or a withdrawal to an address no longer listed.
    """
    transaction = await transactions.lock(tx, merchant_id, transaction_id)
    merchant = Person(merchant_name, None, None, None, None, str(merchant_id))
    if transaction is not None and transaction.transaction_type is TransactionType.DEPOSIT:
        return await _of_deposit(terms, tx, transaction, merchant, platform_name)
    if transaction is not None and transaction.transaction_type is TransactionType.WITHDRAW:
        return await _of_withdrawal(terms, tx, transaction, merchant, platform_name)
    raise TransactionNotFound(f"There is no deposit or withdrawal {transaction_id}.")


async def _of_deposit(
    terms: WalletTerms, tx: DatabaseTransaction, deposit: Transaction, merchant: Person, platform_name: str
) -> Record:
    if not await deposits.with_sender(tx, [deposit]):
        raise InvalidState("Nobody has named the deposit's sender yet.")
    details = json.loads(await deposits.sender_details(tx, terms.cipher, deposit) or "{}")
    return transfer_record(
        _originator(details, str(deposit.transaction_id)),
        merchant,
        from_account=deposit.from_address,
        to_account=deposit.to_address,
        from_vasp=_platform(details.get("vasp"), details.get("vaspName"))
        if details["receiveFrom"] == _HOSTED
        else None,
        to_vasp=platform_name,
    )


def _originator(details: Mapping[str, str | None], customer: str) -> Person:
    company = details.get("corpName")
    country = details.get("corpCountry") if company else details.get("country")
    place = Place(
        details.get("address"),
        details.get("city"),
        details.get("pinCode"),
        details.get("state") or details.get("region"),
        details.get("country"),
    )
    return Person(company, details.get("orgFirstName"), details.get("orgLastName"), country, place, customer)


async def _of_withdrawal(
    terms: WalletTerms, tx: DatabaseTransaction, withdrawal: Transaction, merchant: Person, platform_name: str
) -> Record:
    asset, address = withdrawal.amount.asset, withdrawal.to_address or ""
    entry = await whitelist.find_by_address(
        tx, terms.cipher, withdrawal.merchant_id, asset.network or "", asset.currency, address
    )
    if entry is None:
        raise InvalidState("The address is no longer on the whitelist, so its owner is not known here.")
    known = entry.beneficiary
    company = known.company_name if known.type == "company" else None
    return transfer_record(
        merchant,
        Person(company, known.first_name, known.last_name, known.country, None, str(entry.whitelist_id)),
        from_account=withdrawal.from_address,
        to_account=address,
        from_vasp=platform_name,
        to_vasp=_platform(known.vasp, known.vasp_name),
    )


def _platform(vasp: str | None, name: str | None) -> str | None:
    return name if vasp == "others" else vasp
