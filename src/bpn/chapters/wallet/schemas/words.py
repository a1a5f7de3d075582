"""Words and forms that several schemas share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

TransactionTypeName = Literal["DEPOSIT", "WITHDRAW", "INTERNAL_TRANSFER", "ORDER", "REFUND"]
StatusName = Literal[
    "CONFIRMING",
    "SENDER_REQUIRED",
    "SCREENING",
    "COMPLETED",
    "FROZEN",
    "ORPHANED",
    "REVIEWING",
    "PROCESSING",
    "BROADCAST",
    "SUCCESS",
    "FAILED",
    "REJECTED",
    "CANCELLED",
    "RETURNING",
    "RETURNED",
    "CREATED",
    "AWAITING_FUNDS",
    "EXPIRED",
    "REFUNDED",
]
TransactionHash = Annotated[
    str,
    StringConstraints(strip_whitespace=True, to_lower=True, pattern=r"^0x[0-9a-f]{64}$"),
    Field(examples=["0x" + "ab" * 32]),
]
AddressText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=128),
    Field(description="An address of the network; EIP-55 is checked when the case is mixed."),
]
