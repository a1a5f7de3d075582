"""Types of the wire, for the schemas of all chapters: amounts, ids, times."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, StringConstraints, WithJsonSchema
from pydantic.alias_generators import to_camel

from bpn.kernel.assets import Asset
from bpn.kernel.clock import from_milliseconds, to_milliseconds
from bpn.kernel.errors import InvalidRequest
from bpn.kernel.money import InvalidAmountError, Money


@dataclass(frozen=True, slots=True)
class NumberLiteral:
    """A JSON number with a point or an exponent, kept as it was written: never read through a float."""

    text: str


class Wire(BaseModel):
    """The base of all schemas: camelCase on the wire, unknown fields ignored, types strict in bodies."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True, regex_engine="python-re"
    )


def _amount_text(value: Any) -> Any:
    if isinstance(value, NumberLiteral):
        return value.text
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value


def _integer(value: Any) -> Any:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return value


def _id_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


AmountText = Annotated[
    str,
    BeforeValidator(_amount_text, json_schema_input_type=str | float),
    StringConstraints(max_length=100),
    Field(description="A decimal in plain notation, at most the asset's scale.", examples=["190.99"]),
]
"""An amount as a request gives it; `parse_amount` makes it money once the asset is known."""

ExactNumber = Annotated[
    Decimal,
    PlainSerializer(lambda value: value, return_type=Decimal),
    WithJsonSchema({"type": "number", "examples": [10.5]}),
]
"""A JSON number printed exactly from the decimal."""

Milliseconds = Annotated[int, Field(description="Unix milliseconds.", examples=[1765454475759])]

LargeInteger = Annotated[int, BeforeValidator(_integer, json_schema_input_type=int | str), Field(ge=0, lt=2**53)]
"""An integer in a request: a JSON integer, or its digits as a string (as in a query)."""

Identifier = Annotated[
    str,
    BeforeValidator(_id_text, json_schema_input_type=str | int),
    StringConstraints(pattern=r"^[0-9]{1,18}$"),
    Field(examples=["179545447575900001"]),
]
"""An id of ours in a request: 18 decimal digits."""

MerchantReference = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128)]
"""The merchant's own id of a request."""

ShortText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=256)]
Remark = Annotated[str, StringConstraints(strip_whitespace=True, max_length=512)]
CurrencyCode = Annotated[
    str, StringConstraints(strip_whitespace=True, to_upper=True, min_length=2, max_length=16), Field(examples=["USDT"])
]
NetworkName = Annotated[
    str, StringConstraints(strip_whitespace=True, to_upper=True, min_length=2, max_length=16), Field(examples=["BSC"])
]


def parse_amount(text: str, asset: Asset, field: str = "amount") -> Money:
    """A positive amount of an asset.

    Raises:
        InvalidRequest: not a plain decimal, more decimals than the asset has, or zero; names the field.
    """
    try:
        money = Money.parse(text, asset)
    except InvalidAmountError as error:
        raise InvalidRequest.of(field, str(error)) from None
    if money.minor == 0:
        raise InvalidRequest.of(field, "must be greater than zero")
    return money


def parse_time(milliseconds: int | None, field: str) -> datetime | None:
    """A time given in Unix milliseconds.

    Raises:
        InvalidRequest: beyond the year 9999.
    """
    if milliseconds is None:
        return None
    try:
        return from_milliseconds(milliseconds)
    except OverflowError:
        raise InvalidRequest.of(field, "must be a time in Unix milliseconds") from None


def milliseconds_or_none(time: datetime | None) -> int | None:
    """Unix milliseconds of a time that may be unknown."""
    return None if time is None else to_milliseconds(time)


Item = TypeVar("Item", bound=BaseModel)
Row = TypeVar("Row")

LARGEST_PAGE = 200


class PageQuery(Wire):
    """What every list accepts."""

    page_num: Annotated[LargeInteger, Field(ge=1, le=10_000_000, description="From 1.")] = 1
    page_size: Annotated[LargeInteger, Field(ge=1, le=LARGEST_PAGE, description="1 to 200.")] = 20
    cursor: Annotated[
        Identifier | None, Field(description="From the answer before: the next rows, however deep. Ours.")
    ] = None


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which rows of a list: `before` (an id) continues a reading, else the page by number."""

    number: int
    size: int
    before: int | None

    @classmethod
    def of(cls, query: PageQuery) -> PageRequest:
        """As the query asks."""
        return cls(query.page_num, query.page_size, None if query.cursor is None else int(query.cursor))

    @property
    def offset(self) -> int:
        """Rows to skip."""
        return 0 if self.before is not None else (self.number - 1) * self.size


class Page(Wire, Generic[Item]):
    """One page of a list, newest first."""

    total: Annotated[
        int, Field(description="How many rows the filters match; beyond 10,000 it may be an estimate.", examples=[1])
    ]
    page_num: Annotated[int, Field(examples=[1])]
    page_size: Annotated[int, Field(examples=[20])]
    list: list[Item]
    cursor: Annotated[str | None, Field(description="Give it back for the next rows; null at the end. Ours.")] = None


def page_of(
    request: PageRequest, total: int, rows: list[Row], item: Callable[[Row], Item], row_id: Callable[[Row], int]
) -> Page[Item]:
    """A page of rows as wire items."""
    cursor = str(row_id(rows[-1])) if len(rows) == request.size else None
    return Page[Any](
        total=total, page_num=request.number, page_size=request.size, list=[item(row) for row in rows], cursor=cursor
    )
