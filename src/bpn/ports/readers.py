"""What we ask: blocks, receipts, balances, rates, bank entries. Nothing here changes anything outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Protocol


class SourceUnavailableError(Exception):
    """The other side did not answer, or not sensibly; asking again later may help."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block of a chain. Hashes are lower-case hex with 0x; `timestamp` in Unix seconds."""

    number: int
    hash: str
    parent_hash: str
    timestamp: int


@dataclass(frozen=True, slots=True)
class TransferLog:
    """One ERC-20 `Transfer` event. Addresses are EIP-55 checksummed, `amount` in the token's minor units."""

    block_number: int
    block_hash: str
    transaction_hash: str
    log_index: int
    contract: str
    sender: str
    recipient: str
    amount: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a transaction in a block; fees in wei. `transfers`: the Transfer events that it logged."""

    transaction_hash: str
    block_number: int
    block_hash: str
    succeeded: bool
    gas_used: int
    effective_gas_price: int
    transfers: tuple[TransferLog, ...] = ()


@dataclass(frozen=True, slots=True)
class BlockTransaction:
    """A transaction of a block. Addresses are EIP-55 checksummed, `value` in wei.

    `asked_recipient` and `asked_amount` are what an ERC-20 `transfer` or `transferFrom` asks for, whether it did it or
    not; None where the transaction asks for something else.
    """

    hash: str
    block_number: int
    sender: str
    recipient: str | None
    value: int
    asked_recipient: str | None
    asked_amount: int | None


@dataclass(frozen=True, slots=True)
class GasFees:
    """Fees to offer now, in wei per gas (EIP-1559).

    Where a network has no base fee, `max_fee_per_gas` is the one gas price and the priority fee is None.
    """

    max_fee_per_gas: int
    max_priority_fee_per_gas: int | None
    base_fee_per_gas: int = 0


@dataclass(frozen=True, slots=True)
class MinedTransfer:
    """A transaction in a block, and the transfer it makes.

    `contract` is None for the native coin; `recipient` None where it makes no plain transfer. Addresses are EIP-55
    checksummed.
    """

    hash: str
    block_number: int
    contract: str | None
    recipient: str | None
    amount: int


class EndpointsDisagreeError(SourceUnavailableError):
    """Too few endpoints of a network say the same; nothing is taken for true until they do."""


class ChainReader(Protocol):
    """One network, read. Every method raises SourceUnavailableError when no node answers.

    Where a network has several endpoints, `head`, `final_block`, `receipt` and `transaction_count` tell only what
    enough of them agree on, and raise EndpointsDisagreeError where they do not.
    """

    network: str

    async def chain_id(self) -> int:
        """EIP-155 chain id."""

    async def head(self) -> Block:
        """The newest block."""

    async def block(self, number: int) -> Block | None:
        """The canonical block of a height, None above the head."""

    async def final_block(self, place: str | int) -> Block:
        """The newest block that the network itself calls `safe` or `finalized`, or the one of a height."""

    async def transfers(self, contracts: Sequence[str], first: int, last: int) -> list[TransferLog]:
        """All Transfer events of these contracts in the blocks first..last, both included, in chain order."""

    async def transfers_to(self, recipients: Sequence[str], first: int, last: int) -> list[TransferLog]:
        """All Transfer events of any contract to these addresses in first..last, in chain order."""

    async def transactions(self, number: int) -> list[BlockTransaction]:
        """The transactions of the canonical block of a height, in order."""

    async def receipt(self, transaction_hash: str) -> Receipt | None:
        """The receipt of a mined transaction, None while it is not in a block."""

    async def transaction_count(self, address: str) -> int:
        """The next nonce that the chain's head expects of an address (mined transactions only)."""

    async def token_balance(self, contract: str, holder: str, block_number: int | None = None) -> int:
        """ERC-20 `balanceOf`, minor units, after a block; at the head when none is named."""

    async def native_balance(self, holder: str, block_number: int | None = None) -> int:
        """Native coin of an address in wei, after a block; at the head when none is named."""

    async def token_scale(self, contract: str) -> int | None:
        """ERC-20 `decimals`, None when there is no contract at that address."""

    async def gas_fees(self) -> GasFees:
        """Fees with which a transaction sent now should be mined soon."""

    async def transfer_gas(self, sender: str, contract: str | None, recipient: str, amount: int) -> int | None:
        """The gas that a transfer of a token, or (None) of the native coin, would need; None where it would fail."""

    async def knows_transaction(self, transaction_hash: str) -> bool:
        """Whether the node has a transaction, mined or waiting."""

    async def transaction_at_nonce(self, sender: str, nonce: int) -> MinedTransfer | None:
        """The mined transaction with which an address used a nonce, None where the head still expects it.

        Raises SourceUnavailableError also where the node keeps no state of the blocks that tell.
        """


