"""The fx chapter over HTTP: path, schema in, operation, schema out."""

from __future__ import annotations

from bpn.api.route import Merchant, Transaction, get
from bpn.chapters.fx import errors, operations, schemas
from bpn.chapters.fx.model import FxTerms
from bpn.kernel.errors import InvalidRequest


class FxRoutes:
    """The chapter's operations on the terms that the operator set."""

    def __init__(self, terms: FxTerms) -> None:
        self._terms = terms

    @get(
        "/v1/fx/rate",
        title="Inquery FX Rate",
        source="public-name",
        refusals=(errors.UnsupportedCurrency, errors.RateUnavailable, InvalidRequest),
    )
    async def get_fx_rate(self, tx: Transaction, merchant: Merchant, query: schemas.FxRateQuery) -> schemas.FxRate:
        """What one currency is in another: fiat and stablecoins alike, through USD where no direct rate is quoted."""
        quote = await operations.get_fx_rate(
            self._terms, tx, merchant.merchant_id, query.from_currency, query.to_currency
        )
        value = None if query.amount is None else operations.value_at_bid(query.amount, quote)
        return schemas.FxRate.of(query, quote, value)
