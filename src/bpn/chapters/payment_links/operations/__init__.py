"""What the payment links chapter does: one public function per API operation, and what its pages, jobs, operators call.

Owns the order of things: load, decide, post, save, announce.
Never guesses whose money something is.
"""

from bpn.chapters.payment_links.operations.links import (
    cancel_payment_link,
    create_payment_link,
    get_currency_network_config,
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

__all__ = [
    "cancel_payment_link",
    "change_way",
    "choose_way",
    "create_payment_link",
    "find_payer_page",
    "get_currency_network_config",
    "get_payment_link",
    "give_payer",
    "list_payment_links",
    "renew_price",
    "topic_of",
]
