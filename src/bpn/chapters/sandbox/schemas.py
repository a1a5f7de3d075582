"""The wire shapes of the sandbox chapter."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bpn.api.fields import (
    AmountText,
    CurrencyCode,
    Identifier,
    LargeInteger,
    Milliseconds,
    NetworkName,
    ShortText,
    Wire,
)
from bpn.ports.readers import BankParty

_DEEPEST_REORG = 100
_LONGEST_OUTAGE = 3600
_LONGEST_ADVANCE = 366 * 24 * 3600


class MockDepositRequest(Wire):
    """A deposit to make: a real token transfer on the sandbox's chain."""

    wallet_id: Annotated[LargeInteger | None, Field(description="The primary wallet when absent.")] = None
    currency: CurrencyCode
    network: Annotated[NetworkName | None, Field(description="BSC when absent.")] = None
    amount: AmountText
    payment_id: Annotated[
        Identifier | None, Field(description="Pay this payment link instead, at its own address. Ours.")
    ] = None
    from_address: Annotated[
        str | None, Field(description="The address to appear as the sender; any.", max_length=64)
    ] = None


class MockDeposit(Wire):
    """The transfer that was sent."""

    hash: Annotated[str, Field(description="In the next block.", examples=["0x" + "ab" * 32])]


class MockPayer(Wire):
    """Who pays; made up where nothing is told."""

    name: Annotated[ShortText, Field(examples=["Carla Dias"])] = "Sandbox Payer"
    account_number: Annotated[ShortText, Field(description="IBAN, CLABE or account number.")] = "00012345678"
    bank_code: ShortText | None = None
    bic: ShortText | None = None
    bank_name: ShortText | None = None
    country: ShortText | None = None
    tax_id: Annotated[ShortText | None, Field(description="CPF or CNPJ digits; 14 digits are a business.")] = None
    pix_key: ShortText | None = None


class MockPayInRequest(Wire):
    """A payment to make to a virtual account, by the sandbox's bank."""

    account_id: Identifier
    amount: AmountText
    currency: Annotated[
        CurrencyCode | None, Field(description="The account's when absent; another one is given back.")
    ] = None
    payer: MockPayer = MockPayer()
    remittance: Annotated[ShortText | None, Field(description="What the payer writes.")] = None
    rail: Annotated[ShortText | None, Field(description="Accepted for compatibility; the account has its rail.")] = None
    delay_seconds: Annotated[
        int, Field(ge=0, le=_LONGEST_ADVANCE, description="Business time until the bank tells it.")
    ] = 0

    def party(self) -> BankParty:
        """The payer, as the bank tells it."""
        payer = self.payer
        return BankParty(
            name=payer.name,
            account=payer.account_number,
            bank_code=payer.bank_code,
            bic=payer.bic,
            bank_name=payer.bank_name,
            country=payer.country,
            tax_id=payer.tax_id,
            pix_key=payer.pix_key,
        )


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
