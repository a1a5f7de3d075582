"""Transfers as the EVM executes them: EIP-20's `transfer`, or the native coin itself."""

from __future__ import annotations

from eth_abi.abi import encode
from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

TRANSFER_SELECTOR = bytes.fromhex("a9059cbb")
"""The first four bytes of Keccak-256 of `transfer(address,uint256)` (EIP-20)."""


def call_of(contract: str | None, recipient: str, amount: int) -> tuple[ChecksumAddress, int, bytes]:
    """Target, value in wei and data of a transfer of a token, or (None) of the native coin."""
    if contract is None:
        return to_checksum_address(recipient), amount, b""
    data = TRANSFER_SELECTOR + encode(["address", "uint256"], [recipient, amount])
    return to_checksum_address(contract), 0, data


def transfer_of(target: str | None, value: int, data: bytes) -> tuple[str | None, str | None, int]:
    """Contract, recipient and amount of the transfer that a transaction makes; no recipient where it makes another."""
    if target is None:
        return None, None, 0
    if not data:
        return None, to_checksum_address(target), value
    words = data[len(TRANSFER_SELECTOR) :]
    if not data.startswith(TRANSFER_SELECTOR) or len(words) != 2 * _WORD_BYTES or value:
        return to_checksum_address(target), None, 0
    recipient, amount = words[_WORD_BYTES - _ADDRESS_BYTES : _WORD_BYTES], words[_WORD_BYTES:]
    return to_checksum_address(target), to_checksum_address(recipient), int.from_bytes(amount)


_WORD_BYTES = 32
_ADDRESS_BYTES = 20
