"""The wire shapes of the KYB chapter. What is shared is spelt in snake_case, as the public sample shows."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, Self

import pycountry
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StringConstraints

from bpn.api.fields import Identifier, MerchantReference, Milliseconds, NumberLiteral, Wire
from bpn.chapters.kyb import model
from bpn.files.model import Upload
from bpn.kernel.clock import to_milliseconds
from bpn.kernel.errors import FieldError, InvalidRequest

_COUNTRIES = {code for country in pycountry.countries for code in (country.alpha_2, country.alpha_3)}
_MOST_DOCUMENTS = 5
_MOST_OWNERS = 25


def _known_country(code: str) -> str:
    if code.upper() not in _COUNTRIES:
        raise ValueError("must be an ISO 3166-1 code")
    return code.upper()


def _number_text(value: Any) -> Any:
    if isinstance(value, NumberLiteral):
        return value.text
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _past_day(text: str) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError("must be a day such as 1990-12-31") from None
    if day > datetime.now(UTC).date():
        raise ValueError("must not be in the future")
    return text


Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=512)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=256)]
Country = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=3), AfterValidator(_known_country), Field(examples=["BR"])
]
Day = Annotated[
    str, StringConstraints(strip_whitespace=True), AfterValidator(_past_day), Field(examples=["1990-12-31"])
]
EmailAddress = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$"),
    Field(examples=["ana@example.com"]),
]
TextOrNumber = Annotated[
    str,
    BeforeValidator(_number_text, json_schema_input_type=str | float),
    StringConstraints(strip_whitespace=True, max_length=512),
    Field(description="A text or a number."),
]


class _Snake(Wire):
    model_config = ConfigDict(alias_generator=None)


class Address(_Snake):
    """A postal address."""

    line1: Text | None = None
    line2: Text | None = None
    city: Text | None = None
    region: Text | None = None
    postal_code: Text | None = None
    country: Country | None = None
    full_address: Text | None = None


class KycInfo(_Snake):
    """A person."""

    mobile_number: Text | None = None
    email: EmailAddress | None = None
    first_name: Name
    last_name: Name
    date_of_birth: Day | None = None
    nationality: Country | None = None
    id_type: Annotated[Text | None, Field(examples=["PASSPORT"])] = None
    id_number: Text | None = None
    residential_address: Address | None = None
    account_purpose: Text | list[Text] | None = None
    occupation: Text | None = None


class EntityDetails(_Snake):
    """A company."""

    business_name_en: Name
    business_name_zh: Text | None = None
    registered_business_number: Text | None = None
    certificate_of_incorporation_number: Text | None = None
    place_of_incorporation: Text | None = None
    registered_country_region: Country | None = None
    business_type: Text | None = None
    company_incorporation_date: Day | None = None
    registered_address: Address | None = None
    primary_operating_place: Text | None = None
    primary_operating_address: Address | None = None
    is_regulated_financial_institution: bool | Text | None = None
    is_listed_company: bool | Text | None = None
    is_government_owned_enterprise: bool | Text | None = None
    legal_entity_identifier: Text | None = None
    office_phone_number: Text | None = None
    email: EmailAddress | None = None


class BusinessDetails(_Snake):
    """What a company does."""

    industry_nature_of_business: Text | list[Text] | None = None
    locations_of_business: Text | list[Text] | None = None
    industry_details: Text | None = None
    years_in_business: TextOrNumber | None = None
    sales_turnover_previous_year: TextOrNumber | None = None


class FinancialProfile(_Snake):
    """Where a company's money comes from."""

    initial_source_of_funds: Text | list[Text] | None = None
    place_of_source_of_funds: Text | list[Text] | None = None
    recurring_source_of_funds: Text | list[Text] | None = None
    estimated_total_net_assets_usd: TextOrNumber | None = None
    estimated_net_liquid_assets_usd: TextOrNumber | None = None


class KybInfo(_Snake):
    """A company, what it does and where its money comes from."""

    entity_details: EntityDetails
    business_details: BusinessDetails | None = None
    financial_profile: FinancialProfile | None = None


class Owner(_Snake):
    """A person who owns or controls the company."""

    first_name: Name
    last_name: Name
    date_of_birth: Day | None = None
    nationality: Country | None = None
    id_type: Text | None = None
    id_number: Text | None = None
    ownership_percent: TextOrNumber | None = None


class Document(_Snake):
    """A file that proves something."""

    type: Annotated[Name, Field(description="What it is.", examples=["PASSPORT"])]
    name: Annotated[str, Field(examples=["passport.pdf"])]
    content_type: Annotated[str | None, Field(examples=["application/pdf"])] = None
    base64: Annotated[str, Field(description="PDF, PNG or JPEG, at most 5 MiB.", repr=False)]


class ShareRequest(_Snake):
    """A customer of the merchant: a person (`kyc_info`) or a company (`kyb_info`)."""

    request_id: MerchantReference | None = None
    partner_user_id: Annotated[MerchantReference, Field(description="The merchant's own id of the customer.")]
    customer_type: Literal["INDIVIDUAL", "CORPORATE"]
    sharing_scenario: Annotated[Text | None, Field(examples=["ON_RAMP"])] = None
    kyc_info: Annotated[KycInfo | None, Field(description="For an INDIVIDUAL.")] = None
    kyb_info: Annotated[KybInfo | None, Field(description="For a CORPORATE.")] = None
    documents: Annotated[
        list[Document] | None,
        Field(max_length=_MOST_DOCUMENTS, description="Added to those shared before. Ours."),
    ] = None
    owners: Annotated[list[Owner] | None, Field(max_length=_MOST_OWNERS, description="Ours.")] = None

    def sharing(self) -> model.Sharing:
        """What is shared.

        Raises:
            InvalidRequest: the information of this type of customer is missing.
        """
        wanted = "kyc_info" if self.customer_type == "INDIVIDUAL" else "kyb_info"
        if getattr(self, wanted) is None:
            reason = f"is required for a customer of type {self.customer_type}"
            raise InvalidRequest(f"{wanted} {reason}.", [FieldError(wanted, reason)])
        profile: dict[str, Any] = self.model_dump(
            mode="json", exclude={"request_id", "partner_user_id", "documents"}, exclude_none=True
        )
        return model.Sharing(
            self.partner_user_id,
            model.CustomerType(self.customer_type),
            profile,
            [(one.type, Upload(one.name, one.content_type, one.base64)) for one in self.documents or ()],
        )


class KybQuery(Wire):
    """Which sub user: by the merchant's id or by ours."""

    partner_user_id: MerchantReference | None = None
    sub_user_id: Annotated[Identifier | None, Field(description="Ours.")] = None


class SubUserStatus(Wire):
    """How far a sub user is."""

    sub_user_id: Annotated[str, Field(examples=["179545447575900001"])]
    partner_user_id: str
    status: Annotated[
        model.KybStatus,
        Field(description="PENDING, then REVIEWING where a person looks; NEED_MORE is answered by sharing again."),
    ]
    update_time: Milliseconds
    pending_actions: Annotated[list[str], Field(description="What is asked for while NEED_MORE.")]
    reject_reasons: Annotated[list[str], Field(description="Why it is REJECTED.")]

    @classmethod
    def of(cls, sub_user: model.SubUser) -> Self:
        """The wire form."""
        return cls(
            sub_user_id=str(sub_user.sub_user_id),
            partner_user_id=sub_user.partner_user_id,
            status=sub_user.status,
            update_time=to_milliseconds(sub_user.updated_at),
            pending_actions=list(sub_user.pending_actions),
            reject_reasons=list(sub_user.reject_reasons),
        )
