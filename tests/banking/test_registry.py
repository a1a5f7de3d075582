"""Lists of banks, what numbers say by themselves, which accounts can be had, how balances look."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from importlib.resources import files

import pytest

from bpn.banking import registry
from bpn.banking.bank_info import query_bank_info
from bpn.banking.display import balance_string
from bpn.banking.numbers import InvalidNumberError, parse_bic, parse_routing_number
from bpn.banking.supported_accounts import fiat_asset, find_supported_account, supported_accounts


class TestListBanks:
    def test_covers_the_world(self) -> None:
        assert len(registry.countries()) >= 180
        assert {"BR", "US", "DE", "GB", "MX", "HK", "SG"} <= set(registry.countries())

    def test_pages_skip_and_double_nothing(self) -> None:
        seen, after = [], 0
        while page := registry.list_banks(country="HU", after=after, limit=50).banks:
            seen += page
            after = page[-1].number
        total = registry.list_banks(country="HU", limit=1).total
        assert len(seen) == total == len(set(seen))
        assert seen == sorted(seen, key=lambda bank: bank.number)
        assert registry.list_banks(country="HU", offset=50, limit=50).banks == seen[50:100]

    def test_searches_names_codes_and_bics(self) -> None:
        for search in ("COMMERZBANK frankfurt", "50040000", "cobadeff"):
            found = registry.list_banks(country="DE", search=search, limit=1000)
            assert found.total == len(found.banks) > 0
            assert any("commerzbank" in bank.name.lower() for bank in found.banks)
        assert registry.list_banks(search="no such bank at all", limit=1).total == 0

    def test_by_currency(self) -> None:
        euro = registry.list_banks(currency="EUR", limit=100_000).banks
        assert {"DE", "FR", "IT"} <= {bank.country for bank in euro}
        assert {"BR", "US", "GB"}.isdisjoint({bank.country for bank in euro})
        assert registry.list_banks(currency="EUR", country="BR", limit=1).total == 0

    def test_every_bic_of_the_collection_is_one_of_its_country(self) -> None:
        for line in files("bpn.banking").joinpath("banks.tsv").read_text(encoding="utf-8").splitlines():
            country, bic, name = line.split("\t")
            assert parse_bic(bic)[4:6] == country
            assert name


class TestQueryBankInfo:
    @pytest.mark.parametrize(
        ("text", "kind", "country", "rail", "currency", "bank", "code", "bic"),
        [
            ("DE89 3704 0044 0532 0130 00", "IBAN", "DE", "SEPA", "EUR", "Commerzbank", "37040044", "COBADEFF"),
            ("GB29NWBK60161331926819", "IBAN", "GB", "FPS", "GBP", "National Westminster Bank", "NWBK", "NWBKGB2L"),
            ("002010077777777771", "CLABE", "MX", "SPEI", "MXN", "Banamex", "002", None),
            ("021000021", "ABA", "US", "ACH", "USD", "JPMorgan Chase Bank", "021000021", None),
            ("COBADEFFXXX", "BIC", "DE", "SWIFT", None, "Commerzbank", None, "COBADEFFXXX"),
            ("111.444.777-35", "PIX_CPF", "BR", "PIX", "BRL", None, None, None),
            ("16.727.230/0001-97", "PIX_CNPJ", "BR", "PIX", "BRL", None, None, None),
            ("ana@example.com", "PIX_EMAIL", "BR", "PIX", "BRL", None, None, None),
            ("+5511987654321", "PIX_PHONE", "BR", "PIX", "BRL", None, None, None),
            ("123e4567-e12b-12d1-a456-426655440000", "PIX_EVP", "BR", "PIX", "BRL", None, None, None),
        ],
    )
    def test_tells(
        self,
        text: str,
        kind: str,
        country: str,
        rail: str,
        currency: str | None,
        bank: str | None,
        code: str | None,
        bic: str | None,
    ) -> None:
        info = query_bank_info(text)
        assert (info.number_type, info.country, info.rail, info.currency) == (kind, country, rail, currency)
        assert (info.bank_name or "").lower().startswith((bank or "").lower())
        assert (info.bank_name is None) == (bank is None)
        if kind != "BIC":
            assert (info.bank_code, info.bic) == (code, bic)

    def test_a_hint_decides_what_the_shape_does_not(self) -> None:
        assert query_bank_info("11144477735", currency="BRL").number_type == "PIX_CPF"
        assert query_bank_info("021000021", country="US").district == "New York"
        assert query_bank_info("BR1500000000000010932840814P2", country="BR").number_type == "IBAN"

    @pytest.mark.parametrize(
        ("text", "country", "rule"),
        [
            ("DE89370400440532013001", None, "MOD 97-10"),
            ("002010077777777772", None, "last digit"),
            ("021000022", None, "ninth digit"),
            ("021000022", "MX", "18 digits"),
            ("11144477736", "BR", "CPF"),
            ("hello", None, "neither an IBAN"),
        ],
    )
    def test_refuses_with_the_rule(self, text: str, country: str | None, rule: str) -> None:
        with pytest.raises(InvalidNumberError, match=rule):
            query_bank_info(text, country)


def test_known_routing_numbers_have_right_check_digits() -> None:
    known = tomllib.loads(files("bpn.banking").joinpath("routing_numbers.toml").read_text())
    for numbers in known["banks"].values():
        for number in numbers:
            assert parse_routing_number(number) == number


class TestSupportedAccounts:
    def test_every_currency_of_the_contract_has_its_default_rail(self) -> None:
        defaults = {"BRL": "PIX", "USD": "ACH", "EUR": "SEPA", "GBP": "FPS", "MXN": "SPEI", "HKD": "SWIFT"}
        for currency, rail in defaults.items():
            account = find_supported_account(currency)
            assert account is not None
            assert account.default_rail == rail
        assert find_supported_account("BRL", "DE") is None
        assert find_supported_account("XXX") is None

    def test_limits_are_amounts_of_the_currency(self) -> None:
        for account in supported_accounts():
            asset = fiat_asset(account.currency)
            assert asset is not None
            for rail in account.rails:
                assert 0 < Decimal(rail.minimum) < Decimal(rail.maximum)
                assert -Decimal(rail.minimum).as_tuple().exponent <= asset.scale
                assert (rail.hours is None) != (rail.cut_off is None)

    def test_scales_follow_iso_4217(self) -> None:
        scales = {code: asset.scale for code in ("BRL", "JPY", "KWD", "ISK") if (asset := fiat_asset(code))}
        assert scales == {"BRL": 2, "JPY": 0, "KWD": 3, "ISK": 0}
        assert fiat_asset("USDT") is None


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("1234.56", "BRL", "R$ 1,234.56"),
        ("0", "EUR", "€ 0.00"),
        ("1234567.5", "USD", "$ 1,234,567.50"),
        ("1234", "JPY", "¥ 1,234"),
        ("-3.2", "GBP", "-£ 3.20"),
    ],
)
def test_balances_are_shown_in_english_grouping(amount: str, currency: str, shown: str) -> None:
    assert balance_string(Decimal(amount), currency) == shown
