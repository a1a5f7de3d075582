"""A signer that asks another: web3signer's API over HTTP, so that keys may live in a vault, a KMS or an HSM."""

from __future__ import annotations

import httpx
import rlp
from bip_utils import Bip44, Bip44Changes, Bip44Coins
from eth_keys.constants import SECPK1_N
from eth_keys.datatypes import PublicKey, Signature
from eth_keys.exceptions import BadSignature
from eth_utils.crypto import keccak

from bpn.adapters.chain.calls import call_of
from bpn.ports.readers import SourceUnavailableError
from bpn.ports.senders import ChainTransfer, SignedTransaction

_DYNAMIC_FEE = b"\x02"
"""The type of an EIP-1559 transaction (EIP-2718)."""
_SIGNATURE_BYTES = (64, 65)
"""r and s, with or without v."""
_LEGACY_V = 35
"""What EIP-155 adds to twice the chain id and the parity."""


class RemoteSigner:
    """Has payloads signed by `POST /api/v1/eth1/sign/{public key}`.

    The service hashes what it is given (Keccak-256) and signs with the key of the identifier. Whether the address that
    the signature recovers to is the one that is to send is checked here, so a wrong key never gets as far as a node.
    """

    def __init__(self, url: str, account_public_key: str, *, timeout_seconds: float, token: str | None = None) -> None:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._client = httpx.AsyncClient(
            base_url=url.rstrip("/"), timeout=timeout_seconds, headers=headers, trust_env=False
        )  # fmt: skip
        self._change = Bip44.FromExtendedKey(account_public_key, Bip44Coins.ETHEREUM).Change(Bip44Changes.CHAIN_EXT)

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()

    async def sign(self, key_index: int, transfer: ChainTransfer) -> SignedTransaction:
        """Have a transfer signed by the key of an index."""
        key = self._public_key(key_index)
        fields = _fields(transfer)
        if transfer.fees.max_priority_fee_per_gas is None:
            payload = rlp.encode([*fields, transfer.chain_id, b"", b""])
            r, s, parity = await self._signed(key, payload)
            raw = rlp.encode([*fields, _LEGACY_V + 2 * transfer.chain_id + parity, r, s])
        else:
            payload = _DYNAMIC_FEE + rlp.encode(fields)
            r, s, parity = await self._signed(key, payload)
            raw = _DYNAMIC_FEE + rlp.encode([*fields, parity, r, s])
        return SignedTransaction(raw, "0x" + keccak(raw).hex())

    async def _signed(self, key: PublicKey, payload: bytes) -> tuple[int, int, int]:
        return _recover(await self._signature(key, payload), keccak(payload), key)

    def _public_key(self, index: int) -> PublicKey:
        compressed = self._change.AddressIndex(index).PublicKey().RawCompressed().ToBytes()
        return PublicKey.from_compressed_bytes(compressed)

    async def _signature(self, key: PublicKey, payload: bytes) -> bytes:
        try:
            answer = await self._client.post(f"/api/v1/eth1/sign/{key.to_hex()}", json={"data": "0x" + payload.hex()})
            answer.raise_for_status()
            signature = bytes.fromhex(answer.text.strip().strip('"').removeprefix("0x"))
        except (httpx.HTTPError, ValueError) as error:
            raise SourceUnavailableError(f"signer: {type(error).__name__}: {error}") from error
        if len(signature) not in _SIGNATURE_BYTES:
            raise SourceUnavailableError(f"signer: a signature of {len(signature)} bytes")
        return signature


def _fields(transfer: ChainTransfer) -> list[object]:
    """What is signed of a transaction, in the order of EIP-1559, or of EIP-155 where there is no priority fee."""
    target, value, data = call_of(transfer.contract, transfer.recipient, transfer.amount)
    to, fees = bytes.fromhex(target[2:]), transfer.fees
    if fees.max_priority_fee_per_gas is None:
        return [transfer.nonce, fees.max_fee_per_gas, transfer.gas_limit, to, value, data]
    prices = [fees.max_priority_fee_per_gas, fees.max_fee_per_gas]
    return [transfer.chain_id, transfer.nonce, *prices, transfer.gas_limit, to, value, data, []]


def _recover(signature: bytes, digest: bytes, key: PublicKey) -> tuple[int, int, int]:
    """r, s and the parity with which the signature recovers to the key.

    What the service says of v is not relied on: some key stores give none. Of the two values of s that are valid the
    chain takes only the lower (EIP-2).
    """
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:64])
    s = min(s, SECPK1_N - s)
    for parity in (0, 1):
        try:
            if Signature(vrs=(parity, r, s)).recover_public_key_from_msg_hash(digest) == key:
                return r, s, parity
        except BadSignature:
            continue
    raise SourceUnavailableError(f"signer: the signature is not of the key of {key.to_checksum_address()}")
