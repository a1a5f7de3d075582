"""A chain in memory, and nodes that tell of it: late, wrongly, or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from eth_utils.address import to_checksum_address

from bpn.chapters.wallet import rules
from bpn.chapters.wallet.model import Network, WalletTerms
from bpn.ports.readers import (
    Block,
    BlockTransaction,
    GasFees,
    MinedTransfer,
    Receipt,
    SourceUnavailableError,
    TransferLog,
)
from bpn.ports.senders import BroadcastOutcome, ChainTransfer, SignedTransaction

GAS = 50_000
GWEI = 10**9
TIP = GWEI


@dataclass(frozen=True)
class Sent:
    """A transaction. `nonce` is None for the many outside, whose nonces do not matter here."""

    hash: str
    sender: str
    nonce: int | None
    contract: str | None
    transfers: tuple[tuple[str, int], ...]
    max_fee: int = 10**12
    fails: bool = False


@dataclass
class Mined:
    """A block with what its transactions came to."""

    block: Block
    transactions: list[tuple[Sent, bool]]
    base_fee: int

    def logs(self) -> list[TransferLog]:
        """The Transfer events, in order."""
        found: list[TransferLog] = []
        for sent, succeeded in self.transactions:
            for recipient, amount in sent.transfers if succeeded and sent.contract else ():
                number, hash_ = self.block.number, self.block.hash
                contract = sent.contract or ""
                found.append(
                    TransferLog(number, hash_, sent.hash, len(found), contract, sent.sender, recipient, amount)
                )
        return found


@dataclass
class SimulatedChain:
    """The truth of one network."""

    network: Network
    random: Random
    now: Callable[[], int]
    blocks: list[Mined] = field(default_factory=list)
    pool: dict[str, Sent] = field(default_factory=dict)
    genesis: dict[tuple[str | None, str], int] = field(default_factory=dict)
    base_fee: int = 10 * GWEI
    count: int = 0

    def __post_init__(self) -> None:
        for _ in range(5):
            self.mine()

    def fresh_hash(self) -> str:
        self.count += 1
        return "0x" + hashlib.sha256(f"{self.network.name} {self.random.random()} {self.count}".encode()).hexdigest()

    @property
    def head(self) -> Mined:
        return self.blocks[-1]

    def balance(self, contract: str | None, holder: str, number: int | None = None) -> int:
        """What an address holds after a block."""
        total = self.genesis.get((contract, holder), 0)
        for mined in self.blocks[: None if number is None else number + 1]:
            for sent, succeeded in mined.transactions:
                if contract is None and sent.sender == holder and sent.nonce is not None:
                    total -= GAS * self.price(mined, sent)
                if not succeeded or sent.contract != contract:
                    continue
                if sent.sender == holder and sent.nonce is not None:
                    total -= sum(amount for _, amount in sent.transfers)
                total += sum(amount for recipient, amount in sent.transfers if recipient == holder)
        return total

    def price(self, mined: Mined, sent: Sent) -> int:
        """What a unit of gas cost."""
        return min(sent.max_fee, mined.base_fee + TIP)

    def nonce(self, sender: str, number: int | None = None) -> int:
        """How many transactions of an address are mined."""
        chosen = self.blocks[: None if number is None else number + 1]
        return sum(
            sent.sender == sender and sent.nonce is not None for mined in chosen for sent, _ in mined.transactions
        )

    def find(self, hash_: str) -> tuple[Mined, Sent, bool] | None:
        for mined in reversed(self.blocks):
            for sent, succeeded in mined.transactions:
                if sent.hash == hash_:
                    return mined, sent, succeeded
        return None

    def pay(self, contract: str | None, transfers: Sequence[tuple[str, int]], *, fails: bool = False) -> str:
        """Somebody outside pays."""
        self.count += 1
        outside = to_checksum_address(hashlib.sha256(f"outside {self.count}".encode()).digest()[-20:])
        sent = Sent(self.fresh_hash(), outside, None, contract, tuple(transfers), fails=fails)
        self.pool[sent.hash] = sent
        return sent.hash

    def mine(self) -> None:
        """A block of what waits, in the order of nonces; some of what is outside waits longer."""
        self._append(self._minable())

    def _minable(self) -> list[tuple[Sent, bool]]:
        taken: list[tuple[Sent, bool]] = []
        nonces: dict[str, int] = {}
        for sent in sorted(self.pool.values(), key=lambda one: -1 if one.nonce is None else one.nonce):
            if sent.nonce is None:
                if self.random.random() < 0.8:
                    taken.append((sent, not sent.fails))
                continue
            expected = nonces.setdefault(sent.sender, self.nonce(sent.sender))
            if sent.nonce == expected and sent.max_fee >= self.base_fee + TIP:
                total = sum(amount for _, amount in sent.transfers)
                taken.append((sent, self.balance(sent.contract, sent.sender) >= total))
                nonces[sent.sender] += 1
        return taken

    def _append(self, transactions: list[tuple[Sent, bool]]) -> None:
        number = len(self.blocks)
        parent = self.blocks[-1].block.hash if self.blocks else "0x" + "00" * 32
        timestamp = max(self.now(), self.blocks[-1].block.timestamp + 1 if self.blocks else 0)
        self.blocks.append(Mined(Block(number, self.fresh_hash(), parent, timestamp), transactions, self.base_fee))
        for sent, _ in transactions:
            self.pool.pop(sent.hash, None)
            if sent.nonce is not None:
                rivals = [
                    one.hash for one in self.pool.values() if (one.sender, one.nonce) == (sent.sender, sent.nonce)
                ]
                for hash_ in rivals:
                    del self.pool[hash_]

    def reorganise(self, depth: int) -> None:
        """Another branch wins. Ours come back to the pool; of what others sent, some is never seen again."""
        dropped = self.blocks[-depth:]
        del self.blocks[-depth:]
        for mined in dropped:
            for sent, _ in mined.transactions:
                if sent.nonce is not None or self.random.random() < 0.6:
                    self.pool[sent.hash] = sent
        for _ in range(depth + self.random.randrange(-1, 2)):
            self._append(self._minable() if self.random.random() < 0.5 else [])
        while len(self.blocks) < 2:
            self._append([])

    def forget(self) -> None:
        """Nodes drop what waits, as when they are full."""
        self.pool = {hash_: sent for hash_, sent in self.pool.items() if sent.nonce is None}

    def accept(self, sent: Sent) -> BroadcastOutcome:
        if sent.hash in self.pool or self.find(sent.hash) is not None:
            return BroadcastOutcome.ALREADY_KNOWN
        if sent.nonce is not None and sent.nonce < self.nonce(sent.sender):
            return BroadcastOutcome.NONCE_TOO_LOW
        rivals = [one for one in self.pool.values() if (one.sender, one.nonce) == (sent.sender, sent.nonce)]
        if any(sent.max_fee * 10 < rival.max_fee * 11 for rival in rivals):
            return BroadcastOutcome.UNDERPRICED
        for rival in rivals:
            del self.pool[rival.hash]
        self.pool[sent.hash] = sent
        return BroadcastOutcome.ACCEPTED


@dataclass(eq=False)
class SimulatedNode:
    """One node's view of a chain: the ports ChainReader and TransactionSender."""

    chain: SimulatedChain
    endpoint: str
    down: bool = False
    behind: int = 0
    hides: bool = False
    inverts: bool = False
    invents: int = 0

    @property
    def network(self) -> str:
        return self.chain.network.name

    async def close(self) -> None:
        """Nothing is held."""

    def _view(self) -> list[Mined]:
        if self.down:
            raise SourceUnavailableError(f"{self.network}: {self.endpoint} is down")
        return self.chain.blocks[: max(1, len(self.chain.blocks) - self.behind)]

    async def chain_id(self) -> int:
        self._view()
        return self.chain.network.chain_id

    async def head(self) -> Block:
        head = self._view()[-1].block
        return replace(head, number=head.number + self.invents) if self.invents else head

    async def block(self, number: int) -> Block | None:
        view = self._view()
        return view[number].block if number < len(view) else None

    async def final_block(self, place: str | int) -> Block:
        view = self._view()
        number = place if isinstance(place, int) else max(0, len(view) - self.chain.network.confirmations)
        if number >= len(view):
            raise SourceUnavailableError(f"{self.network}: {self.endpoint} has no block {number}")
        return view[number].block

    def _logs(self, first: int, last: int) -> list[TransferLog]:
        return [] if self.hides else [log for mined in self._view()[first : last + 1] for log in mined.logs()]

    async def transfers(self, contracts: Sequence[str], first: int, last: int) -> list[TransferLog]:
        self._view()
        return [log for log in self._logs(first, last) if log.contract in contracts]

    async def transfers_to(self, recipients: Sequence[str], first: int, last: int) -> list[TransferLog]:
        self._view()
        wanted = set(recipients)
        return [log for log in self._logs(first, last) if log.recipient in wanted]

    async def transactions(self, number: int) -> list[BlockTransaction]:
        view = self._view()
        return (
            [self._block_transaction(sent, number) for sent, _ in view[number].transactions]
            if number < len(view)
            else []
        )

    def _block_transaction(self, sent: Sent, number: int) -> BlockTransaction:
        recipient, amount = sent.transfers[0]
        if sent.contract is None:
            return BlockTransaction(sent.hash, number, sent.sender, recipient, amount, None, None)
        single = len(sent.transfers) == 1
        return BlockTransaction(
            sent.hash, number, sent.sender, sent.contract, 0, recipient if single else None, amount if single else None
        )

    async def receipt(self, transaction_hash: str) -> Receipt | None:
        view = self._view()
        found = self.chain.find(transaction_hash)
        if found is None or found[0].block.number >= len(view):
            return None
        mined, sent, succeeded = found
        return Receipt(
            transaction_hash,
            mined.block.number,
            mined.block.hash,
            succeeded != self.inverts,
            GAS,
            self.chain.price(mined, sent),
            tuple(log for log in mined.logs() if log.transaction_hash == transaction_hash),
        )

    async def transaction_count(self, address: str) -> int:
        return self.chain.nonce(address, len(self._view()) - 1) + self.invents

    async def token_balance(self, contract: str, holder: str, block_number: int | None = None) -> int:
        self._view()
        return self.chain.balance(contract, holder, block_number)

    async def native_balance(self, holder: str, block_number: int | None = None) -> int:
        self._view()
        return self.chain.balance(None, holder, block_number)

    async def token_scale(self, contract: str) -> int | None:
        self._view()
        scales = {token.contract: token.asset.scale for token in self.chain.network.tokens.values()}
        return scales.get(contract)

    async def gas_fees(self) -> GasFees:
        self._view()
        return GasFees(2 * self.chain.base_fee + TIP, TIP, self.chain.base_fee)

    async def transfer_gas(self, sender: str, contract: str | None, _recipient: str, amount: int) -> int | None:
        self._view()
        return GAS if self.chain.balance(contract, sender) >= amount else None

    async def knows_transaction(self, transaction_hash: str) -> bool:
        self._view()
        return transaction_hash in self.chain.pool or self.chain.find(transaction_hash) is not None

    async def transaction_at_nonce(self, sender: str, nonce: int) -> MinedTransfer | None:
        for mined in self._view():
            for sent, _ in mined.transactions:
                if (sent.sender, sent.nonce) == (sender, nonce):
                    ((recipient, amount),) = sent.transfers
                    return MinedTransfer(sent.hash, mined.block.number, sent.contract, recipient, amount)
        return None

    async def broadcast(self, raw: bytes) -> BroadcastOutcome:
        self._view()
        told = json.loads(raw)
        transfers = ((told["recipient"], told["amount"]),)
        hash_ = "0x" + hashlib.sha256(raw).hexdigest()
        return self.chain.accept(
            Sent(hash_, told["sender"], told["nonce"], told["contract"], transfers, told["max_fee"])
        )


@dataclass
class SimulatedSigner:
    """Signs with no keys at all: the port Signer, its bytes told by the nodes above."""

    terms: WalletTerms

    async def sign(self, key_index: int, transfer: ChainTransfer) -> SignedTransaction:
        raw = json.dumps(
            {
                "sender": rules.sender_address(self.terms, key_index),
                "chain": transfer.chain_id,
                "nonce": transfer.nonce,
                "contract": transfer.contract,
                "recipient": transfer.recipient,
                "amount": transfer.amount,
                "max_fee": transfer.fees.max_fee_per_gas,
            }
        ).encode()
        return SignedTransaction(raw, "0x" + hashlib.sha256(raw).hexdigest())
