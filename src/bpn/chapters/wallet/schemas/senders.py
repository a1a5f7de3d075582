"""Who sent a deposit."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints

from bpn.api.fields import Identifier, Milliseconds, Wire
from bpn.chapters.wallet import model
from bpn.chapters.wallet.schemas.parties import Country, PersonName
from bpn.chapters.wallet.schemas.words import TransactionHash
from bpn.kernel.clock import to_milliseconds
from bpn.kernel.errors import FieldError, InvalidRequest


class DepositSenderRequest(Wire):
    """Who sent a deposit, as the travel rule asks. `transactionId` or `hash` names the deposit."""

    hash: TransactionHash | None = None
    transaction_id: Identifier | None = None
    deposit_originator: Annotated[Literal[0, 1], Field(description="0: the merchant itself; 1: a third party.")]
    org_type: Annotated[Literal[0, 1], Field(description="The originator: 0 an individual, 1 a company.")]
    bnf_type: Annotated[Literal[0, 1], Field(description="The beneficiary: 0 an individual, 1 a company.")] = 0
    org_name: PersonName | None = None
    org_first_name: PersonName | None = None
    org_last_name: PersonName | None = None
    country: Country
    state: PersonName | None = None
    region: PersonName | None = None
    city: PersonName | None = None
    pin_code: PersonName | None = None
    address: Annotated[str | None, StringConstraints(max_length=256)] = None
    corp_name: PersonName | None = None
    corp_country: Country | None = None
    receive_from: Annotated[Literal[1, 2], Field(description="1: another platform; 2: a self-hosted wallet.")]
    vasp: PersonName | None = None
    vasp_name: Annotated[PersonName | None, Field(description="The platform, when vasp is others.")] = None
    declaration: Annotated[bool, Field(description="Must be true: the details are complete and correct.")]

    def check(self) -> None:
        """Raise InvalidRequest where a field that the others ask for is missing; lists them all."""
        company = self.org_type == 1
        required = [
            ("orgFirstName", self.org_first_name, not company, "is required for an individual"),
            ("orgLastName", self.org_last_name, not company, "is required for an individual"),
            ("corpName", self.corp_name, company, "is required for a company"),
            ("corpCountry", self.corp_country, company, "is required for a company"),
            ("vasp", self.vasp, self.receive_from == 1, "is required when receiveFrom is 1"),
            ("vaspName", self.vasp_name, self.vasp == "others", 'is required when vasp is "others"'),
        ]
        errors = [FieldError(name, reason) for name, value, asked, reason in required if asked and not value]
        if not self.declaration:
            errors.append(FieldError("declaration", "must be true"))
        if errors:
            raise InvalidRequest(f"{errors[0].field} {errors[0].reason}.", errors)

    def details(self) -> dict[str, object]:
        """What is kept of it: everything but the deposit's name."""
        return self.model_dump(by_alias=True, exclude={"hash", "transaction_id"})


class SenderRequiredEvent(Wire):
    """A deposit waits for its sender's details."""

    transaction_id: str
    hash: str | None
    wallet_id: int
    currency: str
    network: str
    amount: str
    from_address: str | None
    deadline: Annotated[Milliseconds, Field(description="After it the money stays held until an operator decides.")]

    @classmethod
    def of(cls, fact: model.SenderRequired) -> Self:
        """The wire form."""
        transaction = fact.transaction
        return cls(
            transaction_id=str(transaction.transaction_id),
            hash=transaction.hash,
            wallet_id=transaction.wallet_id,
            currency=transaction.amount.asset.currency,
            network=transaction.amount.asset.network or "",
            amount=str(transaction.amount),
            from_address=transaction.from_address,
            deadline=to_milliseconds(fact.deadline),
        )
