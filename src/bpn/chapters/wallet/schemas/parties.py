"""How people and countries are named."""

from __future__ import annotations

from typing import Annotated

import pycountry
from pydantic import AfterValidator, Field, StringConstraints

_COUNTRIES = frozenset(country.alpha_2 for country in pycountry.countries)


def _known_country(code: str) -> str:
    if code.upper() in _COUNTRIES:
        return code.lower()
    raise ValueError("must be an ISO 3166-1 alpha-2 code")


Country = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=2), AfterValidator(_known_country), Field(examples=["mx"])
]
PersonName = Annotated[str, StringConstraints(strip_whitespace=True, max_length=128)]
