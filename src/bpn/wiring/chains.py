"""The real networks and what lies there: checked at the start, funded in a sandbox, compared with the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from bpn.adapters.chain.endpoints import ChainEndpoints
from bpn.adapters.chain.evm import EvmChain
from bpn.adapters.chain.sandbox.server import SandboxNetwork, SandboxServer
from bpn.adapters.chain.sandbox.tokens import CONTRACTS
from bpn.chapters.wallet import operations as wallet
from bpn.chapters.wallet.errors import UnsupportedNetwork
from bpn.chapters.wallet.model import Network
from bpn.chapters.wallet.model.outgoing import Outgoing
from bpn.kernel.assets import Asset
from bpn.kernel.money import Money
from bpn.settings import Settings
from bpn.wiring.house import House
from bpn.wiring.sandbox import sandbox_chains

SANDBOX_TOKENS = 10_000_000
SANDBOX_COINS = 1_000
"""What the sandbox's hot wallets begin with: whole tokens of each kind, whole native coins."""


def evm_chain(house: House, name: str) -> EvmChain | ChainEndpoints:
    """A network's node, or all of them where it has several; the caller closes it."""
    chain = house.settings.chains[name]
    urls = chain.endpoints or [f"{house.chain_url}/{name}"]
    nodes = [EvmChain(name, url, timeout_seconds=chain.timeout_seconds) for url in urls]
    return nodes[0] if len(nodes) == 1 else ChainEndpoints(nodes, chain.agreeing)


async def check_chains(house: House) -> None:
    """Compare every network with its settings before anything is read or sent.

    Raises:
        ChainMismatchError: another chain id, no contract at a token's address, or another scale than configured.
    """
    for name, network in house.wallet_terms.networks.items():
        chain = evm_chain(house, name)
        try:
            found = await chain.chain_id()
            if found != network.chain_id:
                raise ChainMismatchError(f"{name}: the node is of chain {found}, not {network.chain_id}")
            for currency, token in network.tokens.items():
                scale = await chain.token_scale(token.contract)
                if scale != token.asset.scale:
                    raise ChainMismatchError(f"{name}: {currency} has scale {scale}, not {token.asset.scale}")
        finally:
            await chain.close()


class ChainMismatchError(Exception):
    """A network is not what the settings say."""


async def fund_sandbox(house: House) -> None:
    """Give the sandbox's hot wallets what they begin with, on chain and in the ledger, once."""
    hot = house.wallet_terms.hot_address
    place = 0
    for name, chain in sandbox_chains(house).items():
        network = house.wallet_terms.networks[name]
        reader = evm_chain(house, name)
        funds: list[tuple[Money, str | None]] = [
            (Money.parse(str(SANDBOX_TOKENS), token.asset), token.contract)
            for token in network.tokens.values()
            if token.contract in CONTRACTS.values()
        ]
        for money, contract in [*funds, (Money.parse(str(SANDBOX_COINS), network.native), None)]:
            place += 1
            async with house.database.transaction() as tx:
                booked = await wallet.house_funds_booked(tx, money.asset)
            if booked:
                continue
            held = await (reader.native_balance(hot) if contract is None else reader.token_balance(contract, hot))
            if held < money.minor:
                send = chain.send_native(hot, money.minor) if contract is None else chain.send_token(
                    contract, hot, money.minor
                )  # fmt: skip
                await send
                await chain.mine(1)
            async with house.database.transaction() as tx:
                await wallet.book_house_funds(tx, place, money)
        await reader.close()


async def hot_wallet_count(house: House, network: str) -> int:
    """How many transactions the chain has of the hot wallet.

    Raises:
        UnsupportedNetwork: the network is not configured.
    """
    if network not in house.settings.chains:
        raise UnsupportedNetwork(f"{network} is not configured.")
    chain = evm_chain(house, network)
    try:
        return await chain.transaction_count(house.wallet_terms.hot_address)
    finally:
        await chain.close()


@dataclass(frozen=True, slots=True)
class ChainComparison:
    """An asset in the ledger and on chain, minor units.

    `under_way` is what the chain shows and the ledger will: deposits that confirm, what was mined and is not settled.
    """

    asset: Asset
    ledger: int
    under_way: int
    chain: int

    @property
    def difference(self) -> int:
        """What neither explains."""
        return self.chain - self.ledger - self.under_way


async def compare_with_chains(house: House) -> list[ChainComparison]:
    """What the ledger says lies on chain, beside what lies there, for every asset of every network.

    Both are of the newest block that was read: what happens meanwhile makes no difference. The node has to know the
    state of that block still.
    """
    async with house.database.transaction(snapshot=True) as tx:
        holdings = await wallet.custody_holdings(house.wallet_terms, tx)
        booked = await wallet.custody_ledger(tx, [holding.asset for holding in holdings])
        open_ = await wallet.custody_under_way(house.wallet_terms, tx)
    under_way = Counter(open_.arriving)
    for name, outgoings in open_.outgoing.items():
        network, newest = house.wallet_terms.networks[name], open_.blocks.get(name)
        under_way.update(await _mined(house, network, outgoings, newest))
    comparisons = []
    for holding, in_ledger in zip(holdings, booked, strict=True):
        chain, block = evm_chain(house, holding.asset.network or ""), open_.blocks.get(holding.asset.network or "")
        try:
            found = [
                await (
                    chain.native_balance(address, block)
                    if holding.contract is None
                    else chain.token_balance(holding.contract, address, block)
                )
                for address in holding.addresses
            ]
        finally:
            await chain.close()
        comparisons.append(ChainComparison(holding.asset, in_ledger, under_way[holding.asset], sum(found)))
    return comparisons


async def _mined(house: House, network: Network, outgoings: Sequence[Outgoing], newest: int | None) -> Counter[Asset]:
    """What those transfers that are in a block up to `newest` have changed on chain."""
    changes: Counter[Asset] = Counter()
    tokens = {token.contract: token.asset for token in network.tokens.values()}
    chain = evm_chain(house, network.name)
    try:
        for outgoing in outgoings:
            leaves = outgoing.contract in tokens and wallet.leaves_custody(outgoing)
            if outgoing.succeeded:
                # Booked, and then removed by a reorg: until it is mined again the chain has it back.
                changes[network.native] += outgoing.gas_cost or 0
                if leaves:
                    changes[tokens[outgoing.contract or ""]] += outgoing.amount
            for hash_ in outgoing.hashes:
                receipt = await chain.receipt(hash_)
                if receipt is None or (newest is not None and receipt.block_number > newest):
                    continue
                changes[network.native] -= receipt.gas_used * receipt.effective_gas_price
                if receipt.succeeded and leaves:
                    changes[tokens[outgoing.contract or ""]] -= outgoing.amount
    finally:
        await chain.close()
    return changes


def sandbox_server(house: House) -> SandboxServer:
    """What serves the sandbox's chains to all processes; its blocks carry business time."""
    settings = house.settings
    return SandboxServer(
        settings.data_dir / "chains",
        _simulated_networks(settings),
        lambda: int(house.clock.now().timestamp()),
        settings.sandbox_block_seconds,
    )


def _simulated_networks(settings: Settings) -> list[SandboxNetwork]:
    found = []
    for name in settings.simulated_chains:
        chain = settings.chains[name]
        scales = {token.scale for token in chain.tokens.values()}
        found.append(SandboxNetwork(name, chain.chain_id, scales.pop()))
    return found
