"""Banks of the world: the national lists that come with schwifty, BICs of the other countries, Mexico's by CLABE."""

from __future__ import annotations

import bisect
import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files

import clabe
from babel.numbers import get_territory_currencies
from schwifty import registry

from bpn.banking.numbers import CLABE_LENGTH

_HEAD_OFFICE = "XXX"
_BIC_LENGTH = 8


@dataclass(frozen=True, slots=True)
class Bank:
    """A bank, or a branch that has a code of its own.

    Attributes:
        number: its place in the whole list, from 1; stands while the list does.
        country: ISO 3166 alpha-2.
        name: as its registry has it.
        code: the national bank code, where there is one.
        bic: 8 or 11 characters, where known; the head office's `XXX` is left out.
    """

    number: int
    country: str
    name: str
    code: str | None
    bic: str | None


@dataclass(frozen=True, slots=True)
class BankPage:
    """Some banks in the list's order, and how many match in all."""

    total: int
    banks: Sequence[Bank]


def list_banks(
    *,
    country: str | None = None,
    currency: str | None = None,
    search: str | None = None,
    after: int = 0,
    offset: int = 0,
    limit: int,
) -> BankPage:
    """Banks by country and name.

    Args:
        country: of this country only.
        currency: of the countries whose legal tender this is, only.
        search: words that name, code or BIC must contain, in any case.
        after: only those whose `number` is larger.
        offset: how many to skip.
        limit: how many at most.
    """
    found: Sequence[Bank] = _in_countries(country, currency)
    if search and search.split():
        words = search.casefold().split()
        texts = _texts()
        found = [bank for bank in found if all(word in texts[bank.number - 1] for word in words)]
    first = bisect.bisect_right(found, after, key=lambda bank: bank.number) + offset
    return BankPage(len(found), found[first : first + limit])


def find_by_code(country: str, code: str) -> Bank | None:
    """The bank of a national code; the head office where branches share it."""
    return _by_code().get((country, code))


def find_by_bic(bic: str) -> Bank | None:
    """The bank of a BIC, else one of the same institution."""
    short = bic[:_BIC_LENGTH]
    known = _by_bic()
    return known.get(_short(bic) or "") or known.get(short)


def countries() -> list[str]:
    """The countries that banks are known of."""
    return sorted(_by_country())


def _in_countries(country: str | None, currency: str | None) -> Sequence[Bank]:
    if country is None and currency is None:
        return _banks()
    wanted = [country] if country is not None else list(_by_country())
    if currency is not None:
        wanted = [one for one in wanted if currency in tenders(one)]
    return [bank for one in wanted for bank in _by_country().get(one, ())]


@functools.cache
def tenders(country: str) -> frozenset[str]:
    """The currencies that are legal tender in a country now; empty for a country unknown."""
    return frozenset(get_territory_currencies(country))


@functools.cache
def _banks() -> tuple[Bank, ...]:
    rows = sorted(set(_rows()), key=lambda row: (row[0], row[1].casefold(), row[3], row[2]))
    return tuple(
        Bank(number, country, name, code or None, bic or None)
        for number, (country, name, code, bic) in enumerate(rows, start=1)
    )


def _rows() -> Iterator[tuple[str, str, str, str]]:
    """Country, name, code, BIC."""
    institutions = set()
    for bank in registry.get_all_banks():
        bic = _short(bank.bic) or ""
        institutions.add(bic[:_BIC_LENGTH])
        yield bank.country_code, bank.name.strip(), bank.bank_code or "", bic
    for line in files("bpn.banking").joinpath("banks.tsv").read_text(encoding="utf-8").splitlines():
        country, bic, name = line.split("\t")
        if bic not in institutions:
            yield country, name, "", bic
    for short_code, code in clabe.BANKS.items():
        yield "MX", clabe.BANK_NAMES[code], short_code, ""


def _short(bic: str | None) -> str | None:
    return bic.removesuffix(_HEAD_OFFICE) if bic and len(bic) > _BIC_LENGTH else bic or None


@functools.cache
def _by_country() -> dict[str, tuple[Bank, ...]]:
    grouped: dict[str, list[Bank]] = {}
    for bank in _banks():
        grouped.setdefault(bank.country, []).append(bank)
    return {country: tuple(banks) for country, banks in grouped.items()}


@functools.cache
def _texts() -> tuple[str, ...]:
    return tuple(f"{bank.name} {bank.code or ''} {bank.bic or ''}".casefold() for bank in _banks())


@functools.cache
def _by_code() -> dict[tuple[str, str], Bank]:
    # Of several with the same code the one with a head office's BIC stands for all.
    return {(bank.country, bank.code): bank for bank in sorted(_banks(), key=_rank) if bank.code is not None}


@functools.cache
def _by_bic() -> dict[str, Bank]:
    known: dict[str, Bank] = {}
    for bank in _by_head_office(_banks()):
        if bank.bic is not None:
            known.setdefault(bank.bic, bank)
            known.setdefault(bank.bic[:_BIC_LENGTH], bank)
    return known


def _by_head_office(banks: Iterable[Bank]) -> list[Bank]:
    return sorted(banks, key=_rank, reverse=True)


def _rank(bank: Bank) -> tuple[bool, bool, int]:
    """Larger is nearer to a head office."""
    return bank.bic is not None, len(bank.bic or "") == _BIC_LENGTH, -bank.number


def clabe_bank(number: str) -> Bank | None:
    """The bank that a CLABE names in its first three digits."""
    return find_by_code("MX", number[:3]) if len(number) == CLABE_LENGTH else None
