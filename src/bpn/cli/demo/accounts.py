"""What a merchant does with fiat in a day: a sub user is known, codes and accounts are paid, payouts leave, papers."""

from __future__ import annotations

import base64
from typing import Any

from bpn.cli.demo.stage import Stage, headline

_COMPANY = {
    "entityName": "Loja Azul Ltda",
    "industry": "E-commerce",
    "businessPlatformUrl": "https://loja.example",
    "registrationNumber": "11222333000181",
    "incorporatedCountry": "BR",
}
_PAYER = {"name": "Carla Dias", "accountNumber": "123456", "bankCode": "001", "taxId": "12345678909"}
_PDF = base64.b64encode(b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n").decode()
_PAYMENT = "VIRTUAL_ACCOUNT_PAYMENT_STATUS"


def play(stage: Stage) -> None:
    """The steps in order."""
    _know(stage)
    code = _brl_code(stage)
    _euro(stage)
    _payouts(stage, code)
    _refund(stage, code["payIn"])
    _invoice(stage)
    _question(stage, code["accountId"])


def _know(stage: Stage) -> None:
    headline("A customer of the merchant is shared and approved (KYB)")
    shared = stage.post(
        "/v1/kyb/share",
        {
            "request_id": "kyb-1",
            "partner_user_id": "customer-1",
            "customer_type": "CORPORATE",
            "sharing_scenario": "ON_RAMP",
            "kyb_info": {
                "entity_details": {
                    "business_name_en": "Loja Azul Ltda",
                    "registered_business_number": "11222333000181",
                    "registered_country_region": "BR",
                }
            },
        },
    )
    stage.hear("KYB_STATUS", shared["subUserId"], "APPROVED")


def _brl_code(stage: Stage) -> dict[str, Any]:
    headline("A PIX code over R$ 249.90 for that customer, opened by the bank and paid")
    opened = stage.post(
        "/v1/virtual-account/sub/create",
        {
            "requestId": "code-1",
            "currency": "BRL",
            "accountSubType": "DYNAMIC",
            "amount": "249.90",
            "expiresIn": 3600,
            "subUserId": "customer-1",
            "companyInfo": _COMPANY,
        },
    )
    told = stage.hear("OPEN_VIRTUAL_ACCOUNT_STATUS", opened["accountId"], "SUCCESS")["data"]
    stage.say(f"to pay    {told['pixCode']}")
    stage.say(f"picture   {told['qrImage']}")
    paid = _pay(stage, opened["accountId"], "249.90")
    stage.get("/v1/virtual-account/primary/get-balance", currency="BRL")
    return {"accountId": opened["accountId"], "primary": opened["primaryAccountId"], "payIn": paid}


def _pay(stage: Stage, account_id: str, amount: str, status: str = "SUCCESS", **other: object) -> str:
    body = {"accountId": account_id, "amount": amount, "payer": _PAYER, **other}
    order: str = stage.post("/v1/mock/virtual-account/payin", body)["orderId"]
    stage.hear(_PAYMENT, order, status)
    return order


def _euro(stage: Stage) -> None:
    headline("An account in euro: an IBAN of its own, paid by SEPA")
    opened = stage.post("/v1/virtual-account/sub/create", {"requestId": "euro-1", "currency": "EUR"})
    told = stage.hear("OPEN_VIRTUAL_ACCOUNT_STATUS", opened["accountId"], "SUCCESS")["data"]
    stage.say(f"IBAN      {told['iban']} at {told['bankName']}")
    _pay(stage, opened["accountId"], "1000")
    stage.get("/v1/virtual-account/primary/get-balance", currency="EUR")


def _payouts(stage: Stage, code: dict[str, Any]) -> None:
    headline("Two payouts by PIX: one arrives, one comes back and is credited with an order of its own")
    order = {
        "virtualAccountId": code["primary"],
        "currency": "BRL",
        "beneficiary": {"pixKey": "carla@example.com", "accountHolderName": "Carla Dias"},
        "purpose": "Supplier invoice 17",
    }
    sent = stage.post("/v1/virtual-account/order/payout", {**order, "merchantOrderId": "payout-1", "amount": "50"})
    stage.hear(_PAYMENT, sent["orderId"], "SUCCESS")
    back = stage.post("/v1/virtual-account/order/payout", {**order, "merchantOrderId": "payout-2", "amount": "20.67"})
    stage.hear(_PAYMENT, back["orderId"], "RETURNED")
    stage.get("/v1/virtual-account/order/list", orderType="RETURN")


def _refund(stage: Stage, pay_in: str) -> None:
    headline("A part of the pay-in goes back to whoever paid")
    refund = stage.post(
        "/v1/virtual-account/order/refund", {"merchantOrderId": "refund-1", "orderId": pay_in, "amount": "49.90"}
    )
    stage.hear(_PAYMENT, refund["orderId"], "SUCCESS")
    stage.get("/v1/virtual-account/order/detail", orderId=pay_in)


def _invoice(stage: Stage) -> None:
    headline("Pay-ins of businesses need an invoice here: the money waits until it is shown")
    stage.operate("merchant", "set", "INVOICE_FOR_BUSINESS", "true", "--merchant", str(stage.merchant_id))
    opened = stage.post("/v1/virtual-account/sub/create", {"requestId": "mxn-1", "currency": "MXN"})
    stage.hear("OPEN_VIRTUAL_ACCOUNT_STATUS", opened["accountId"], "SUCCESS")
    business = {**_PAYER, "name": "Loja Verde Ltda", "taxId": "11222333000181"}
    waiting = _pay(stage, opened["accountId"], "500", "INVOICE_REQUIRED", payer=business)
    stage.get("/v1/virtual-account/primary/get-balance", currency="MXN")
    invoice = stage.post(
        "/v1/virtual-account/invoice/submit",
        {
            "requestId": "invoice-1",
            "orderId": waiting,
            "invoiceNo": "2026-17",
            "invoiceDate": "2026-06-01",
            "amount": "500",
            "currency": "MXN",
            "buyer": {"name": "Loja Verde Ltda"},
            "seller": {"name": "Loja Azul Ltda"},
            "items": [{"description": "Chairs", "quantity": "5", "unitPrice": "100"}],
            "file": {"name": "invoice.pdf", "contentType": "application/pdf", "base64": _PDF},
        },
    )
    stage.hear("VIRTUAL_ACCOUNT_INVOICE", invoice["invoiceId"], "APPROVED")
    stage.hear(_PAYMENT, waiting, "SUCCESS")


def _question(stage: Stage, account_id: str) -> None:
    headline("Compliance asks about the account; it is restricted until the answer is enough")
    stage.operate(
        "rfi", "ask", str(stage.merchant_id), account_id, "--template", "SOURCE_OF_FUNDS", "--question", "What is sold?"
    )
    stage.hear("OPEN_VIRTUAL_ACCOUNT_STATUS", account_id, "RESTRICTED")
    (asked,) = stage.get("/v1/virtual-account/sub/rfi/list", accountId=account_id)["list"]
    stage.get("/v1/virtual-account/sub/rfi/template", rfiId=asked["rfiId"])
    answers = {"source": "SALES", "explanation": "Chairs."}
    stage.post("/v1/virtual-account/sub/rfi/submit", {"rfiId": asked["rfiId"], "answers": answers})
    stage.hear("SUB_VIRTUAL_ACCOUNT_RFI", asked["rfiId"], "CLOSED")
