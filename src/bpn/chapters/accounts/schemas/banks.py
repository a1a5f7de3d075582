"""Bank accounts of the merchant, banks of the world, supported accounts, email codes."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints

from bpn.api.fields import (
    Identifier,
    LargeInteger,
    MerchantReference,
    Milliseconds,
    PageQuery,
    ShortText,
    Wire,
    parse_time,
)
from bpn.banking import bank_info, registry, supported_accounts
from bpn.chapters.accounts import model
from bpn.chapters.accounts.schemas.words import CountryCode, EmailAddress, EmailCodeText, FiatCode, RailName
from bpn.kernel.clock import to_milliseconds
from bpn.kernel.errors import InvalidRequest

_OLD_TIME = "%Y-%m-%d %H:%M:%S"


def _lower(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


def _upper(value: Any) -> Any:
    return value.strip().upper() if isinstance(value, str) else value


AccountTypeName = Annotated[Literal["payer", "beneficiary"], BeforeValidator(_lower)]
PeriodText = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if isinstance(value, int) and not isinstance(value, bool) else value),
    StringConstraints(strip_whitespace=True, max_length=32),
    Field(description="Unix milliseconds, or `yyyy-MM-dd HH:mm:ss` UTC.", examples=["1765454475759"]),
]


def _period(text: str | None, field: str) -> datetime | None:
    if text is None:
        return None
    if re.fullmatch(r"[0-9]{1,15}", text):
        return parse_time(int(text), field)
    try:
        return datetime.strptime(text, _OLD_TIME).replace(tzinfo=UTC)
    except ValueError:
        raise InvalidRequest.of(field, "must be Unix milliseconds, or yyyy-MM-dd HH:mm:ss") from None


class BankAccountRequest(Wire):
    """Add a bank account."""

    request_id: Annotated[MerchantReference | None, Field(description="The merchant's own id of this request.")] = None
    account_type: AccountTypeName
    network_type: RailName
    country: CountryCode
    currency: FiatCode
    account_info: Annotated[
        dict[Annotated[str, StringConstraints(max_length=64)], Annotated[str, StringConstraints(max_length=256)]],
        Field(
            max_length=32,
            description="By rail. PIX: `pixKey`, or `cpfOrCnpj, bankCode, accountNumber`; SEPA: `iban`; SPEI: `clabe`;"
            " ACH and FEDWIRE: `routingNumber, accountNumber`; FPS: `sortCode, accountNumber`; SWIFT and LOCAL:"
            " `accountNumber`, `bic` or `bankCode`; always `accountHolderName`.",
            examples=[
                {
                    "cpfOrCnpj": "12345678909",
                    "bankCode": "001",
                    "accountNumber": "123456",
                    "accountHolderName": "Ana Sousa",
                }
            ],
        ),
    ]
    email: EmailAddress | None = None
    email_code: EmailCodeText | None = None


class BankAccount(Wire):
    """A bank account of the merchant."""

    account_id: Annotated[str, Field(description="The `bankAccountId` of payouts.", examples=["179545447575900001"])]
    status: Literal["PENDING", "APPROVED", "REJECTED"]
    account_type: AccountTypeName
    network_type: RailName
    country: str
    currency: str
    account_info: dict[str, str]
    fail_reason: str | None
    create_time: Milliseconds

    @classmethod
    def of(cls, account: model.BankAccount) -> Self:
        """The wire form."""
        return cls.model_validate(
            {
                "account_id": str(account.bank_account_id),
                "status": account.status.value,
                "account_type": account.account_type,
                "network_type": account.network_type,
                "country": account.country,
                "currency": account.currency,
                "account_info": dict(account.info),
                "fail_reason": account.fail_reason,
                "create_time": to_milliseconds(account.created_at),
            }
        )


class BankAccountListQuery(PageQuery):
    """Filters of the list of bank accounts; all that are given must match."""

    account_id: Identifier | None = None
    account_type: AccountTypeName | None = None
    network_type: RailName | None = None
    country: CountryCode | None = None
    currency: FiatCode | None = None
    create_time_start_period: PeriodText | None = None
    create_time_end_period: PeriodText | None = None

    def filters(self) -> model.BankAccountFilter:
        """As the chapter knows them."""
        return model.BankAccountFilter(
            bank_account_id=None if self.account_id is None else int(self.account_id),
            account_type=self.account_type,
            network_type=self.network_type,
            country=self.country,
            currency=self.currency,
            start=_period(self.create_time_start_period, "createTimeStartPeriod"),
            end=_period(self.create_time_end_period, "createTimeEndPeriod"),
        )


class BankInfoRequest(Wire):
    """A number to look up."""

    account_number: Annotated[
        ShortText, Field(description="An IBAN, CLABE, ABA, BIC or PIX key.", examples=["DE89370400440532013000"])
    ]
    country: CountryCode | None = None
    currency: FiatCode | None = None


class BankInfo(Wire):
    """What is known of a number."""

    account_number: Annotated[str, Field(description="In its one spelling.")]
    number_type: Annotated[str, Field(examples=["IBAN"])]
    bank_name: Annotated[str | None, Field(description="Null where no registry tells; a PIX key names no bank.")]
    bank_code: str | None
    bic: str | None
    country: str
    currency: str | None
    rail: RailName

    @classmethod
    def of(cls, info: bank_info.BankInfo) -> Self:
        """The wire form."""
        return cls.model_validate(
            {
                "account_number": info.number,
                "number_type": info.number_type,
                "bank_name": info.bank_name,
                "bank_code": info.bank_code,
                "bic": info.bic,
                "country": info.country,
                "currency": info.currency,
                "rail": info.rail,
            }
        )


class BankListQuery(PageQuery):
    """Filters of the list of banks."""

    country: CountryCode | None = None
    currency: Annotated[FiatCode | None, Field(description="Of the countries whose legal tender it is.")] = None
    search: Annotated[ShortText | None, Field(description="Words in name, code or BIC. Ours.")] = None


class Bank(Wire):
    """A bank, or a branch that has a code of its own."""

    country: str
    bank_name: str
    bank_code: str | None
    bic: str | None

    @classmethod
    def of(cls, bank: registry.Bank) -> Self:
        """The wire form."""
        return cls(country=bank.country, bank_name=bank.name, bank_code=bank.code, bic=bank.bic)


class SupportedAccountQuery(Wire):
    """Which kinds of account."""

    currency: FiatCode | None = None
    country: CountryCode | None = None


class SupportedRail(Wire):
    """A rail of an account; limits are of one payment."""

    rail: RailName
    minimum_amount: str
    maximum_amount: str
    hours: Annotated[str | None, Field(description="When it runs, if not by cut-off.", examples=["24/7"])]
    cut_off_time: Annotated[str | None, Field(description="Local to `timezone`.", examples=["16:00"])]
    timezone: str | None
    settlement: Annotated[str, Field(examples=["next business day"])]


class KybFields(Wire):
    """What must be told of the account's holder."""

    individual: list[str]
    corporate: list[str]


