"""What the accounts chapter does: one public function per API operation; what jobs, operators, higher chapters call.

For chapters above: `master_ledger_account` and `record_order_entries` for money they move in batches of their own,
`open_earmarked_account` and `release_pay_ins` for money that comes to them, `request_payout` for money they send.
"""

from bpn.chapters.accounts.operations.accounts import (
    AccountCommand,
    close_virtual_account,
    create_virtual_account,
    find_account_code,
    get_virtual_account,
    list_closings,
    list_openings,
    list_supported_accounts,
    list_virtual_accounts,
    open_earmarked_account,
    record_closing,
    record_opening,
    require_account,
)
from bpn.chapters.accounts.operations.bank_accounts import (
    BankAccountCommand,
    add_bank_account,
    list_bank_accounts,
    list_banks,
    query_bank_info,
    read_party,
)
from bpn.chapters.accounts.operations.codes import (
    list_unsent_codes,
    record_code_sent,
    send_email_code,
)
from bpn.chapters.accounts.operations.embedding import (
    OrderEntry,
    bank_ledger,
    book_house_money,
    house_money_booked,
    record_order_entries,
)
from bpn.chapters.accounts.operations.exceptions import close_bank_exception, list_bank_exceptions
from bpn.chapters.accounts.operations.history import get_account_order, list_account_orders
from bpn.chapters.accounts.operations.information import (
    ask_information,
    decide_information,
    get_information_request_template,
    list_information_requests,
    list_open_requests,
    read_answers,
    submit_information_request,
)
from bpn.chapters.accounts.operations.invoices import (
    InvoiceCommand,
    decide_invoice,
    list_invoices,
    list_submitted_invoices,
    submit_invoice,
)
from bpn.chapters.accounts.operations.masters import (
    find_asset,
    get_master_balance,
    list_master_accounts,
    master_ledger_account,
    provision_all_masters,
    provision_masters,
    require_master,
    require_masters,
)
from bpn.chapters.accounts.operations.payins import announce_pay_in, release_held, release_pay_ins
from bpn.chapters.accounts.operations.payouts import (
    PayoutCommand,
    create_payout,
    request_payout,
    usual_rail,
)
from bpn.chapters.accounts.operations.refunds import RefundCommand, refund_order
from bpn.chapters.accounts.operations.reports import record_entries, retry_reversals
from bpn.chapters.accounts.operations.review import (
    decide_bank_account,
    decide_payout,
    list_pending_bank_accounts,
    list_reviewing_payouts,
    list_waiting_pay_ins,
    return_pay_in,
)
from bpn.chapters.accounts.operations.sending import (
    decide_payee,
    list_payees_to_screen,
    list_unsent_batches,
    prepare_batch,
    record_batch_sent,
)

__all__ = [
    "AccountCommand",
    "BankAccountCommand",
    "InvoiceCommand",
    "OrderEntry",
    "PayoutCommand",
    "RefundCommand",
    "add_bank_account",
    "announce_pay_in",
    "ask_information",
    "bank_ledger",
    "book_house_money",
    "close_bank_exception",
    "close_virtual_account",
    "create_payout",
    "create_virtual_account",
    "decide_bank_account",
    "decide_information",
    "decide_invoice",
    "decide_payee",
    "decide_payout",
    "find_account_code",
    "find_asset",
    "get_account_order",
    "get_information_request_template",
    "get_master_balance",
    "get_virtual_account",
    "house_money_booked",
    "list_account_orders",
    "list_bank_accounts",
    "list_bank_exceptions",
    "list_banks",
    "list_closings",
    "list_information_requests",
    "list_invoices",
    "list_master_accounts",
    "list_open_requests",
    "list_openings",
    "list_payees_to_screen",
    "list_pending_bank_accounts",
    "list_reviewing_payouts",
    "list_submitted_invoices",
    "list_supported_accounts",
    "list_unsent_batches",
    "list_unsent_codes",
    "list_virtual_accounts",
    "list_waiting_pay_ins",
    "master_ledger_account",
    "open_earmarked_account",
    "prepare_batch",
    "provision_all_masters",
    "provision_masters",
    "query_bank_info",
    "read_answers",
    "read_party",
    "record_batch_sent",
    "record_closing",
    "record_code_sent",
    "record_entries",
    "record_opening",
    "record_order_entries",
    "refund_order",
    "release_held",
    "release_pay_ins",
    "request_payout",
    "require_account",
    "require_master",
    "require_masters",
    "retry_reversals",
    "return_pay_in",
    "send_email_code",
    "submit_information_request",
    "submit_invoice",
    "usual_rail",
]
