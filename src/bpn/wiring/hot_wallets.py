"""The hot wallets as operators see them: what lies there, its nonces, what waits and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bpn.audit.model import Decision
from bpn.chapters.wallet import operations as wallet
from bpn.chapters.wallet.errors import UnsupportedNetwork
from bpn.chapters.wallet.jobs.carrier import read_fees, read_funds
from bpn.chapters.wallet.model import Network
from bpn.chapters.wallet.model.outgoing import HOT_KEY_INDEX, Fees, OutgoingState, Placement
from bpn.kernel.money import Money
from bpn.wiring.chains import evm_chain
from bpn.wiring.house import House

_SHOWN = 200


@dataclass(frozen=True, slots=True)
class HotWallet:
    """The hot wallet of one network.

    `chain_nonce` is what the chain expects next, `next_nonce` what is given next here; `unmined` transfers have one.
    """

    network: str
    address: str
    balances: Sequence[Money]
    chain_nonce: int
    next_nonce: int | None
    unmined: int
    sweeps: int
    fees: Fees | None
    waiting: Sequence[Placement]


async def hot_wallets(house: House) -> list[HotWallet]:
    """Every network's hot wallet, as its node and the database tell it now."""
    return [await _hot_wallet(house, network) for network in house.wallet_terms.networks.values()]


async def _hot_wallet(house: House, network: Network) -> HotWallet:
    address = house.wallet_terms.hot_address
    async with house.database.transaction() as tx:
        calls = [one.call for one in await wallet.list_waiting(tx, network, wallet.FROM_HOT_WALLET, _SHOWN)]
    contracts: Mapping[str, str] = {token.contract: name for name, token in network.tokens.items()}
    chain = evm_chain(house, network.name)
    try:
        funds = await read_funds(chain, network, address, calls, list(contracts))
    finally:
        await chain.close()
    async with house.database.transaction() as tx:
        sender = await wallet.find_sender(tx, network.name, HOT_KEY_INDEX)
        waiting = await wallet.explain_waiting(tx, network, HOT_KEY_INDEX, funds, _SHOWN)
        states = [OutgoingState.PREPARED, OutgoingState.SIGNED, OutgoingState.BROADCAST]
        unmined = await wallet.list_outgoing(tx, network.name, states, HOT_KEY_INDEX)
        sweeps = await wallet.list_sweeps(tx, network.name)
    return HotWallet(
        network.name,
        address,
        [
            Money(funds.native, network.native),
            *(Money(minor, network.tokens[contracts[contract]].asset) for contract, minor in funds.tokens.items()),
        ],
        funds.transaction_count,
        sender.next_nonce,
        len(unmined),
        len(sweeps),
        funds.fees,
        waiting,
    )


async def replace_now(house: House, name: str, key_index: int, nonce: int, decision: Decision) -> Fees:
    """Order a replacement of a transaction at a higher fee; a worker signs and sends it.

    Raises:
        UnsupportedNetwork: the network is not configured.
        TransactionNotFound, InvalidState: nothing to replace.
    """
    network = house.wallet_terms.networks.get(name)
    if network is None:
        raise UnsupportedNetwork(f"{name} is not configured.")
    chain = evm_chain(house, name)
    try:
        fees = await read_fees(chain, network)
    finally:
        await chain.close()
    async with house.database.transaction() as tx:
        return await wallet.replace_outgoing(tx, network, key_index, nonce, fees, decision)
