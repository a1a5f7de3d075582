"""The ledger's refusals and faults."""

from bpn.kernel.errors import Kind, Refusal


class InsufficientBalance(Refusal):
    """The account cannot give this much: what is available is less."""

    code = "INSUFFICIENT_BALANCE"
    kind = Kind.UNPROCESSABLE


class LedgerFault(Exception):  # noqa: N818 - the word of the house for what must never happen
    """A movement that no caller may ask for: an unknown hold, a hold ended twice, an id used for other content."""