class RateReader(Protocol):
    """Market rates between currencies, fiat and crypto."""

    source: str

    async def rates(self, currencies: Sequence[str]) -> list[QuotedRate]:
        """The newest rates that the source quotes among these currencies. Raises SourceUnavailableError.

        Pairs that it does not know are absent: whoever asks finds its way from one pair to the next.
        """


@dataclass(frozen=True, slots=True)
class QuotedRate:
    """What one whole unit of `base` costs in `quote`, exactly as the source said, and when it said so."""

    base: str
    quote: str
    rate: Decimal
    time: datetime


@dataclass(frozen=True, slots=True)
class ScreeningVerdict:
    """What a list says of a party: `reason` names the entry that was hit."""

    hit: bool
    reason: str | None = None


class ScreeningReader(Protocol):
    """Sanction and crypto-address lists."""

    async def screen(self, address: str | None, names: Sequence[str]) -> ScreeningVerdict:
        """Look a party up by its address and names. Raises SourceUnavailableError."""


class HandleKind(Enum):
    """What kind of number was paid. The value is also the kind under which a directory of handles keeps it."""

    IBAN = "iban"
    CLABE = "clabe"
    SORT_CODE = "sort_code"
    ROUTING = "routing"
    LOCAL = "local_account"
    PIX_KEY = "pix_key"
    PIX_TXID = "pix_txid"


@dataclass(frozen=True, slots=True)
class Handle:
    """A number that money can be sent to, in the one spelling by which it is compared.

    `value` by kind: IBAN `DE89370400440532013000`; CLABE 18 digits; SORT_CODE `040004/12345678` (sort code, account);
    ROUTING `021000021/123456789` (ABA, account); LOCAL `HSBCHKHH/123456789` (BIC of 8, else bank code; account);
    PIX_KEY as the key's directory keeps it (`+5511999998888`, lower-case e-mail and EVP, bare CPF or CNPJ digits);
    PIX_TXID as in the QR code. Upper case where letters have no meaning of their own.
    """

    kind: HandleKind
    value: str


@dataclass(frozen=True, slots=True)
class BankParty:
    """Who is at the other end of a payment, as far as the rail tells or needs it.

    Attributes:
        name: of the account's holder.
        account: IBAN, CLABE or account number, in the rail's own spelling without spaces.
        bank_code: national code of the bank: ABA, sort code, ISPB, the bank's number.
        branch_code: where the rail has one beside the bank code.
        bic: 8 or 11 characters.
        bank_name: as the rail tells it.
        country: of the account, ISO 3166 alpha-2.
        tax_id: CPF or CNPJ, digits only.
        pix_key: where the payment goes to, or came from, a key.
        address: one line.
    """

    name: str | None = None
    account: str | None = None
    bank_code: str | None = None
    branch_code: str | None = None
    bic: str | None = None
    bank_name: str | None = None
    country: str | None = None
    tax_id: str | None = None
    pix_key: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True)
class AccountNumbers:
    """The numbers of an account that a bank has opened; those its rail does not have are None.

    Attributes:
        account_holder_name: what payers see; a payee check compares with it.
        pix_key_type: CPF, CNPJ, EMAIL, PHONE or EVP.
        pix_code: the BR Code payload, static or dynamic.
        pix_txid: of a dynamic code; unique at the bank.
        handles: where pay-ins will say that they were paid to; each names this account and no other.
    """

    account_holder_name: str
    bank_name: str
    handles: tuple[Handle, ...]
    country: str | None = None
    iban: str | None = None
    bic: str | None = None
    clabe: str | None = None
    routing_number: str | None = None
    account_number: str | None = None
    bank_code: str | None = None
    sort_code: str | None = None
    pix_key: str | None = None
    pix_key_type: str | None = None
    pix_code: str | None = None
    pix_txid: str | None = None


