"""A signer that holds the seed itself, in memory."""

from __future__ import annotations

from bip_utils import Bip44Changes
from eth_account import Account
from eth_account.signers.local import LocalAccount

from bpn.adapters.chain.calls import call_of
from bpn.adapters.signer.derivation import account
from bpn.ports.senders import ChainTransfer, SignedTransaction


class LocalSigner:
    """Signs with keys derived from a seed at m/44'/60'/0'/0/index (BIP-32, BIP-44)."""

    def __init__(self, seed: bytes) -> None:
        self._account = account(seed)
        self._keys: dict[int, LocalAccount] = {}

    async def sign(self, key_index: int, transfer: ChainTransfer) -> SignedTransaction:
        """Sign; the same transfer gives the same bytes (RFC 6979)."""
        target, value, data = call_of(transfer.contract, transfer.recipient, transfer.amount)
        tip = transfer.fees.max_priority_fee_per_gas
        fees = (
            {"gasPrice": transfer.fees.max_fee_per_gas}
            if tip is None
            else {"type": 2, "maxFeePerGas": transfer.fees.max_fee_per_gas, "maxPriorityFeePerGas": tip}
        )
        signed = self._key(key_index).sign_transaction(
            {
                "chainId": transfer.chain_id,
                "nonce": transfer.nonce,
                "to": target,
                "value": value,
                "gas": transfer.gas_limit,
                "data": data,
                **fees,
            }
        )
        return SignedTransaction(bytes(signed.raw_transaction), "0x" + bytes(signed.hash).hex())

    def _key(self, index: int) -> LocalAccount:
        if index not in self._keys:
            derived = self._account.Change(Bip44Changes.CHAIN_EXT).AddressIndex(index)
            key: LocalAccount = Account.from_key(derived.PrivateKey().Raw().ToBytes())
            self._keys[index] = key
        return self._keys[index]
