"""Invoices and information requests."""

from __future__ import annotations

import json
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints

from bpn.api.fields import (
    AmountText,
    Identifier,
    MerchantReference,
    Milliseconds,
    PageQuery,
    ShortText,
    Wire,
)
from bpn.chapters.accounts import model
from bpn.chapters.accounts.schemas.words import CountryCode, FiatCode
from bpn.files.model import Upload
from bpn.kernel.clock import to_milliseconds
from bpn.kernel.errors import InvalidRequest


def _upper(value: Any) -> Any:
    return value.strip().upper() if isinstance(value, str) else value


DateText = Annotated[
    str, StringConstraints(strip_whitespace=True, pattern=r"^\d{4}-\d{2}-\d{2}$"), Field(examples=["2026-01-31"])
]


class FileUpload(Wire):
    """A file: PDF, PNG or JPEG, at most 5 MiB."""

    name: Annotated[ShortText, Field(examples=["invoice.pdf"])]
    content_type: Annotated[ShortText | None, Field(examples=["application/pdf"])] = None
    base64: Annotated[str, Field(description="The bytes, in the standard alphabet.")]

    def upload(self) -> Upload:
        """As files are kept."""
        return Upload(self.name, self.content_type, self.base64)


class InvoiceParty(Wire):
    """The buyer or the seller."""

    name: ShortText
    address: ShortText | None = None
    country: CountryCode | None = None
    tax_id: ShortText | None = None


class InvoiceItem(Wire):
    """A line of an invoice."""

    description: ShortText
    quantity: Annotated[AmountText | None, Field(examples=["2"])] = None
    unit_price: Annotated[AmountText | None, Field(examples=["50"])] = None
    amount: AmountText | None = None


class InvoiceRequest(Wire):
    """Show an invoice for a pay-in."""

    request_id: Annotated[MerchantReference | None, Field(description="The merchant's own id of this request.")] = None
    order_id: Annotated[Identifier, Field(description="The pay-in.")]
    invoice_no: Annotated[ShortText, Field(examples=["2026-0017"])]
    invoice_date: DateText
    amount: Annotated[AmountText, Field(description="At least the pay-in.")]
    currency: FiatCode
    buyer: InvoiceParty
    seller: InvoiceParty
    items: Annotated[list[InvoiceItem], Field(max_length=500, default_factory=list)]
    file: FileUpload

    def day(self) -> date:
        """The invoice's date; raises InvalidRequest."""
        try:
            return date.fromisoformat(self.invoice_date)
        except ValueError:
            raise InvalidRequest.of("invoiceDate", "must be a date such as 2026-01-31") from None

    def content(self) -> str:
        """What is kept of it sealed, as JSON."""
        return json.dumps(
            {
                "buyer": self.buyer.model_dump(by_alias=True),
                "seller": self.seller.model_dump(by_alias=True),
                "items": [item.model_dump(by_alias=True) for item in self.items],
            }
        )


class InvoiceListQuery(PageQuery):
    """Filters of the list of invoices."""

    invoice_id: Identifier | None = None
    order_id: Identifier | None = None
    status: Annotated[Literal["SUBMITTED", "APPROVED", "REJECTED"] | None, BeforeValidator(_upper)] = None


class Invoice(Wire):
    """An invoice and how it stands."""

    invoice_id: Annotated[str, Field(examples=["179545447575900001"])]
    order_id: str
    status: Literal["SUBMITTED", "APPROVED", "REJECTED"]
    fail_reason: str | None
    invoice_no: str
    invoice_date: str
    amount: str
    currency: str
    file_id: str
    create_time: Milliseconds
    update_time: Milliseconds

    @classmethod
    def of(cls, invoice: model.Invoice) -> Self:
        """The wire form."""
        return cls(
            invoice_id=str(invoice.invoice_id),
            order_id=str(invoice.order_id),
            status=invoice.status.value,
            fail_reason=invoice.fail_reason,
            invoice_no=invoice.invoice_number,
            invoice_date=invoice.invoice_date.isoformat(),
            amount=str(invoice.amount),
            currency=invoice.amount.asset.currency,
            file_id=str(invoice.file_id),
            create_time=to_milliseconds(invoice.created_at),
            update_time=to_milliseconds(invoice.updated_at),
        )


RequestStatusName = Literal["OPEN", "SUBMITTED", "CLOSED", "REOPENED"]


class InformationRequestListQuery(PageQuery):
    """Filters of the list of information requests."""

    rfi_id: Identifier | None = None
    account_id: Identifier | None = None
    status: Annotated[RequestStatusName | None, BeforeValidator(_upper)] = None


class InformationRequest(Wire):
    """What compliance asks about a virtual account."""

    rfi_id: Annotated[str, Field(examples=["179545447575900001"])]
    account_id: str
    status: RequestStatusName
    template: Annotated[str, Field(examples=["SOURCE_OF_FUNDS"])]
    question: str | None
    reason: Annotated[str | None, Field(description="Why the answers were not enough.")]
    due_time: Annotated[Milliseconds, Field(description="After this time pay-ins that wait are given back.")]
    create_time: Milliseconds
    update_time: Milliseconds

    @classmethod
    def of(cls, request: model.InformationRequest) -> Self:
        """The wire form."""
        return cls(
            rfi_id=str(request.request_id),
            account_id=str(request.account_id),
            status=request.status.value,
            template=request.template,
            question=request.question,
            reason=request.reason,
            due_time=to_milliseconds(request.due_at),
            create_time=to_milliseconds(request.created_at),
            update_time=to_milliseconds(request.updated_at),
        )


class InformationTemplateQuery(Wire):
    """Of which request."""

    rfi_id: Identifier


class TemplateField(Wire):
    """A question to answer."""

    name: Annotated[str, Field(description="The key of the answer.")]
    label: str
    type: Literal["text", "choice", "date", "file"]
    required: bool
    choices: list[str]


class InformationTemplate(Wire):
    """The fields that a request asks for."""

    rfi_id: str
    template: str
    title: str
    question: str | None
    fields: list[TemplateField]

    @classmethod
    def of(cls, request: model.InformationRequest, template: model.InformationTemplate) -> Self:
        """The wire form."""
        return cls(
            rfi_id=str(request.request_id),
            template=template.name,
            title=template.title,
            question=request.question,
            fields=[
                TemplateField(
                    name=one.name,
                    label=one.label,
                    type=one.kind.value,
                    required=one.required,
                    choices=list(one.choices),
                )
                for one in template.fields
            ],
        )


class InformationSubmission(Wire):
    """Answers to a request."""

    rfi_id: Identifier
    answers: Annotated[
        dict[str, str | FileUpload],
        Field(
            max_length=50,
            description="By field: text, one of the choices, a date, or a file.",
            examples=[{"source": "SALES", "explanation": "Sales of our shop."}],
        ),
    ]

    def read(self) -> dict[str, str | Upload]:
        """As the chapter knows them."""
        return {
            name: answer.upload() if isinstance(answer, FileUpload) else answer for name, answer in self.answers.items()
        }
