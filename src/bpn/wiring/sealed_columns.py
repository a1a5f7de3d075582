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
    SealedColumn("files", ("merchant_id", "file_id"), "sealed_name", "file/{merchant_id}/{file_id}"),
    SealedColumn("files", ("merchant_id", "file_id"), "sealed_content", "file/{merchant_id}/{file_id}"),
    SealedColumn("kyb_sub_users", ("merchant_id", "sub_user_id"), "sealed_profile", "kyb/{merchant_id}/{sub_user_id}"),
    SealedColumn(
        "virtual_accounts", ("merchant_id", "account_id"), "sealed_profile", "virtual_accounts/profile/{account_id}"
    ),
    SealedColumn(
        "virtual_accounts", ("merchant_id", "account_id"), "sealed_details", "virtual_accounts/details/{account_id}"
    ),
    SealedColumn(
        "virtual_account_orders", ("merchant_id", "order_id"), "sealed_party", "virtual_account_orders/{order_id}"
    ),
    SealedColumn("bank_accounts", ("merchant_id", "bank_account_id"), "sealed_info", "bank_accounts/{bank_account_id}"),
    SealedColumn(
        "virtual_account_invoices",
        ("merchant_id", "invoice_id"),
        "sealed_content",
        "virtual_account_invoices/{invoice_id}",
    ),
    SealedColumn(
        "information_requests", ("merchant_id", "request_id"), "sealed_answers", "information_requests/{request_id}"
    ),
    SealedColumn("email_codes", ("merchant_id", "code_id"), "sealed_mail", "email_codes/mail/{code_id}"),
    SealedColumn("bank_exceptions", ("merchant_id", "exception_id"), "sealed_entry", "bank_exceptions/{exception_id}"),
    SealedColumn(
        "payment_links", ("merchant_id", "payment_id"), "sealed_payer", "payment_links/{merchant_id}/{payment_id}"
    ),
)
