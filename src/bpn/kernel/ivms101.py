"""IVMS101, the interVASP messaging standard (2020): who sent a transfer and who received it, as one JSON record.

The standard is published by the Joint Working Group on interVASP Messaging Standards (intervasp.org). Kept here are
the rules that a record of ours can meet or miss: names of 100 characters at most, a legal name for each person,
countries as ISO 3166-1 codes in capitals, an address with a town and lines, and for each natural person one more thing
than a name that tells who it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Record = dict[str, Any]
_LONGEST_NAME, _LONGEST_LINE, _LONGEST_TOWN, _LONGEST_POST_CODE, _LONGEST_CUSTOMER = 100, 70, 35, 16, 50
_MOST_LINES = 7


@dataclass(frozen=True, slots=True)
class Place:
    """Where a person is; a record shows it where town and country are known, and an address."""

    lines: str | None
    town: str | None
    post_code: str | None
    subdivision: str | None
    country: str | None


@dataclass(frozen=True, slots=True)
class Person:
    """A natural person of two names, or (`company`) a legal person. `customer` is how we know them."""

    company: str | None
    first_name: str | None
    last_name: str | None
    country: str | None
    place: Place | None
    customer: str


def transfer_record(
    originator: Person,
    beneficiary: Person,
    *,
    from_account: str | None,
    to_account: str | None,
    from_vasp: str | None,
    to_vasp: str | None,
) -> Record:
    """The record of a transfer; a platform that is None is a wallet that its owner hosts."""
    record: Record = {
        "originator": {
            "originatorPersons": [_person(originator)],
            **({} if from_account is None else {"accountNumber": [from_account]}),
        },
        "beneficiary": {
            "beneficiaryPersons": [_person(beneficiary)],
            **({} if to_account is None else {"accountNumber": [to_account]}),
        },
    }
    if from_vasp is not None:
        record["originatingVASP"] = {"originatingVASP": _vasp(from_vasp)}
    if to_vasp is not None:
        record["beneficiaryVASP"] = {"beneficiaryVASP": _vasp(to_vasp)}
    return record


def _person(person: Person) -> Record:
    address = _address(person)
    shared = {} if address is None else {"geographicAddress": [address]}
    if person.company is not None:
        legal: Record = {"name": _legal_name(person.company), **shared}
        legal["customerNumber"] = person.customer[:_LONGEST_CUSTOMER]
        return {"legalPerson": legal | _country("countryOfRegistration", person.country)}
    names = {"primaryIdentifier": (person.last_name or "")[:_LONGEST_NAME]}
    if person.first_name:
        names["secondaryIdentifier"] = person.first_name[:_LONGEST_NAME]
    natural: Record = {"name": {"nameIdentifier": [{**names, "nameIdentifierType": "LEGL"}]}, **shared}
    natural["customerIdentification"] = person.customer[:_LONGEST_CUSTOMER]
    return {"naturalPerson": natural | _country("countryOfResidence", person.country)}


def _address(person: Person) -> Mapping[str, object] | None:
    place = person.place
    if place is None or not (place.lines and place.town and place.country):
        return None
    lines = [place.lines[start : start + _LONGEST_LINE] for start in range(0, len(place.lines), _LONGEST_LINE)]
    shown: dict[str, object] = {
        "addressType": "BIZZ" if person.company is not None else "HOME",
        "addressLine": lines[:_MOST_LINES],
        "townName": place.town[:_LONGEST_TOWN],
        "country": place.country.upper(),
    }
    if place.post_code:
        shown["postCode"] = place.post_code[:_LONGEST_POST_CODE]
    if place.subdivision:
        shown["countrySubDivision"] = place.subdivision[:_LONGEST_TOWN]
    return shown


def _vasp(name: str) -> Record:
    return {"legalPerson": {"name": _legal_name(name)}}


def _legal_name(name: str) -> Record:
    identifier = {"legalPersonName": name[:_LONGEST_NAME], "legalPersonNameIdentifierType": "LEGL"}
    return {"nameIdentifier": [identifier]}


def _country(field: str, code: str | None) -> Record:
    return {field: code.upper()} if code else {}
