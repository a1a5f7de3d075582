"""Addresses that money may be withdrawn to."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints

from bpn.api.fields import (
    CurrencyCode,
    Identifier,
    MerchantReference,
    Milliseconds,
    NetworkName,
    PageQuery,
    ShortText,
    Wire,
)
from bpn.chapters.wallet import model
from bpn.chapters.wallet.schemas.parties import Country, PersonName
from bpn.chapters.wallet.schemas.words import AddressText
from bpn.kernel.clock import to_milliseconds


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


class Beneficiary(Wire):
    """Who is behind an address."""

    type: Annotated[Literal["individual", "company"], BeforeValidator(_lower)]
    first_name: PersonName | None = None
    last_name: PersonName | None = None
    company_name: PersonName | None = None
    country: Country | None = None


class WhitelistRequest(Wire):
    """Ask for an address to be allowed."""

    request_id: MerchantReference | None = None
    currency: CurrencyCode
    network: Annotated[NetworkName | None, Field(description="BSC when absent.")] = None
    address: AddressText
    tag: ShortText | None = None
    alias: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
    address_type: Annotated[Literal[1, 2], Field(description="1: the merchant's own; 2: a third party's.")]
    beneficiary: Beneficiary
    vasp: Annotated[PersonName | None, Field(description="The platform that hosts the address; null: self-hosted.")] = (
        None
    )
    vasp_name: PersonName | None = None

    def known_beneficiary(self) -> model.Beneficiary:
        """As the chapter knows it."""
        given = self.beneficiary
        return model.Beneficiary(
            given.type,
            given.first_name,
            given.last_name,
            given.company_name,
            given.country,
            self.vasp,
            self.vasp_name,
        )


class WhitelistEntry(Wire):
    """An address on the whitelist."""

    whitelist_id: Annotated[str, Field(examples=["179545447575900001"])]
    status: Literal["PENDING", "APPROVED", "REJECTED", "DELETED"]
    available_at: Annotated[Milliseconds, Field(description="Usable from this time on, once approved.")]
    currency: str
    network: str
    address: str
    tag: str | None
    alias: str
    address_type: Literal[1, 2]
    beneficiary: Beneficiary
    vasp: str | None
    vasp_name: str | None
    fail_reason: str | None
    create_time: Milliseconds

    @classmethod
    def of(cls, entry: model.WhitelistEntry) -> Self:
        """The wire form."""
        known = entry.beneficiary
        return cls.model_validate(
            {
                "whitelist_id": str(entry.whitelist_id),
                "status": entry.status.value,
                "available_at": to_milliseconds(entry.available_at),
                "currency": entry.currency,
                "network": entry.network,
                "address": entry.address,
                "tag": entry.tag,
                "alias": entry.alias,
                "address_type": entry.address_type,
                "beneficiary": {
                    "type": known.type,
                    "first_name": known.first_name,
                    "last_name": known.last_name,
                    "company_name": known.company_name,
                    "country": known.country,
                },
                "vasp": known.vasp,
                "vasp_name": known.vasp_name,
                "fail_reason": entry.fail_reason,
                "create_time": to_milliseconds(entry.created_at),
            }
        )


class WhitelistQuery(PageQuery):
    """Filters of the whitelist."""

    currency: CurrencyCode | None = None
    network: NetworkName | None = None
    status: Literal["PENDING", "APPROVED", "REJECTED"] | None = None


class DeleteWhitelistRequest(Wire):
    """Which entry: by id, or by currency, network and address."""

    whitelist_id: Identifier | None = None
    currency: CurrencyCode | None = None
    network: NetworkName | None = None
    address: AddressText | None = None
