"""The accounts chapter's refusals."""

from bpn.chapters.kyb.errors import KybRequired
from bpn.controls.errors import LimitExceeded, SecondPersonRequired, ServicePaused
from bpn.kernel.errors import IdempotencyConflict, InvalidState, Kind, Refusal
from bpn.ledger.errors import InsufficientBalance

__all__ = [
    "AccountHasOpenOrders",
    "AmountTooSmall",
    "BankAccountNotFound",
    "BankExceptionNotFound",
    "EmailCodeInvalid",
    "EmailCodeRequired",
    "EmailNotRegistered",
    "IdempotencyConflict",
    "InformationRequestNotFound",
    "InsufficientBalance",
    "InvalidState",
    "InvoiceNotFound",
    "KybRequired",
    "LimitExceeded",
    "MasterAccountNotProvisioned",
    "OrderNotFound",
    "PayerAmbiguous",
    "RefundExceedsPayIn",
    "SecondPersonRequired",
    "ServicePaused",
    "TooManyEmailCodes",
    "UnsupportedCurrency",
    "UnsupportedRail",
    "VirtualAccountNotFound",
]


class MasterAccountNotProvisioned(Refusal):
    """The merchant has no master account of the currency; the operator provisions it."""

    code = "MASTER_ACCOUNT_NOT_PROVISIONED"
    kind = Kind.UNPROCESSABLE


class VirtualAccountNotFound(Refusal):
    """This merchant has no such account."""

    code = "VIRTUAL_ACCOUNT_NOT_FOUND"
    kind = Kind.MISSING


class OrderNotFound(Refusal):
    """This merchant has no such order."""

    code = "ORDER_NOT_FOUND"
    kind = Kind.MISSING


class BankAccountNotFound(Refusal):
    """This merchant has no such bank account."""

    code = "BANK_ACCOUNT_NOT_FOUND"
    kind = Kind.MISSING


class InvoiceNotFound(Refusal):
    """This merchant has no such invoice."""

    code = "INVOICE_NOT_FOUND"
    kind = Kind.MISSING


class InformationRequestNotFound(Refusal):
    """This merchant was asked no such thing."""

    code = "INFORMATION_REQUEST_NOT_FOUND"
    kind = Kind.MISSING


class BankExceptionNotFound(Refusal):
    """There is no such line on the list of exceptions."""

    code = "BANK_EXCEPTION_NOT_FOUND"
    kind = Kind.MISSING


class AccountHasOpenOrders(Refusal):
    """The account cannot be closed while orders of it are open."""

    code = "ACCOUNT_HAS_OPEN_ORDERS"
    kind = Kind.CONFLICT


class UnsupportedCurrency(Refusal):
    """The currency is not offered here."""

    code = "UNSUPPORTED_CURRENCY"
    kind = Kind.UNPROCESSABLE


class UnsupportedRail(Refusal):
    """The rail is not offered for this currency, or not for this use of it."""

    code = "UNSUPPORTED_RAIL"
    kind = Kind.UNPROCESSABLE


class AmountTooSmall(Refusal):
    """Less than the minimum."""

    code = "AMOUNT_TOO_SMALL"
    kind = Kind.UNPROCESSABLE


class PayerAmbiguous(Refusal):
    """Several pay-ins or payers fit; name the order."""

    code = "PAYER_AMBIGUOUS"
    kind = Kind.UNPROCESSABLE


class RefundExceedsPayIn(Refusal):
    """Less of the pay-in is left than the refund asks for."""

    code = "REFUND_EXCEEDS_PAYIN"
    kind = Kind.UNPROCESSABLE


class EmailCodeRequired(Refusal):
    """The merchant's setting demands a code from its registered address."""

    code = "EMAIL_CODE_REQUIRED"
    kind = Kind.FORBIDDEN


class EmailCodeInvalid(Refusal):
    """The code is wrong, used, too old or guessed too often."""

    code = "EMAIL_CODE_INVALID"
    kind = Kind.FORBIDDEN
    keeps_changes = True


class EmailNotRegistered(Refusal):
    """Codes of this scene go only to the merchant's registered address."""

    code = "EMAIL_NOT_REGISTERED"
    kind = Kind.FORBIDDEN


class TooManyEmailCodes(Refusal):
    """The address was sent codes too often; `retry_after_seconds` is the header Retry-After."""

    code = "RATE_LIMITED"
    kind = Kind.UNAVAILABLE
    http_status = 429

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
