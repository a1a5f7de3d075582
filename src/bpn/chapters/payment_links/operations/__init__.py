"""What the payment links chapter does: one public function per API operation, and what its pages, jobs, operators call.

Owns the order of things: load, decide, post, save, announce.
Never guesses whose money something is.
"""

from bpn.chapters.payment_links.operations.abnormal import (
    link_abnormal_fund,
    list_abnormal_funds,
    list_matchable_links,
    submit_abnormal_fund,
)
from bpn.chapters.payment_links.operations.hearing import HEARD, hear_facts
from bpn.chapters.payment_links.operations.links import (
    create_payment_link,
    fiat_asset,
    get_currency_network_config,
    get_link_address,
    get_payment_link,
    list_payment_links,
    topic_of,
)
from bpn.chapters.payment_links.operations.paying import (
    change_way,
    choose_way,
    find_payer_page,
    give_payer,
    renew_price,
)
from bpn.chapters.payment_links.operations.receiving import (
    cancel_payment_link,
    expire_links,
    follow_deposits,
    list_missed,
    tell_confirmations,
)
from bpn.chapters.payment_links.operations.refunds import (
    credit_abnormal_fund,
    list_waiting_funds,
    refund_abnormal_fund,
)

__all__ = [
    "HEARD",
    "cancel_payment_link",
    "change_way",
    "choose_way",
    "create_payment_link",
    "credit_abnormal_fund",
    "expire_links",
    "fiat_asset",
    "find_payer_page",
    "follow_deposits",
    "get_currency_network_config",
    "get_link_address",
    "get_payment_link",
    "give_payer",
    "hear_facts",
    "link_abnormal_fund",
    "list_abnormal_funds",
    "list_matchable_links",
    "list_missed",
    "list_payment_links",
    "list_waiting_funds",
    "refund_abnormal_fund",
    "renew_price",
    "submit_abnormal_fund",
    "tell_confirmations",
    "topic_of",
]
