"""For chapters above: quotes that hold longer, and their movements for a chain that another chapter posts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bpn.chapters.orders.errors import QuoteExpired, QuoteNotFound, QuoteUsed
from bpn.chapters.orders.model import OrderTerms, Quote, QuoteCommand
from bpn.chapters.orders.operations.market import read_market
from bpn.chapters.orders.operations.quoting import get_stablecoin_quote, use_quotes
from bpn.chapters.orders.rules import settling
from bpn.chapters.orders.store import quotes as store
from bpn.controls.model import Operation
from bpn.database.pool import Transaction
from bpn.kernel.errors import Refusal
from bpn.ledger import operations as ledger
from bpn.ledger.model import Account, Movement


async def make_long_quote(terms: OrderTerms, tx: Transaction, command: QuoteCommand, lifetime: timedelta) -> Quote:
    """A quote that holds for `lifetime`; it counts to the merchant's open quotes as any other.

    Raises what `get_stablecoin_quote` refuses.
    """
    (quote,) = await get_stablecoin_quote(replace(terms, quote_lifetime=lifetime), tx, [command])
    if isinstance(quote, Refusal):
        raise quote
    return quote


async def take_quote(
    terms: OrderTerms, tx: Transaction, merchant_id: int, quote_id: str, payer: Account, payee: Account, order_id: int
) -> tuple[Quote, tuple[Movement, ...]]:
    """Use a quote for an order of the chapter above: the quote, and every movement of it. Post them in one chain.

    Args:
        terms: the chapter's terms.
        tx: the transaction.
        merchant_id: whose quote.
        quote_id: which quote.
        payer: the merchant's account that gives.
        payee: the merchant's account that receives.
        order_id: the order of the chapter above.

    Raises:
        QuoteNotFound, QuoteUsed, QuoteExpired: it cannot be used.
        LiquidityUnavailable, RateUnavailable: it cannot be filled now.
        ServicePaused: orders are switched off.
    """
    quote = (await store.lock_many(tx, terms.assets, [(merchant_id, quote_id)])).get((merchant_id, quote_id))
    if quote is None:
        raise QuoteNotFound("There is no such quote.")
    if quote.order_id is not None:
        raise QuoteUsed("The quote was used before.")
    if quote.expires_at <= tx.now:
        raise QuoteExpired("The quote's time is over; ask for a new one.")
    view = await terms.controls.view(tx)
    for asset in (quote.paid.asset, quote.received.asset):
        view.require_running(merchant_id, Operation.ORDER, asset)
    reading = await read_market(terms, tx, [merchant_id], to_fill=True)
    route = reading.market.refill(merchant_id, quote.route)
    await use_quotes(tx, [(quote, order_id)])
    movements = [
        movement
        for debit, credit, amount, code in settling.steps(payer, payee, route, quote.fee)
        for movement in ledger.across(tx, debit, credit, amount, code, order_id)
    ]
    return quote, tuple(movements)
