"""The wire shapes of the sandbox chapter."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bpn.api.fields import AmountText, CurrencyCode, LargeInteger, Milliseconds, NetworkName, Wire

_DEEPEST_REORG = 100
_LONGEST_OUTAGE = 3600
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


class ScenarioRequest(Wire):
    """Something that goes wrong outside."""

    name: Annotated[
        Literal["chain_reorg", "rpc_down"],
        Field(
            description="`chain_reorg` replaces the newest `blocks` of `network`; `rpc_down` has its node answer"
            " nothing for `seconds`."
        ),
    ]
    network: Annotated[NetworkName | None, Field(description="BSC when absent.")] = None
    blocks: Annotated[int, Field(ge=1, le=_DEEPEST_REORG, description="Of chain_reorg.", examples=[3])] = 1
    keep: Annotated[
        bool, Field(description="Of chain_reorg: whether the transactions of those blocks are mined again.")
    ] = True
    seconds: Annotated[int, Field(ge=1, le=_LONGEST_OUTAGE, description="Of rpc_down.", examples=[30])] = 10


class Scenario(Wire):
    """The scenario that was played."""

    name: str
    network: str


class ClockRequest(Wire):
    """How far to move business time."""

    seconds: Annotated[int, Field(ge=1, le=_LONGEST_ADVANCE, examples=[3600])]


class ClockReading(Wire):
    """Business time."""

    now: Milliseconds
    offset_seconds: Annotated[int, Field(description="How far it is ahead of wall time.", examples=[3600])]
