"""What leaves an address of ours, whatever it is for: a nonce, signed bytes, a broadcast, a receipt. Exactly once."""

from bpn.chapters.wallet.operations.outgoing.following import (
    list_outgoing,
    list_settled,
    plan_replacement,
    record_broadcast,
    record_nonce,
    record_receipt,
    record_signature,
    reopen_outgoing,
    settle_outgoing,
)
from bpn.chapters.wallet.operations.outgoing.nonces import accept_nonces, missing_nonces
from bpn.chapters.wallet.operations.outgoing.operating import (
    explain_waiting,
    find_sender,
    list_newest_outgoing,
    replace_outgoing,
)
from bpn.chapters.wallet.operations.outgoing.preparing import (
    FROM_HOT_WALLET,
    NonceMismatchError,
    list_waiting,
    prepare_outgoing,
)

__all__ = [
    "FROM_HOT_WALLET",
    "NonceMismatchError",
    "accept_nonces",
    "explain_waiting",
    "find_sender",
    "list_newest_outgoing",
    "list_outgoing",
    "list_settled",
    "list_waiting",
    "missing_nonces",
    "plan_replacement",
    "prepare_outgoing",
    "record_broadcast",
    "record_nonce",
    "record_receipt",
    "record_signature",
    "reopen_outgoing",
    "replace_outgoing",
    "settle_outgoing",
]
