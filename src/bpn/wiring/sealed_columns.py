"""Every column that holds sealed bytes. A test compares this list with the catalogue: a new one cannot be forgotten."""

from __future__ import annotations

from bpn.database.sealed_columns import SealedColumn

SEALED_COLUMNS: tuple[SealedColumn, ...] = (
    SealedColumn("sealed_secrets", ("name",), "sealed", "sealed_secrets/{name}"),
    SealedColumn("api_keys", ("merchant_id", "key_id"), "sealed_secret", "api_key/{api_key}"),
    SealedColumn("api_keys", ("merchant_id", "key_id"), "sealed_previous", "api_key/{api_key}"),
    SealedColumn(
        "api_claims", ("merchant_id", "operation", "claim"), "answer", "api_claim/{merchant_id}/{operation}/{claim}"
    ),
    SealedColumn(
        "wallet_deposits", ("merchant_id", "transaction_id"), "sealed_sender", "wallet_deposits/{transaction_id}"
    ),
    SealedColumn(
        "wallet_earmarks",
        ("merchant_id", "kind", "subject_id"),
        "sealed_sender",
        "wallet_earmarks/{kind}/{subject_id}",
    ),
    SealedColumn(
        "wallet_whitelist", ("merchant_id", "whitelist_id"), "sealed_beneficiary", "wallet_whitelist/{whitelist_id}"
    ),
    SealedColumn(
        "webhook_endpoints", ("merchant_id", "endpoint_id"), "sealed_secret", "webhook_endpoint/{endpoint_id}"
    ),
    SealedColumn(
        "webhook_endpoints", ("merchant_id", "endpoint_id"), "sealed_previous", "webhook_endpoint/{endpoint_id}"
    ),
)
