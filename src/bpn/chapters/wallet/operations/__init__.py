"""What the wallet chapter does: one public function per API operation, and those that its jobs and operators call."""

from bpn.chapters.wallet.operations.addresses import (
    find_token,
    get_deposit_address,
    get_wallet_network_config,
    parse_address,
)
from bpn.chapters.wallet.operations.assigning import assign_deposit, credit_from_suspense, set_deposit_aside
from bpn.chapters.wallet.operations.balances import get_asset_balance
from bpn.chapters.wallet.operations.custody import (
    book_house_funds,
    custody_holdings,
    custody_ledger,
    custody_under_way,
    house_funds_booked,
    leaves_custody,
)
from bpn.chapters.wallet.operations.deposits import (
    confirm_deposits,
    decide_screening,
    expire_senders,
    list_final,
    list_screening,
)
from bpn.chapters.wallet.operations.earmarks import (
    earmark_address,
    list_cleared,
    list_earmark_deposits,
    open_earmark,
    set_earmark_sender,
)
from bpn.chapters.wallet.operations.history import list_transactions
from bpn.chapters.wallet.operations.orders import record_order_legs, wallet_account
from bpn.chapters.wallet.operations.outgoing import (
    NonceMismatchError,
    accept_nonces,
    list_outgoing,
    list_settled,
    list_waiting,
    missing_nonces,
    plan_replacement,
    prepare_outgoing,
    record_broadcast,
    record_nonce,
    record_receipt,
    record_signature,
    reopen_outgoing,
    settle_outgoing,
)
from bpn.chapters.wallet.operations.prices import record_prices
from bpn.chapters.wallet.operations.readiness import reading_faults
from bpn.chapters.wallet.operations.reading import (
    list_positions,
    plan_reading,
    record_blocks,
    record_missed,
    resume_reading,
    stop_reading,
)
from bpn.chapters.wallet.operations.refunds import decide_refund_screening, list_refund_screening, request_refund
from bpn.chapters.wallet.operations.review import (
    decide_deposit,
    decide_whitelist,
    decide_withdrawal,
    list_frozen,
    list_pending_whitelist,
    list_reviewing,
)
from bpn.chapters.wallet.operations.senders import add_deposit_sender
from bpn.chapters.wallet.operations.survey import find_missed, list_uncredited, plan_survey, record_survey
from bpn.chapters.wallet.operations.sweeping import (
    SweepCandidates,
    give_sweep_up,
    list_sweepable,
    list_sweeps,
    mark_sweepable,
    plan_sweeps,
)
from bpn.chapters.wallet.operations.transfers import (
    get_wallet_transfer,
    list_wallet_transfers,
    transfer_between_wallets,
)
from bpn.chapters.wallet.operations.wallets import (
    create_sub_account,
    list_sub_accounts,
    list_wallets,
    open_collection_wallet,
    open_primary_wallet,
    require_wallet,
)
from bpn.chapters.wallet.operations.whitelist import (
    add_withdraw_whitelist,
    delete_withdraw_whitelist,
    list_withdraw_whitelist,
)
from bpn.chapters.wallet.operations.withdrawals import cancel_withdrawal, request_withdrawal

__all__ = [
    "NonceMismatchError",
    "SweepCandidates",
    "accept_nonces",
    "add_deposit_sender",
    "add_withdraw_whitelist",
    "assign_deposit",
    "book_house_funds",
    "cancel_withdrawal",
    "confirm_deposits",
    "create_sub_account",
    "credit_from_suspense",
    "custody_holdings",
    "custody_ledger",
    "custody_under_way",
    "decide_deposit",
    "decide_refund_screening",
    "decide_screening",
    "decide_whitelist",
    "decide_withdrawal",
    "delete_withdraw_whitelist",
    "earmark_address",
    "expire_senders",
    "find_missed",
    "find_token",
    "get_asset_balance",
    "get_deposit_address",
    "get_wallet_network_config",
    "get_wallet_transfer",
    "give_sweep_up",
    "house_funds_booked",
    "leaves_custody",
    "list_cleared",
    "list_earmark_deposits",
    "list_final",
    "list_frozen",
    "list_outgoing",
    "list_pending_whitelist",
    "list_positions",
    "list_refund_screening",
    "list_reviewing",
    "list_screening",
    "list_settled",
    "list_sub_accounts",
    "list_sweepable",
    "list_sweeps",
    "list_transactions",
    "list_uncredited",
    "list_waiting",
    "list_wallet_transfers",
    "list_wallets",
    "list_withdraw_whitelist",
    "mark_sweepable",
    "missing_nonces",
    "open_collection_wallet",
    "open_earmark",
    "open_primary_wallet",
    "parse_address",
    "plan_reading",
    "plan_replacement",
    "plan_survey",
    "plan_sweeps",
    "prepare_outgoing",
    "reading_faults",
    "record_blocks",
    "record_broadcast",
    "record_missed",
    "record_nonce",
    "record_order_legs",
    "record_prices",
    "record_receipt",
    "record_signature",
    "record_survey",
    "reopen_outgoing",
    "request_refund",
    "request_withdrawal",
    "require_wallet",
    "resume_reading",
    "set_deposit_aside",
    "set_earmark_sender",
    "settle_outgoing",
    "stop_reading",
    "transfer_between_wallets",
    "wallet_account",
]
