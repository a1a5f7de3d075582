"""Which fact becomes which event."""

from __future__ import annotations

from bpn.api.openapi import EventDescription
from bpn.chapters.wallet import model as wallet_model
from bpn.chapters.wallet import schemas as wallet_schemas
from bpn.chapters.webhooks import schemas as webhook_schemas
from bpn.chapters.webhooks.model import EventSource, RenderedEvent


def event_sources() -> list[EventSource]:
    """What the webhooks chapter listens to, and how it is told."""

    def transaction_status(
        fact: wallet_model.DepositChanged | wallet_model.WithdrawalChanged | wallet_model.TransferSettled,
    ) -> RenderedEvent:
        record = wallet_schemas.TransactionRecord.of(fact.transaction)
        return RenderedEvent(record.transaction_id, record.status, record)

    def sender_required(fact: wallet_model.SenderRequired) -> RenderedEvent:
        event = wallet_schemas.SenderRequiredEvent.of(fact)
        return RenderedEvent(event.transaction_id, fact.transaction.status.value, event)

    def whitelist_changed(fact: wallet_model.WhitelistChanged) -> RenderedEvent:
        entry = wallet_schemas.WhitelistEntry.of(fact.entry)
        return RenderedEvent(entry.whitelist_id, entry.status, entry)

    return [
        EventSource("TRANSACTION_STATUS", wallet_model.DepositChanged, transaction_status),
        EventSource("TRANSACTION_STATUS", wallet_model.WithdrawalChanged, transaction_status),
        EventSource("TRANSACTION_STATUS", wallet_model.TransferSettled, transaction_status),
        EventSource("DEPOSIT_SENDER_REQUIRED", wallet_model.SenderRequired, sender_required),
        EventSource("WALLET_ADDRESS_WHITELIST", wallet_model.WhitelistChanged, whitelist_changed),
    ]


def event_descriptions() -> list[EventDescription]:
    """The events as the OpenAPI document tells them."""
    return [
        EventDescription(
            "TRANSACTION_STATUS",
            "A deposit, withdrawal or transfer has a new state.",
            wallet_schemas.TransactionRecord,
        ),
        EventDescription(
            "DEPOSIT_SENDER_REQUIRED",
            "A deposit is confirmed and waits for its sender's details (Add Deposit Sender).",
            wallet_schemas.SenderRequiredEvent,
        ),
        EventDescription(
            "WALLET_ADDRESS_WHITELIST",
            "An address of the withdrawal whitelist has a new state.",
            wallet_schemas.WhitelistEntry,
        ),
        EventDescription("TEST", "What Test Webhook Endpoint sends.", webhook_schemas.TestEventData),
    ]