@dataclass(frozen=True, slots=True)
class PayIn:
    """Money that has come to one of our handles.

    Attributes:
        reference: the rail's own, unique within the `source` of its reader: the key by which a pay-in is known. The
            same pay-in may be told any number of times, in parallel too, always with the same reference.
        handles: what was paid, most specific first (a PIX txid before the key): the first one that is known counts.
        currency: ISO 4217, as booked; not always the one the handle was opened for.
        amount: positive, exact decimal in plain notation; may have more decimals than the currency (then it is wrong).
        payer: who paid, as told by the rail.
        remittance: what the payer wrote.
        end_to_end_id: the payer's bank's id of the payment, where the rail has one.
        booked_at: the rail's own time of it.
    """

    reference: str
    handles: tuple[Handle, ...]
    currency: str
    amount: str
    payer: BankParty
    remittance: str | None
    end_to_end_id: str | None
    booked_at: datetime


@dataclass(frozen=True, slots=True)
class PayInReversed:
    """The rail has taken a pay-in back (a recall, a charge-back, a booking in error).

    It may be told before the pay-in itself. `reference` is the reversal's own; `pay_in_reference` names what is taken
    back; None where the rail does not say, then `end_to_end_id` may.
    """

    reference: str
    pay_in_reference: str | None
    end_to_end_id: str | None
    currency: str
    amount: str
    reason_code: str | None
    reason: str | None
    booked_at: datetime


class PaymentOutcome(Enum):
    """What became of a payment that we sent. REJECTED and RETURNED are the end; RETURNED may follow SETTLED, later.

    Reports may come late, twice and in any order: RETURNED before SETTLED, ACCEPTED last of all. A later stage is
    never undone by an earlier one: ACCEPTED < SETTLED < RETURNED; REJECTED excludes SETTLED.
    """

    ACCEPTED = "accepted"
    SETTLED = "settled"
    REJECTED = "rejected"
    RETURNED = "returned"


@dataclass(frozen=True, slots=True)
class PaymentReport:
    """What a rail says of a payment that we sent.

    Attributes:
        reference: the report's own, unique within the reader's `source`.
        end_to_end_id: the one we gave; None or unknown to us means a debit that we did not ask for: an exception.
        outcome: the stage it has reached.
        currency: of `amount`.
        amount: what was booked, exact decimal. RETURNED may be less than was sent (the returning bank's fee).
        reason_code: for REJECTED and RETURNED an ISO 20022 external reason (`AC04`) or the rail's own word.
        reason: a sentence, where the rail has one.
        rail_reference: the rail's name of the payment, for enquiries.
        booked_at: the rail's own time of it.
    """

    reference: str
    end_to_end_id: str | None
    outcome: PaymentOutcome
    currency: str
    amount: str
    reason_code: str | None
    reason: str | None
    rail_reference: str | None
    booked_at: datetime


@dataclass(frozen=True, slots=True)
class UnreadableEntry:
    """Something came that cannot be understood. It belongs on the list of exceptions; nothing is lost.

    Attributes:
        reference: unique within the reader's `source`; the same matter again has the same one.
        document: where it stands: the name of a file, kept by the adapter.
        reason: a sentence for the operator.
        detail: the piece itself where there is one, cut to 4,000 characters. May hold personal data.
    """

    reference: str
    document: str
    reason: str
    detail: str | None


BankEntry = PayIn | PayInReversed | PaymentReport | UnreadableEntry


@dataclass(frozen=True, slots=True)
class BankBatch:
    """Entries to record. `receipt` names them to `acknowledge`; `more` says that others wait."""

    entries: tuple[BankEntry, ...]
    receipt: str
    more: bool


class BankReader(Protocol):
    """What a bank tells us. Every method raises SourceUnavailableError when it does not answer.

    Reading is at least once: `read` gives what is not acknowledged, also to two workers at a time. So: read, record in
    a transaction (known references have no second effect), commit, acknowledge. A crash between any two of these
    steps has the same entries come again, and never loses one.
    """

    source: str
    """The name of this bank with us; with an entry's `reference` it is unique among all banks."""

    async def read(self, limit: int) -> BankBatch | None:
        """Entries that are not acknowledged yet, at most `limit`, in the order the bank tells them; None when none.

        It may give the same entries again before they are acknowledged.
        """

    async def acknowledge(self, receipt: str) -> None:
        """The batch with this receipt is recorded and committed. Twice is harmless, an old receipt too."""

    async def balances(self) -> dict[str, str]:
        """By currency, what the bank's books say we have: exact decimals. Currencies not told of are absent."""


class FileReader(Protocol):
    """Files by key. Keys are of letters, digits, `-`, `_`, `.` and `/`."""

    async def get(self, key: str) -> bytes | None:
        """The bytes kept under a key, None when there are none. Raises SourceUnavailableError."""
