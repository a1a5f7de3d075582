"""A signer that holds the seed itself, in memory."""

from __future__ import annotations

from bip_utils import Bip44Changes
from eth_abi.abi import encode
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address

from bpn.adapters.signer.derivation import account
from bpn.ports.senders import SignedTransaction, TokenTransfer

TRANSFER_SELECTOR = bytes.fromhex("a9059cbb")
"""The first four bytes of Keccak-256 of `transfer(address,uint256)` (EIP-20)."""


class LocalSigner:
    """Signs with keys derived from a seed at m/44'/60'/0'/0/index (BIP-32, BIP-44)."""

    def __init__(self, seed: bytes) -> None:
        self._account = account(seed)
        self._keys: dict[int, LocalAccount] = {}

    async def sign(self, key_index: int, transfer: TokenTransfer) -> SignedTransaction:
        """Sign an EIP-1559 transaction; the same transfer gives the same bytes (RFC 6979)."""
        signed = self._key(key_index).sign_transaction(
            {
                "type": 2,
                "chainId": transfer.chain_id,
                "nonce": transfer.nonce,
                "to": to_checksum_address(transfer.contract),
                "value": 0,
                "gas": transfer.gas_limit,
                "maxFeePerGas": transfer.fees.max_fee_per_gas,
                "maxPriorityFeePerGas": transfer.fees.max_priority_fee_per_gas,
                "data": TRANSFER_SELECTOR + encode(["address", "uint256"], [transfer.recipient, transfer.amount]),
            }
        )
        return SignedTransaction(bytes(signed.raw_transaction), "0x" + bytes(signed.hash).hex())

    def _key(self, index: int) -> LocalAccount:
        if index not in self._keys:
            derived = self._account.Change(Bip44Changes.CHAIN_EXT).AddressIndex(index)
            key: LocalAccount = Account.from_key(derived.PrivateKey().Raw().ToBytes())
            self._keys[index] = key
        return self._keys[index]
