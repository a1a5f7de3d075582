"""The wire shapes of the sandbox chapter."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bpn.api.fields import AmountText, CurrencyCode, LargeInteger, Milliseconds, NetworkName, Wire

_LONGEST_ADVANCE = 366 * 24 * 3600


class MockDepositRequest(Wire):
    """A deposit to make: a real token transfer on the sandbox's chain."""

    wallet_id: Annotated[LargeInteger | None, Field(description="The primary wallet when absent.")] = None
    currency: CurrencyCode
    network: Annotated[NetworkName | None, Field(description="BSC when absent.")] = None
    amount: AmountText
    from_address: Annotated[
        str | None, Field(description="The address to appear as the sender; any.", max_length=64)
    ] = None


class MockDeposit(Wire):
    """The transfer that was sent."""

    hash: Annotated[str, Field(description="In the next block.", examples=["0x" + "ab" * 32])]


class ClockRequest(Wire):
    """How far to move business time."""

    seconds: Annotated[int, Field(ge=1, le=_LONGEST_ADVANCE, examples=[3600])]


class ClockReading(Wire):
    """Business time."""

    now: Milliseconds
    offset_seconds: Annotated[int, Field(description="How far it is ahead of wall time.", examples=[3600])]
