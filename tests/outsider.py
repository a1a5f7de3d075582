"""Somebody outside with contracts of their own, on any chain that the tests run on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_account import Account
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from rlp import encode as rlp_encode

from bpn.adapters.chain.evm import EvmChain
from bpn.ports.senders import BroadcastOutcome
from bpn.ports.simulation import SandboxChain

FOLDER = Path(__file__).parents[1] / "contracts"
TOKEN = Path(__file__).parents[1] / "src/bpn/adapters/chain/sandbox/token.json"
_KEY = "0x" + "7a" * 32
_GAS = 2_000_000


@dataclass
class Outsider:
    """An account that deploys and calls. Every call is mined at once."""

    node: EvmChain
    chain: SandboxChain
    chain_id: int
    address: str

    async def send(self, target: str | None, data: bytes, value: int = 0, *, mine: bool = True) -> str:
        """A transaction of this account; its hash."""
        fees = await self.node.gas_fees()
        signed = Account.sign_transaction(
            {
                "chainId": self.chain_id,
                "nonce": await self.node.transaction_count(self.address),
                "maxFeePerGas": fees.max_fee_per_gas,
                "maxPriorityFeePerGas": fees.max_priority_fee_per_gas,
                "gas": _GAS,
                "value": value,
                "data": data,
                **({"to": target} if target else {}),
            },
            _KEY,
        )
        assert await self.node.broadcast(bytes(signed.raw_transaction)) is BroadcastOutcome.ACCEPTED
        if mine:
            await self.chain.mine(1)
        return "0x" + bytes(signed.hash).hex()

    async def deploy(self, artefact: str, *arguments: tuple[str, object]) -> str:
        """Deploy a contract of ours; its address."""
        path = TOKEN if artefact == "token" else FOLDER / f"{artefact}.json"
        compiled: dict[str, Any] = json.loads(path.read_text())
        nonce = await self.node.transaction_count(self.address)
        given = encode([kind for kind, _ in arguments], [value for _, value in arguments])
        hash_ = await self.send(None, bytes.fromhex(compiled["bytecode"][2:]) + given)
        receipt = await self.node.receipt(hash_)
        assert receipt is not None
        assert receipt.succeeded
        return address_of_contract(self.address, nonce)

    async def call(self, contract: str, signature: str, *values: object, value: int = 0, mine: bool = True) -> str:
        """Call a function of a contract by its signature; the transaction's hash."""
        kinds = signature[signature.index("(") + 1 : -1].split(",")
        data = bytes(keccak(text=signature)[:4]) + encode(kinds, values)
        return await self.send(contract, data, value, mine=mine)


def address_of_contract(deployer: str, nonce: int) -> str:
    """Where a deployment of an account will stand."""
    return str(to_checksum_address(keccak(rlp_encode([bytes.fromhex(deployer[2:]), nonce]))[-20:]))


OUTSIDER = str(Account.from_key(_KEY).address)


async def outsider(node: EvmChain, chain: SandboxChain) -> Outsider:
    """The account, with coins to spend."""
    await chain.send_native(OUTSIDER, 10**18)
    await chain.mine(1)
    return Outsider(node, chain, await node.chain_id(), OUTSIDER)
