"""Words and forms that several schemas share."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints


def _upper(value: Any) -> Any:
    return value.strip().upper() if isinstance(value, str) else value


def _lower(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


RailName = Annotated[Literal["PIX", "SWIFT", "SEPA", "LOCAL", "ACH", "FEDWIRE", "SPEI", "FPS"], BeforeValidator(_upper)]
FiatCode = Annotated[
    str,
    BeforeValidator(_upper),
    StringConstraints(pattern=r"^[A-Z]{3}$"),
    Field(examples=["BRL"]),
]
CountryCode = Annotated[
    str,
    BeforeValidator(_upper),
    StringConstraints(pattern=r"^[A-Z]{2}$"),
    Field(description="ISO 3166 alpha-2.", examples=["BR"]),
]
AccountStatusName = Annotated[Literal["INIT", "SUCCESS", "FAIL", "RESTRICTED", "CLOSED"], BeforeValidator(_upper)]
OrderTypeName = Annotated[Literal["PAYIN", "PAYOUT", "REFUND", "RETURN", "ORDER"], BeforeValidator(_upper)]
OrderStatusName = Annotated[
    Literal["PROCESSING", "INVOICE_REQUIRED", "ON_HOLD", "REVIEWING", "SUCCESS", "FAILED", "REJECTED", "RETURNED"],
    BeforeValidator(_upper),
]
InvoiceStatusName = Literal["NOT_REQUIRED", "REQUIRED", "SUBMITTED", "APPROVED", "REJECTED"]
EmailAddress = Annotated[
    str,
    BeforeValidator(_lower),
    StringConstraints(max_length=254, pattern=r"^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$"),
    Field(examples=["treasury@merchant.example"]),
]
EmailCodeText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, pattern=r"^[0-9]{6}$"),
    Field(description="Six digits from Send Email Verify Code; only where the merchant's setting demands one."),
]
SubUserId = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=128),
    Field(description="The sub user whom the account is for, as shared by Share KYB."),
]
