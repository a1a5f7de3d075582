"""What tests of fiat do as a merchant: accounts, pay-ins, payouts, all through signed HTTP and the simulated bank."""

from __future__ import annotations

from typing import Any

from installation import Merchant

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
