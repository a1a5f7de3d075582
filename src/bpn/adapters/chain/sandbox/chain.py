"""The embedded chain: py-evm's, with a pool of waiting transactions and blocks mined on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from eth.abc import BlockAPI, ComputationAPI, ReceiptAPI, SignedTransactionAPI
from eth.chains.base import MiningChain
from eth.consensus.applier import ConsensusApplier
from eth.consensus.noproof import NoProofConsensus
from eth.db.atomic import AtomicDB
from eth.exceptions import CanonicalHeadNotFound, HeaderNotFound, TransactionNotFound
from eth.vm.forks.london import LondonVM
from eth.vm.message import Message
from eth.vm.transaction_context import BaseTransactionContext
from eth_abi.abi import encode
from eth_keys.datatypes import PrivateKey
from eth_typing import Address
from eth_utils.address import to_canonical_address
from eth_utils.conversions import to_bytes
from eth_utils.crypto import keccak

from bpn.adapters.chain.sandbox.storage import FileDatabase
from bpn.adapters.chain.sandbox.tokens import CONTRACTS, FAUCET_ADDRESS, FAUCET_KEY, FULL_NAMES, TOKENS, artefact

FAUCET_WEI = 10**27
TIP_WEI = 10**9
GAS_LIMIT = 30_000_000
CALL_GAS = 3_000_000
_GENESIS = {
    "coinbase": b"\x00" * 20,
    "difficulty": 131_072,
    "extra_data": b"",
    "gas_limit": GAS_LIMIT,
    "mix_hash": b"\x00" * 32,
    "nonce": b"\x00" * 7 + b"*",
}


class TransactionRefusedError(Exception):
    """The chain does not take a transaction; the message is what nodes usually say."""


class EmbeddedChain:
    """One network of the sandbox. Every method is called from the same thread.

    Args of the constructor:
        path: the file of the chain's state; an existing one is gone on with.
        chain_id: the real network's, so that what is signed for it is taken here.
        scale: decimals of the tokens.
        now: business time in Unix seconds, for the blocks.
    """

    def __init__(self, path: Path, chain_id: int, scale: int, now: Callable[[], int]) -> None:
        self._store = FileDatabase(path)
        self._now = now
        self._pool: dict[bytes, SignedTransactionAPI] = {}
        rules = ConsensusApplier(NoProofConsensus).amend_vm_configuration(((0, LondonVM),))
        kind: Any = MiningChain.configure("SandboxChain", vm_configuration=rules, chain_id=chain_id)
        database = AtomicDB(self._store)
        try:
            self._chain: Any = kind(database)
        except CanonicalHeadNotFound:
            with self._store.block():
                self._chain = kind.from_genesis(database, {**_GENESIS, "timestamp": now()}, _genesis_state())
            self._deploy_tokens(scale)
        builder = self._chain.get_vm().get_transaction_builder()
        self._pool = {transaction.hash: transaction for transaction in map(builder.decode, self._store.waiting())}

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    @property
    def chain_id(self) -> int:
        """EIP-155 chain id."""
        return int(self._chain.chain_id)

    def head(self) -> BlockAPI:
        """The newest block."""
        block: BlockAPI = self._chain.get_block_by_header(self._chain.get_canonical_head())
        return block

    def block(self, number: int) -> BlockAPI | None:
        """The canonical block of a height."""
        try:
            block: BlockAPI = self._chain.get_canonical_block_by_number(number)
        except HeaderNotFound:
            return None
        return block

    def block_by_hash(self, hash_: bytes) -> BlockAPI | None:
        """A canonical block by its hash."""
        try:
            block: BlockAPI = self._chain.get_block_by_hash(hash_)
        except HeaderNotFound:
            return None
        canonical = self.block(block.number)
        return block if canonical is not None and canonical.hash == hash_ else None

    def receipts(self, block: BlockAPI) -> list[ReceiptAPI]:
        """The receipts of a block, in order."""
        return list(block.get_receipts(self._chain.chaindb))

    def find_transaction(self, hash_: bytes) -> tuple[BlockAPI, int] | None:
        """The canonical block of a mined transaction and its place there."""
        try:
            number, index = self._chain.get_canonical_transaction_index(hash_)
        except TransactionNotFound:
            return None
        block = self.block(number)
        if block is None or index >= len(block.transactions) or block.transactions[index].hash != hash_:
            return None
        return block, index

    def waiting(self, hash_: bytes) -> SignedTransactionAPI | None:
        """A transaction of the pool."""
        return self._pool.get(hash_)

    def nonce(self, address: bytes, *, pending: bool = False, number: int | None = None) -> int:
        """The next nonce of an address, after a block or the head; with `pending`, behind what waits without a gap."""
        nonce = int(self._state(number).get_nonce(address))
        taken = {transaction.nonce for transaction in self._pool.values() if transaction.sender == address}
        while pending and nonce in taken:
            nonce += 1
        return nonce

    def balance(self, address: bytes, number: int | None = None) -> int:
        """Native coin in wei, after a block or the head."""
        return int(self._state(number).get_balance(address))

    def code(self, address: bytes) -> bytes:
        """The contract at an address, empty when there is none."""
        return bytes(self._state().get_code(address))

    def base_fee(self) -> int:
        """The base fee of the next block, wei per gas."""
        return int(self._chain.header.base_fee_per_gas)

    def call(self, sender: bytes, target: bytes, data: bytes, value: int, number: int | None = None) -> ComputationAPI:
        """Run a message on the state after a block, the head's when none is named, and keep nothing of it."""
        state = self._state(number)
        message = Message(CALL_GAS, Address(target), Address(sender), value, data, state.get_code(target))
        context = BaseTransactionContext(gas_price=0, origin=Address(sender))
        computation: ComputationAPI = state.computation_class.apply_message(state, message, context)
        return computation

    def submit(self, raw: bytes) -> bytes:
        """Take a signed transaction into the pool; its hash.

        Raises:
            TransactionRefusedError: it can never be mined, or is known.
        """
        try:
            transaction: SignedTransactionAPI = self._chain.get_vm().get_transaction_builder().decode(raw)
            transaction.validate()
            sender = transaction.sender
        except Exception as error:
            raise TransactionRefusedError(f"invalid transaction: {error}") from error
        if transaction.hash in self._pool or self.find_transaction(transaction.hash) is not None:
            raise TransactionRefusedError("already known")
        if transaction.chain_id not in {None, self.chain_id}:
            raise TransactionRefusedError("invalid chain id for signer")
        if transaction.nonce < self.nonce(sender):
            raise TransactionRefusedError("nonce too low")
        if self.balance(sender) < transaction.gas * transaction.max_fee_per_gas + transaction.value:
            raise TransactionRefusedError("insufficient funds for gas * price + value")
        self._replace(transaction)
        self._wait(transaction)
        return bytes(transaction.hash)

    def _wait(self, transaction: SignedTransactionAPI) -> None:
        self._pool[transaction.hash] = transaction
        self._store.keep_waiting(transaction.hash, transaction.encode())

    def _drop(self, transaction: SignedTransactionAPI) -> None:
        self._pool.pop(transaction.hash, None)
        self._store.forget_waiting(transaction.hash)

    def _replace(self, transaction: SignedTransactionAPI) -> None:
        """Drop what waits at the same nonce if the new one pays a tenth more, else refuse the new one."""
        rivals = [
            other
            for other in self._pool.values()
            if other.sender == transaction.sender and other.nonce == transaction.nonce
        ]
        for rival in rivals:
            if transaction.max_fee_per_gas * 10 < rival.max_fee_per_gas * 11:
                raise TransactionRefusedError("replacement transaction underpriced")
            self._drop(rival)

    def mine(self) -> BlockAPI:
        """Mine a block of all that can be mined now; what waits for a nonce or a fee goes on waiting."""
        parent = self._chain.get_canonical_head()
        return self._mine_on(parent, self._minable())

    def _mine_on(self, parent: Any, transactions: Iterable[SignedTransactionAPI]) -> BlockAPI:
        header = self._chain.create_header_from_parent(
            parent, timestamp=max(self._now(), parent.timestamp + 1), gas_limit=parent.gas_limit
        )
        mined = list(transactions)
        with self._store.block():
            self._chain.header = header
            imported, _, _ = self._chain.mine_all(mined)
            for transaction in mined:
                self._drop(transaction)
        block: BlockAPI = imported.imported_block
        return block

    def _minable(self) -> list[SignedTransactionAPI]:
        """Waiting transactions in an order in which each is valid: by sender's nonce, without a gap."""
        taken: list[SignedTransactionAPI] = []
        gas_left = GAS_LIMIT
        nonces: dict[bytes, int] = {}
        funds: dict[bytes, int] = {}
        for transaction in sorted(self._pool.values(), key=lambda waiting: waiting.nonce):
            sender = bytes(transaction.sender)
            expected = nonces.setdefault(sender, self.nonce(sender))
            if transaction.nonce < expected:
                self._drop(transaction)
                continue
            cost = transaction.gas * transaction.max_fee_per_gas + transaction.value
            left = funds.setdefault(sender, self.balance(sender))
            fits = transaction.gas <= gas_left and cost <= left and transaction.max_fee_per_gas >= self.base_fee()
            if transaction.nonce == expected and fits:
                taken.append(transaction)
                nonces[sender] += 1
                funds[sender] -= cost
                gas_left -= transaction.gas
        return taken

    def reorganise(self, depth: int, *, keep: bool) -> None:
        """Replace the newest `depth` blocks by a longer branch without their transactions.

        With `keep`, those go back to the pool and may be mined again.
        """
        head = self.head()
        depth = min(depth, head.number)
        dropped = [self.block(number) for number in range(head.number - depth + 1, head.number + 1)]
        parent = self._chain.get_canonical_block_header_by_number(head.number - depth)
        while self._chain.get_canonical_head().hash == head.hash:
            parent = self._mine_on(parent, []).header
        # From here on the new branch is the canonical one.
        self._chain.header = self._chain.create_header_from_parent(self._chain.get_canonical_head())
        for block in dropped if keep else []:
            for transaction in block.transactions if block else ():
                self._wait(transaction)

    def send_token(self, contract: str, recipient: str, amount: int, sender: str | None) -> bytes:
        """Mint tokens for a recipient, in the name of `sender` if one is given; the hash."""
        if sender is None:
            data = _call_data("mint(address,uint256)", ["address", "uint256"], [recipient, amount])
        else:
            kinds = ["address", "address", "uint256"]
            data = _call_data("mint_and_send(address,address,uint256)", kinds, [sender, recipient, amount])
        return self._send_from_faucet(to_canonical_address(contract), 0, data)

    def send_native(self, recipient: str, amount: int) -> bytes:
        """Send native coin from the faucet; the hash."""
        return self._send_from_faucet(to_canonical_address(recipient), amount, b"")

    def _send_from_faucet(self, target: bytes, value: int, data: bytes) -> bytes:
        builder = self._chain.get_vm().get_transaction_builder()
        unsigned = builder.new_unsigned_dynamic_fee_transaction(
            chain_id=self.chain_id,
            nonce=self.nonce(to_canonical_address(FAUCET_ADDRESS), pending=True),
            max_priority_fee_per_gas=TIP_WEI,
            max_fee_per_gas=100 * TIP_WEI,
            gas=CALL_GAS,
            to=target,
            value=value,
            data=data,
            access_list=(),
        )
        return self.submit(unsigned.as_signed_transaction(PrivateKey(FAUCET_KEY)).encode())

    def _deploy_tokens(self, scale: int) -> None:
        bytecode = to_bytes(hexstr=artefact()["bytecode"])
        for name in TOKENS:
            arguments = encode(["string", "string", "uint8"], [FULL_NAMES[name], name, scale])
            self._send_from_faucet(b"", 0, bytecode + arguments)
        self.mine()
        missing = [name for name in TOKENS if not self.code(to_canonical_address(CONTRACTS[name]))]
        if missing:
            raise RuntimeError(f"the sandbox's tokens {missing} are not where they should be")

    def _state(self, number: int | None = None) -> Any:
        header = (
            self._chain.get_canonical_head()
            if number is None
            else self._chain.get_canonical_block_header_by_number(number)
        )
        return self._chain.get_vm(header).state


def _genesis_state() -> dict[bytes, dict[str, object]]:
    faucet = {"balance": FAUCET_WEI, "nonce": 0, "code": b"", "storage": {}}
    return {to_canonical_address(FAUCET_ADDRESS): faucet}


def _call_data(signature: str, kinds: list[str], values: list[object]) -> bytes:
    return bytes(keccak(text=signature)[:4]) + encode(kinds, values)
