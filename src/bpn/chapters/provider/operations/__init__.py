"""What the provider chapter does: one public function per API operation; what its jobs, page and operators call."""

from bpn.chapters.provider.operations.deciding import (
    accept_collection_order,
    get_collection_order,
    get_collection_quote,
    list_collection_orders,
    reject_collection_order,
)
from bpn.chapters.provider.operations.hearing import HEARD, hear_facts
from bpn.chapters.provider.operations.paying import (
    UsdPayoutCommand,
    create_usd_payout,
    dollar,
    get_usd_balance,
    get_usd_payout,
    list_usd_payouts,
)
from bpn.chapters.provider.operations.receiving import expire_orders, follow_deposits, list_missed
from bpn.chapters.provider.operations.wallets import (
    LinkCommand,
    change_sub_wallet_status,
    confirm_name,
    create_collection_account_link,
    decide_sub_wallet,
    find_collection_page,
    freeze_sub_wallet,
    get_sub_wallet,
    list_pending_sub_wallets,
    list_sub_wallets,
)

__all__ = [
    "HEARD",
    "LinkCommand",
    "UsdPayoutCommand",
    "accept_collection_order",
    "change_sub_wallet_status",
    "confirm_name",
    "create_collection_account_link",
    "create_usd_payout",
    "decide_sub_wallet",
    "dollar",
    "expire_orders",
    "find_collection_page",
    "follow_deposits",
    "freeze_sub_wallet",
    "get_collection_order",
    "get_collection_quote",
    "get_sub_wallet",
    "get_usd_balance",
    "get_usd_payout",
    "hear_facts",
    "list_collection_orders",
    "list_missed",
    "list_pending_sub_wallets",
    "list_sub_wallets",
    "list_usd_payouts",
    "reject_collection_order",
]
