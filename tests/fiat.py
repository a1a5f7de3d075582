"""What tests of fiat do as a merchant: accounts, pay-ins, payouts, all through signed HTTP and the simulated bank."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bpn.chapters.accounts import operations as accounts
from bpn.chapters.accounts.model import VirtualAccount
from bpn.ports.readers import BankParty, PayIn
from installation import Installation, Merchant, Receiver

SOURCE = "SIMULATED"
NOW = datetime(2026, 6, 1, tzinfo=UTC)

CREATE = "/v1/virtual-account/sub/create"
PAYOUT = "/v1/virtual-account/order/payout"
REFUND = "/v1/virtual-account/order/refund"
MOCK_PAYIN = "/v1/mock/virtual-account/payin"
COMPANY = {
    "entityName": "Loja Azul Ltda",
    "industry": "E-commerce",
    "businessPlatformUrl": "https://loja.example",
    "registrationNumber": "11222333000181",
    "incorporatedCountry": "BR",
}
ANA = {"name": "Ana Sousa", "accountNumber": "123456", "bankCode": "001", "taxId": "12345678909"}
BENEFICIARIES: dict[str, dict[str, str]] = {
    "BRL": {"networkType": "PIX", "pixKey": "ana@example.com", "accountHolderName": "Ana Sousa"},
    "EUR": {"networkType": "SEPA", "iban": "DE89370400440532013000", "accountHolderName": "Max Muster"},
}


async def open_account(merchant: Merchant, currency: str = "BRL", **fields: object) -> dict[str, Any]:
    """A virtual account that the bank has opened."""
    made = await merchant.post(CREATE, {"currency": currency, **fields})
    return await merchant.installation.until(lambda: account(merchant, made["accountId"], "SUCCESS"))


async def account(merchant: Merchant, account_id: str, status: str | None = None) -> dict[str, Any] | None:
    found = await merchant.get("/v1/virtual-account/sub/detail", accountId=account_id)
    return found if status in {None, found["status"]} else None


async def balance(merchant: Merchant, currency: str = "BRL") -> tuple[str, str]:
    """What the master has available, and what is pending."""
    found = await merchant.get("/v1/virtual-account/primary/get-balance", currency=currency)
    return found["balance"], found["pendingBalance"]


async def primary(merchant: Merchant, currency: str = "BRL") -> str:
    return (await merchant.get("/v1/virtual-account/primary/get-balance", currency=currency))["primaryAccountId"]


async def order(merchant: Merchant, order_id: str, status: str | None = None) -> dict[str, Any] | None:
    found = await merchant.get("/v1/virtual-account/order/detail", orderId=order_id)
    return found if status in {None, found["status"]} else None


async def orders(merchant: Merchant, **filters: object) -> list[dict[str, Any]]:
    return (await merchant.get("/v1/virtual-account/order/list", **filters))["list"]


async def pay(merchant: Merchant, account_id: str, amount: str, **fields: object) -> dict[str, Any]:
    """The order of a pay-in that the bank will tell."""
    return await merchant.post(MOCK_PAYIN, {"accountId": account_id, "amount": amount, "payer": ANA, **fields})


async def receive(
    merchant: Merchant, account_id: str, amount: str, status: str = "SUCCESS", **fields: object
) -> dict[str, Any]:
    """A pay-in all the way to a state."""
    made = await pay(merchant, account_id, amount, **fields)
    return await merchant.installation.until(lambda: order(merchant, made["orderId"], status))


async def fund(merchant: Merchant, amount: str, currency: str = "BRL") -> str:
    """Bring an amount into the master account; the virtual account that it came through."""
    opened = await open_account(merchant, currency)
    await receive(merchant, opened["accountId"], amount)
    return opened["accountId"]


async def payout_body(merchant: Merchant, amount: str, currency: str = "BRL", **fields: object) -> dict[str, Any]:
    return {
        "virtualAccountId": await primary(merchant, currency),
        "currency": currency,
        "amount": amount,
        "beneficiary": BENEFICIARIES[currency],
        "purpose": "Supplier invoice 17",
        **fields,
    }


async def pay_out(merchant: Merchant, amount: str, currency: str = "BRL", **fields: object) -> dict[str, Any]:
    """A payout as accepted."""
    return await merchant.post(PAYOUT, await payout_body(merchant, amount, currency, **fields))


async def ended(merchant: Merchant, made: dict[str, Any], status: str) -> dict[str, Any]:
    """An order once it is in a state."""
    return await merchant.installation.until(lambda: order(merchant, made["orderId"], status))


async def known(house: Installation, merchant: Merchant, account_id: str) -> VirtualAccount:
    async with house.parts.database.reading() as tx:
        return await accounts.get_virtual_account(house.parts.account_terms, tx, merchant.merchant_id, int(account_id))


def told(opened: VirtualAccount, reference: str, amount: str = "10", **other: Any) -> PayIn:
    assert opened.numbers is not None
    fields: dict[str, Any] = {
        "reference": f"{opened.account_id}-{reference}",
        "handles": opened.numbers.handles,
        "currency": opened.asset.currency,
        "amount": amount,
        "payer": BankParty(name="Ana Sousa", account="123456"),
        "remittance": None,
        "end_to_end_id": None,
        "booked_at": NOW,
    }
    return PayIn(**(fields | other))


async def record(house: Installation, *entries: Any) -> None:
    async with house.parts.database.transaction() as tx:
        await accounts.record_entries(house.parts.account_terms, tx, SOURCE, entries)


async def exceptions(house: Installation, reference: str) -> list[str]:
    async with house.parts.database.transaction() as tx:
        found = await accounts.list_bank_exceptions(house.parts.account_terms, tx)
    return [one.reason for one in found if one.rail_reference == reference]


async def statuses_told(house: Installation, receiver: Receiver, event_type: str, count: int) -> list[str]:
    """The states of the first events of a type, in the order of their timestamps, once all have come."""

    async def all_have_come() -> bool:
        return len(receiver.of(event_type)) >= count

    await house.until(all_have_come)
    return [event["status"] for event in sorted(receiver.of(event_type), key=lambda event: event["timestamp"])]
