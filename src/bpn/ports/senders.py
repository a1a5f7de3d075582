"""What we do to the outside world: sign, broadcast, pay, post. Only a chapter's jobs may hold one of these."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from bpn.ports.readers import AccountNumbers, BankParty, FileReader, GasFees


@dataclass(frozen=True, slots=True)
class ChainTransfer:
    """A transfer to sign: an ERC-20 `transfer`, or, where `contract` is None, of the native coin.

    An EIP-1559 transaction, or a legacy one (EIP-155) where the fees have no priority fee. Gas in units.
    """

    chain_id: int
    nonce: int
    contract: str | None
    recipient: str
    amount: int
    gas_limit: int
    fees: GasFees


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """The bytes to broadcast and the hash the chain will know them by (lower-case hex with 0x)."""

    raw: bytes
    hash: str


class Signer(Protocol):
    """Holds the keys; asked by derivation index, never shows a key."""

    async def sign(self, key_index: int, transfer: ChainTransfer) -> SignedTransaction:
        """Sign with the key of an index.

        Raises SourceUnavailableError where the keys' holder does not answer, or answers with another key's signature.
        """


class BroadcastOutcome(Enum):
    """What a node said to a transaction; only a receipt says what became of it."""

    ACCEPTED = "accepted"
    ALREADY_KNOWN = "already_known"
    NONCE_TOO_LOW = "nonce_too_low"
    INSUFFICIENT_GAS_FUNDS = "insufficient_gas_funds"
    UNDERPRICED = "underpriced"
    REFUSED = "refused"


class TransactionSender(Protocol):
    """Hands signed transactions to one network."""

    network: str

    async def broadcast(self, raw: bytes) -> BroadcastOutcome:
        """Send; sending the same bytes again is harmless. Raises SourceUnavailableError when no node answers."""


@dataclass(frozen=True, slots=True)
class PostAnswer:
    """What a receiver answered. `status` is None when none came; `error` says why then."""

    status: int | None
    body: bytes
    error: str | None
    retry_after_seconds: int | None
    latency_milliseconds: int


class WebhookPoster(Protocol):
    """Posts a webhook to a merchant's URL."""

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> PostAnswer:
        """Post once, follow no redirect, give up after the adapter's timeout. Never raises for a bad receiver."""


class ChargeBearer(Enum):
    """Who pays the banks' charges, in the words of ISO 20022."""

    SHARED = "SHAR"
    PAYER = "DEBT"
    PAYEE = "CRED"
    SERVICE_LEVEL = "SLEV"


@dataclass(frozen=True, slots=True)
class Payment:
    """A credit transfer to make.

    Attributes:
        end_to_end_id: our order id: at most 35 letters and digits, unique among all payments ever.
        rail: PIX, ACH, FEDWIRE, SEPA, SWIFT, FPS, SPEI or LOCAL.
        currency: ISO 4217.
        amount: positive, exact decimal in plain notation with at most the currency's decimals.
        payer_name: the merchant, shown to the payee as who ordered the payment.
        payee: where to; for a refund the payer of the pay-in, as the rail told it.
        remittance: what the payee reads; at most 140 characters go out.
        charge_bearer: who pays the banks' charges.
        pay_in_reference: for a refund or a return, the pay-in that is given back, by its rail's reference. A rail that
            has returns of its own (PIX) makes one; others make an ordinary transfer.
    """

    end_to_end_id: str
    rail: str
    currency: str
    amount: str
    payer_name: str
    payee: BankParty
    remittance: str | None = None
    charge_bearer: ChargeBearer = ChargeBearer.SERVICE_LEVEL
    pay_in_reference: str | None = None


@dataclass(frozen=True, slots=True)
class PaymentBatch:
    """Payments that leave together. Decided and committed before it is sent, and never changed afterwards.

    Attributes:
        batch_id: at most 35 letters and digits, unique among all batches ever.
        created_at: when it was decided; the same each time the batch is sent.
        payments: at least one; a payment is of one batch for ever.
    """

    batch_id: str
    created_at: datetime
    payments: tuple[Payment, ...]


class BankSender(Protocol):
    """Has a bank pay."""

    source: str
    """The same name as the reader's of this bank."""

    async def pay(self, batch: PaymentBatch) -> None:
        """Hand a batch over. The same batch again is harmless: the bank gets it once, whatever crashed between.

        So: decide the batch and commit, pay, record that it is sent and commit; after a crash send it again as it was.
        What becomes of each payment is told by the BankReader (ACCEPTED, SETTLED, REJECTED, RETURNED), a payment that
        the bank cannot make too (REJECTED): this method refuses none.

        Raises:
            SourceUnavailableError: the bank was not reached; it may have got the batch. Send the same one again.
        """


@dataclass(frozen=True, slots=True)
class AccountRequest:
    """A virtual account to open.

    Attributes:
        request_id: our account id; the same again asks how that request stands.
        currency: ISO 4217.
        country: ISO 3166 alpha-2; None leaves it to the bank.
        rail: as in Payment.
        holder_name: whom the account is shown to belong to.
        holder_tax_id: CPF or CNPJ digits, tax number of the country.
        dynamic: a single payment's code (PIX): has a txid of its own.
        amount: what a dynamic code asks for, exact decimal; None leaves it to the payer.
        expires_at: when a dynamic code ends.
        pix_key_type: CPF, CNPJ, EMAIL, PHONE or EVP; None leaves it to the bank.
        pix_key: the key wished for, in its directory's spelling; an EVP is made by the bank.
    """

    request_id: str
    currency: str
    country: str | None
    rail: str
    holder_name: str
    holder_tax_id: str | None = None
    dynamic: bool = False
    amount: str | None = None
    expires_at: datetime | None = None
    pix_key_type: str | None = None
    pix_key: str | None = None


class OpeningState(Enum):
    """How a request for an account stands. OPEN and FAILED are the end."""

    PENDING = "pending"
    OPEN = "open"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class AccountOpening:
    """How a request for an account stands: `numbers` when OPEN, `fail_code` and `fail_reason` when FAILED."""

    state: OpeningState
    numbers: AccountNumbers | None = None
    fail_code: str | None = None
    fail_reason: str | None = None


class AccountIssuer(Protocol):
    """Opens virtual accounts at a bank. Raises SourceUnavailableError when the bank does not answer."""

    source: str
    """The same name as the reader's of this bank."""

    async def open(self, request: AccountRequest) -> AccountOpening:
        """Ask for an account, or how that stands: the same request id always means the same account, opened once."""

    async def close(self, request_id: str) -> None:
        """Close the account of a request; twice is harmless. Money may still come for it: the reader tells."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A message to one person, plain text. `message_id` is ours: the same message sent again carries the same one."""

    message_id: str
    to: str
    subject: str
    text: str


class MailRefusedError(Exception):
    """The mail server will never take this message: no such mailbox, or the address is no address."""


class Mailer(Protocol):
    """Sends mail."""

    async def send(self, mail: Mail) -> None:
        """Hand a message to the mail server; it is theirs when this returns.

        Raises:
            SourceUnavailableError: no server answered, or it asked to try later.
            MailRefusedError: it refused for good.
        """


class FileStore(FileReader, Protocol):
    """Keeps files by key. Raises SourceUnavailableError when it does not answer."""

    async def put(self, key: str, content: bytes) -> None:
        """Keep bytes under a key, whole or not at all; the same again is harmless. Durable when this returns."""

    async def delete(self, key: str) -> None:
        """Forget a key; one that is not there is no matter."""
