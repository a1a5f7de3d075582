"""Master and virtual accounts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field

from bpn.api.fields import (
    AmountText,
    Identifier,
    LargeInteger,
    MerchantReference,
    Milliseconds,
    PageQuery,
    ShortText,
    Wire,
    milliseconds_or_none,
    parse_time,
)
from bpn.banking.display import balance_string
from bpn.chapters.accounts import model
from bpn.chapters.accounts.schemas.words import (
    AccountStatusName,
    CountryCode,
    EmailAddress,
    EmailCodeText,
    FiatCode,
    RailName,
    SubUserId,
)
from bpn.kernel.clock import to_milliseconds
from bpn.kernel.errors import InvalidRequest
from bpn.ports.readers import AccountNumbers

_LONGEST_CODE = 366 * 24 * 3600


def _upper(value: Any) -> Any:
    return value.strip().upper() if isinstance(value, str) else value


class MasterBalanceQuery(Wire):
    """Which master account."""

    currency: FiatCode
    external_account_id: Annotated[
        ShortText | None, Field(description="Accepted for compatibility; there is one master account per currency.")
    ] = None


class MasterListQuery(PageQuery):
    """Filters of the list of master accounts."""

    currency: FiatCode | None = None


class MasterBalance(Wire):
    """What a master account holds."""

    primary_account_id: Annotated[
        str, Field(description="The `virtualAccountId` of payouts.", examples=["179545447575900001"])
    ]
    currency: str
    balance: Annotated[str, Field(description="What may be spent.", examples=["1234.56"])]
    pending_balance: Annotated[
        str, Field(description="Pay-ins that wait: an invoice is due, or an account is restricted.", examples=["0"])
    ]
    held_balance: Annotated[str, Field(description="Payouts and refunds in progress. Ours.", examples=["0"])]
    balance_string: Annotated[str, Field(description="`balance` for people.", examples=["R$ 1,234.56"])]
    create_time: Milliseconds

    @classmethod
    def of(cls, balance: model.MasterBalance) -> Self:
        """The wire form."""
        currency = balance.account.asset.currency
        return cls(
            primary_account_id=str(balance.account.account_id),
            currency=currency,
            balance=str(balance.available),
            pending_balance=str(balance.pending),
            held_balance=str(balance.held),
            balance_string=balance_string(balance.available.to_decimal(), currency),
            create_time=to_milliseconds(balance.account.created_at),
        )


class CompanyInfo(Wire):
    """A company that an account is for."""

    entity_name: ShortText | None = None
    industry: ShortText | None = None
    business_platform_url: Annotated[ShortText | None, Field(examples=["https://shop.example"])] = None
    registration_number: Annotated[ShortText | None, Field(examples=["11222333000181"])] = None
    incorporated_country: CountryCode | None = None


class IndividualInfo(Wire):
    """A person that an account is for."""

    first_name: ShortText | None = None
    last_name: ShortText | None = None
    industry: ShortText | None = None
    business_platform_url: Annotated[ShortText | None, Field(examples=["https://shop.example"])] = None
    tax_id_number: Annotated[ShortText | None, Field(examples=["12345678909"])] = None
    tax_country: CountryCode | None = None


class CreateAccountRequest(Wire):
    """Open a virtual account."""

    request_id: Annotated[MerchantReference | None, Field(description="The merchant's own id of this request.")] = None
    currency: FiatCode
    country: Annotated[CountryCode | None, Field(description="The currency's usual one when absent.")] = None
    rail: Annotated[RailName | None, Field(description="PIX, ACH, SEPA, FPS, SPEI or SWIFT when absent.")] = None
    account_sub_type: Annotated[
        Literal["STATIC", "DYNAMIC"],
        BeforeValidator(_upper),
        Field(description="DYNAMIC is a PIX code for one payment."),
    ] = "STATIC"
    pix_key_type: Annotated[
        Literal["CPF", "CNPJ", "EMAIL", "PHONE", "EVP"] | None, BeforeValidator(_upper), Field(description="Of BRL.")
    ] = None
    pix_key: Annotated[ShortText | None, Field(description="The key wished for; an EVP is made by the bank.")] = None
    amount: Annotated[AmountText | None, Field(description="What a DYNAMIC code asks for.")] = None
    expires_in: Annotated[
        LargeInteger | None, Field(ge=1, le=_LONGEST_CODE, description="Seconds that a DYNAMIC code is good for.")
    ] = None
    sub_user_id: SubUserId | None = None
    customer_type: Annotated[
        Literal["CORPORATE", "INDIVIDUAL"] | None,
        BeforeValidator(_upper),
        Field(description="Told by which of companyInfo and individualInfo is given, when absent."),
    ] = None
    company_name: Annotated[ShortText | None, Field(description="As companyInfo.entityName.")] = None
    company_info: CompanyInfo | None = None
    individual_info: IndividualInfo | None = None
    email: EmailAddress | None = None
    email_code: EmailCodeText | None = None

    def profile(self) -> model.Profile:
        """Whom the account is for, as the chapter knows it; raises InvalidRequest where both kinds are given."""
        told = self.customer_type
        if told is None and self.company_info is not None and self.individual_info is not None:
            raise InvalidRequest.of("customerType", "is required where both companyInfo and individualInfo are given")
        company = self.company_info or (CompanyInfo() if self.company_name else None)
        if company is not None and told != "INDIVIDUAL":
            return model.Profile(
                model.CustomerType.CORPORATE,
                company.entity_name or self.company_name,
                company.industry,
                company.business_platform_url,
                company.registration_number,
                company.incorporated_country,
                self.email,
            )
        if self.individual_info is not None and told != "CORPORATE":
            person = self.individual_info
            names = (person.first_name, person.last_name)
            return model.Profile(
                model.CustomerType.INDIVIDUAL,
                " ".join(name for name in names if name) if all(names) else None,
                person.industry,
                person.business_platform_url,
                person.tax_id_number,
                person.tax_country,
                self.email,
            )
        return model.Profile(customer_type=None if told is None else model.CustomerType(told), email=self.email)

    def expiry(self, now: datetime) -> datetime | None:
        """When a code that is made now ends."""
        return None if self.expires_in is None else now + timedelta(seconds=self.expires_in)


class AccountQuery(Wire):
    """Which virtual account."""

    account_id: Identifier


class CloseAccountRequest(Wire):
    """Which virtual account to close."""

    account_id: Identifier


class AccountListQuery(PageQuery):
    """Filters of the list of virtual accounts; all that are given must match."""

    account_id: Identifier | None = None
    sub_user_id: SubUserId | None = None
    currency: FiatCode | None = None
    status: AccountStatusName | None = None
    start_timestamp: Annotated[LargeInteger | None, Field(description="From this time on, Unix milliseconds.")] = None
    end_timestamp: Annotated[LargeInteger | None, Field(description="Before this time, Unix milliseconds.")] = None

    def filters(self) -> model.AccountFilter:
        """As the chapter knows them."""
        return model.AccountFilter(
            account_id=None if self.account_id is None else int(self.account_id),
            sub_user_id=self.sub_user_id,
            currency=self.currency,
            status=self.status,
            start=parse_time(self.start_timestamp, "startTimestamp"),
            end=parse_time(self.end_timestamp, "endTimestamp"),
        )


class VirtualAccount(Wire):
    """A virtual account. What its rail gives stands flat; fields of other rails are null."""

    account_id: Annotated[str, Field(examples=["179545447575900001"])]
    primary_account_id: Annotated[str, Field(description="The master account that its pay-ins settle into.")]
    status: AccountStatusName
    fail_reason: str | None
    currency: str
    country: str
    rail: RailName
    account_sub_type: Literal["STATIC", "DYNAMIC"]
    sub_user_id: str | None
    customer_type: Literal["CORPORATE", "INDIVIDUAL"] | None
    account_holder_name: str | None
    bank_name: str | None
    pix_key: str | None
    pix_key_type: Literal["CPF", "CNPJ", "EMAIL", "PHONE", "EVP"] | None
    pix_code: Annotated[str | None, Field(description="The BR Code to pay, as text.")]
    qr_image: Annotated[
        str | None, Field(description="URL of the BR Code as a picture: PNG, or SVG with `?format=svg`.")
    ]
    iban: str | None
    bic: str | None
    clabe: str | None
    routing_number: str | None
    account_number: str | None
    bank_code: str | None
    sort_code: str | None
    amount: Annotated[str | None, Field(description="What a DYNAMIC code asks for.")]
    expire_time: Annotated[Milliseconds | None, Field(description="When a DYNAMIC code ends.")]
    restricted_until: Annotated[
        Milliseconds | None, Field(description="While RESTRICTED: pay-ins that wait are given back after this time.")
    ]
    create_time: Milliseconds
    update_time: Milliseconds

    @classmethod
    def of(cls, account: model.VirtualAccount, base_url: str) -> Self:
        """The wire form; `base_url` is where public URLs begin."""
        numbers = account.numbers
        shown = numbers or AccountNumbers("", "", ())
        return cls.model_validate(
            {
                "account_id": str(account.account_id),
                "primary_account_id": str(account.primary_account_id),
                "status": account.status.value,
                "fail_reason": account.fail_reason,
                "currency": account.asset.currency,
                "country": account.country,
                "rail": account.rail,
                "account_sub_type": account.sub_type.value,
                "sub_user_id": account.sub_user_id,
                "customer_type": account.customer_type,
                "account_holder_name": shown.account_holder_name or None,
                "bank_name": shown.bank_name or None,
                "pix_key": shown.pix_key,
                "pix_key_type": shown.pix_key_type or account.pix_key_type,
                "pix_code": shown.pix_code,
                "qr_image": f"{base_url}/virtual-account/qr/{account.token}" if shown.pix_code else None,
                "iban": shown.iban,
                "bic": shown.bic,
                "clabe": shown.clabe,
                "routing_number": shown.routing_number,
                "account_number": shown.account_number,
                "bank_code": shown.bank_code,
                "sort_code": shown.sort_code,
                "amount": None if account.amount is None else str(account.amount),
                "expire_time": milliseconds_or_none(account.expires_at),
                "restricted_until": milliseconds_or_none(account.restricted_until),
                "create_time": to_milliseconds(account.created_at),
                "update_time": to_milliseconds(account.updated_at),
            }
        )