class SupportedAccount(Wire):
    """A kind of virtual account."""

    currency: str
    country: str
    default_rail: RailName
    rails: list[SupportedRail]
    account_sub_types: list[Literal["STATIC", "DYNAMIC"]]
    pix_key_types: list[Literal["CPF", "CNPJ", "EMAIL", "PHONE", "EVP"]]
    required_kyb_fields: KybFields

    @classmethod
    def of(cls, account: supported_accounts.SupportedAccount) -> Self:
        """The wire form."""
        return cls.model_validate(
            {
                "currency": account.currency,
                "country": account.country,
                "default_rail": account.default_rail,
                "rails": [
                    SupportedRail.model_validate(
                        {
                            "rail": rail.rail,
                            "minimum_amount": rail.minimum,
                            "maximum_amount": rail.maximum,
                            "hours": rail.hours,
                            "cut_off_time": rail.cut_off,
                            "timezone": rail.timezone,
                            "settlement": rail.settlement,
                        }
                    )
                    for rail in account.rails
                ],
                "account_sub_types": list(account.account_sub_types),
                "pix_key_types": list(account.pix_key_types),
                "required_kyb_fields": KybFields(
                    individual=list(account.individual_fields), corporate=list(account.corporate_fields)
                ),
            }
        )


class SupportedAccountList(Wire):
    """All kinds of account that match."""

    list: list[SupportedAccount]


class EmailCodeRequest(Wire):
    """Have a code sent."""

    email: EmailAddress
    scene: Annotated[Literal["CREATE_ACCOUNT", "PAYOUT", "ADD_BANK_ACCOUNT"], BeforeValidator(_upper)]


class EmailCode(Wire):
    """A code is on its way."""

    email: str
    scene: str
    expires_in: Annotated[LargeInteger, Field(description="Seconds.", examples=[600])]
