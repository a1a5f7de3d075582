"""The events of the wallet chapter."""

from __future__ import annotations

from bpn.chapters.orders.model import StableOrderChanged
from bpn.chapters.wallet import model, schemas
from bpn.chapters.webhooks.model import RenderedEvent
from bpn.wiring.events.event import Event
from bpn.wiring.events.orders import order_status


def wallet_events() -> list[Event]:
    """Transactions, senders that are asked for, the whitelist."""
    return [
        Event(
            "TRANSACTION_STATUS",
            "A deposit, withdrawal, transfer or stable order has a new state.",
            schemas.TransactionRecord,
            {
                model.DepositChanged: _transaction_status,
                model.WithdrawalChanged: _transaction_status,
                model.TransferSettled: _transaction_status,
                model.RefundChanged: _transaction_status,
                StableOrderChanged: order_status,
            },
        ),
        Event(
            "DEPOSIT_SENDER_REQUIRED",
            "A deposit is confirmed and waits for its sender's details (Add Deposit Sender).",
            schemas.SenderRequiredEvent,
            {model.SenderRequired: _sender_required},
        ),
        Event(
            "WALLET_ADDRESS_WHITELIST",
            "An address of the withdrawal whitelist has a new state.",
            schemas.WhitelistEntry,
            {model.WhitelistChanged: _whitelist_changed},
        ),
    ]


def _transaction_status(
    fact: model.DepositChanged | model.WithdrawalChanged | model.TransferSettled | model.RefundChanged,
) -> RenderedEvent:
    record = schemas.TransactionRecord.of(fact.transaction)
    return RenderedEvent(record.transaction_id, record.status, record)


def _sender_required(fact: model.SenderRequired) -> RenderedEvent:
    event = schemas.SenderRequiredEvent.of(fact)
    return RenderedEvent(event.transaction_id, fact.transaction.status.value, event)


def _whitelist_changed(fact: model.WhitelistChanged) -> RenderedEvent:
    entry = schemas.WhitelistEntry.of(fact.entry)
    return RenderedEvent(entry.whitelist_id, entry.status, entry)
