"""Several endpoints of one network: one is read from, enough must say the same of what money hangs on."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog
from prometheus_client import Counter as Count

from bpn.adapters.chain.evm import EvmChain
from bpn.ports.readers import (
    Block,
    BlockTransaction,
    EndpointsDisagreeError,
    GasFees,
    MinedTransfer,
    Receipt,
    SourceUnavailableError,
    TransferLog,
)
from bpn.ports.senders import BroadcastOutcome

log = structlog.get_logger(__name__)
FAILURES = Count("bpn_chain_endpoint_failures_total", "Calls that an endpoint did not answer.", ["network", "endpoint"])
DISAGREEMENTS = Count(
    "bpn_chain_endpoint_disagreements_total",
    "Answers of an endpoint that differ from what the others say.",
    ["network", "endpoint"],
)
_TAKEN = (BroadcastOutcome.ACCEPTED, BroadcastOutcome.ALREADY_KNOWN, BroadcastOutcome.NONCE_TOO_LOW)

Answer = TypeVar("Answer")


class ChainEndpoints:
    """Reads one network through several nodes and hands transactions to all: the ports ChainReader, TransactionSender.

    Reading stays with one endpoint while it answers and keeps up, and falls over to the next. Heads, receipts and
    nonces are asked of all: what fewer than `agreeing` of them say is not told. Who differs from the others is named in
    the log and counted.
    """

    def __init__(self, nodes: Sequence[EvmChain], agreeing: int) -> None:
        self.network = nodes[0].network
        self._nodes = list(nodes)
        self._agreeing = agreeing
        self._current = nodes[0]
        self._agreed_head = 0

    async def close(self) -> None:
        """Give the connections back."""
        for node in self._nodes:
            await node.close()

    async def chain_id(self) -> int:
        """EIP-155 chain id, the same of every endpoint that answers."""
        answers = await self._ask_all(lambda node: node.chain_id())
        return self._agreed(answers, "chain id", 1)

    async def head(self) -> Block:
        """The newest block that enough endpoints have reached; reading goes on with one of them."""
        answers = await self._ask_all(lambda node: node.head())
        newest = sorted((block.number for _, block in answers), reverse=True)
        agreed = self._agreed_head = newest[min(self._agreeing, len(newest)) - 1]
        reached = [node for node, block in answers if block.number >= agreed]
        if self._current not in reached:
            log.warning("chain.endpoint_left", network=self.network, endpoint=self._current.endpoint)
            self._current = reached[0]
        heads = dict(answers)
        if heads[self._current].number == agreed:
            return heads[self._current]
        block = await self._current.block(agreed)
        if block is None:
            raise SourceUnavailableError(f"{self.network}: {self._current.endpoint} has no block {agreed}")
        return block

    async def block(self, number: int) -> Block | None:
        """The canonical block of a height, None above the head."""
        return await self._ask_one(lambda node: node.block(number))

    async def final_block(self, place: str | int) -> Block:
        """The newest block that enough endpoints call final, or the one that they have at a height."""
        if isinstance(place, str):
            called = await self._ask_all(lambda node: node.final_block(place))
            self._require_enough(called, place)
            height = sorted((block.number for _, block in called), reverse=True)[self._agreeing - 1]
        else:
            height = place
        blocks = await self._ask_all(lambda node: node.block(height))
        block = self._agreed([pair for pair in blocks if pair[1] is not None], f"block {height}", self._agreeing)
        if block is None:
            raise SourceUnavailableError(f"{self.network}: no endpoint has block {height}")
        return block

    async def transfers(self, contracts: Sequence[str], first: int, last: int) -> list[TransferLog]:
        """All Transfer events of these contracts."""
        return await self._ask_one(lambda node: node.transfers(contracts, first, last))

    async def transfers_to(self, recipients: Sequence[str], first: int, last: int) -> list[TransferLog]:
        """All Transfer events to these addresses, asked of every endpoint: one that hides or invents some is named.

        What is told by too few stays out where enough endpoints know nothing of it, else it is for the asker to prove.
        """
        answers = await self._ask_all(lambda node: node.transfers_to(recipients, first, last))
        self._require_enough(answers, "transfers")
        told = {node: set(found) for node, found in answers}
        transfers = []
        for seen in sorted(set().union(*told.values()), key=lambda seen: (seen.block_number, seen.log_index)):
            tellers = [node for node in told if seen in told[node]]
            others = [node for node in told if seen not in told[node]]
            if len(tellers) < self._agreeing <= len(others):
                self._name_all(tellers, seen, "there", "absent")
            else:
                self._name_all(others, seen, "absent", "there")
                transfers.append(seen)
        return transfers

    def _name_all(self, nodes: Sequence[EvmChain], seen: TransferLog, answer: str, others: str) -> None:
        for node in nodes:
            self._name(node, f"transfer {seen.transaction_hash}", answer, others)

    async def transactions(self, number: int) -> list[BlockTransaction]:
        """The transactions of a block, in order."""
        return await self._ask_one(lambda node: node.transactions(number))

    async def receipt(self, transaction_hash: str) -> Receipt | None:
        """The receipt that enough endpoints give."""
        answers = await self._ask_all(lambda node: node.receipt(transaction_hash))
        # Who does not have the newest blocks yet says no wrong.
        late = any(receipt is not None and receipt.block_number > self._agreed_head for _, receipt in answers)
        return self._agreed(answers, f"receipt of {transaction_hash}", self._agreeing, late=late)

    async def transaction_count(self, address: str) -> int:
        """The nonce that enough endpoints have reached."""
        answers = await self._ask_all(lambda node: node.transaction_count(address))
        self._require_enough(answers, "nonce")
        return sorted((count for _, count in answers), reverse=True)[self._agreeing - 1]

    async def token_balance(self, contract: str, holder: str, block_number: int | None = None) -> int:
        """ERC-20 `balanceOf`, minor units."""
        return await self._ask_one(lambda node: node.token_balance(contract, holder, block_number))

    async def native_balance(self, holder: str, block_number: int | None = None) -> int:
        """Native coin in wei."""
        return await self._ask_one(lambda node: node.native_balance(holder, block_number))

    async def token_scale(self, contract: str) -> int | None:
        """ERC-20 `decimals`, None when there is no contract at that address."""
        return await self._ask_one(lambda node: node.token_scale(contract))

    async def gas_fees(self) -> GasFees:
        """Fees with which a transaction sent now should be mined soon."""
        return await self._ask_one(lambda node: node.gas_fees())

    async def transfer_gas(self, sender: str, contract: str | None, recipient: str, amount: int) -> int | None:
        """The gas that a transfer would need, None where it would fail."""
        return await self._ask_one(lambda node: node.transfer_gas(sender, contract, recipient, amount))

    async def knows_transaction(self, transaction_hash: str) -> bool:
        """Whether any endpoint has a transaction, mined or waiting."""
        answers = await self._ask_all(lambda node: node.knows_transaction(transaction_hash))
        return any(known for _, known in answers)

    async def transaction_at_nonce(self, sender: str, nonce: int) -> MinedTransfer | None:
        """The mined transaction with which, as enough endpoints say, an address used a nonce."""
        answers = await self._ask_all(lambda node: node.transaction_at_nonce(sender, nonce))
        late = any(known is None for _, known in answers)
        return self._agreed(answers, f"transaction at nonce {nonce} of {sender}", self._agreeing, late=late)

    async def broadcast(self, raw: bytes) -> BroadcastOutcome:
        """Send by every endpoint; taken when one of them takes it."""
        answers = await self._ask_all(lambda node: node.broadcast(raw))
        outcomes = [outcome for _, outcome in answers]
        return next((outcome for outcome in _TAKEN if outcome in outcomes), outcomes[0])

    async def _ask_one(self, ask: Callable[[EvmChain], Awaitable[Answer]]) -> Answer:
        """An answer of the current endpoint, else of the next that answers; that one is current then."""
        start = self._nodes.index(self._current)
        for node in [*self._nodes[start:], *self._nodes[:start]]:
            try:
                answer = await ask(node)
            except SourceUnavailableError as error:
                self._failed(node, error)
                continue
            self._current = node
            return answer
        raise SourceUnavailableError(f"{self.network}: none of {len(self._nodes)} endpoints answers")

    async def _ask_all(self, ask: Callable[[EvmChain], Awaitable[Answer]]) -> list[tuple[EvmChain, Answer]]:
        """The answers of all endpoints that answer, at least one."""
        asked = await asyncio.gather(*(ask(node) for node in self._nodes), return_exceptions=True)
        answers = []
        for node, answer in zip(self._nodes, asked, strict=True):
            if isinstance(answer, SourceUnavailableError):
                self._failed(node, answer)
            elif isinstance(answer, BaseException):
                raise answer
            else:
                answers.append((node, answer))
        if not answers:
            raise SourceUnavailableError(f"{self.network}: none of {len(self._nodes)} endpoints answers")
        return answers

    def _agreed(
        self, answers: Sequence[tuple[EvmChain, Answer]], what: str, needed: int, *, late: bool = False
    ) -> Answer:
        """The answer that most give, if at least `needed` give it; who gives another is named, unless only late."""
        if not answers:
            raise EndpointsDisagreeError(f"{self.network}: {what}: no endpoint tells it")
        (common, times), *others = Counter(answer for _, answer in answers).most_common()
        for node, answer in answers if others and not late else ():
            if answer != common or times == others[0][1]:
                self._name(node, what, answer, common)
        if times < needed or (others and times == others[0][1]):
            raise EndpointsDisagreeError(
                f"{self.network}: {what}: {times} of {len(self._nodes)} endpoints say the same"
            )
        return common

    def _require_enough(self, answers: Sequence[tuple[EvmChain, object]], what: str) -> None:
        if len(answers) < self._agreeing:
            raise EndpointsDisagreeError(f"{self.network}: {what}: {len(answers)} endpoints answer, too few to agree")

    def _name(self, node: EvmChain, what: str, answer: object, others: object) -> None:
        DISAGREEMENTS.labels(self.network, node.endpoint).inc()
        log.error(
            "chain.endpoint_disagrees",
            network=self.network,
            endpoint=node.endpoint,
            about=what,
            says=str(answer),
            others=str(others),
        )

    def _failed(self, node: EvmChain, error: SourceUnavailableError) -> None:
        FAILURES.labels(self.network, node.endpoint).inc()
        log.warning("chain.endpoint_failed", network=self.network, endpoint=node.endpoint, error=str(error))
