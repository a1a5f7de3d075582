"""Several endpoints of a network: reading falls over, what money hangs on needs agreement, a liar is named."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Any

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from bpn.adapters.chain.sandbox.client import SandboxChainClient
from bpn.adapters.chain.sandbox.server import SandboxNetwork, SandboxServer
from bpn.adapters.chain.sandbox.tokens import CONTRACTS
from bpn.adapters.postgres.embedded import EmbeddedPostgres
from bpn.chapters.wallet import operations as wallet
from bpn.chapters.wallet.model.outgoing import OutgoingState
from bpn.ports.readers import SourceUnavailableError
from bpn.settings import ChainSettings
from conftest import copy_database
from installation import SENDER, Installation, Merchant, open_installation
from lying_node import LyingNode, lying_node

TOKENS = {name: {"contract": contract, "scale": 18} for name, contract in CONTRACTS.items()}
READ = "wallet.read_blocks:BSC"


@dataclass
class Network:
    """An installation that reads one chain through three nodes, two of which must agree."""

    house: Installation
    nodes: list[LyingNode]

    async def read(self) -> None:
        """A block, and every job once; those that lack an endpoint fail as in a worker, and are run again later."""
        await self.house.chains["BSC"].mine(1)
        for job in self.house.jobs:
            with suppress(SourceUnavailableError):
                while await job.run():
                    pass


@pytest.fixture(scope="module")
async def network(server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Network]:
    folder = tmp_path_factory.mktemp("endpoints")
    chain = SandboxServer(folder / "own", [SandboxNetwork("BSC", 56, 18)], _now, 3600)
    url = f"{await chain.start()}/BSC"
    async with AsyncExitStack() as closing:
        closing.push_async_callback(chain.stop)
        nodes = [await closing.enter_async_context(lying_node(url)) for _ in range(3)]
        chains: dict[str, Any] = {
            "BSC": {"rpc_urls": [node.url for node in nodes], "confirmations": 3, "tokens": TOKENS}
        }
        levers = {"BSC": SandboxChainClient("BSC", url)}
        opening = open_installation(copy_database(server), folder, outside=levers, chains=chains)  # type: ignore[arg-type]
        yield Network(await closing.enter_async_context(opening), nodes)


def _now() -> int:
    import time  # noqa: PLC0415 - only here

    return int(time.time())


@pytest.fixture
async def merchant(network: Network) -> AsyncIterator[Merchant]:
    yield await network.house.merchant()
    for node in network.nodes:
        node.lie, node.silent = None, False
    await network.read()


def disagreements(node: LyingNode) -> float:
    labels = {"network": "BSC", "endpoint": node.url.removeprefix("http://").rstrip("/")}
    return REGISTRY.get_sample_value("bpn_chain_endpoint_disagreements_total", labels) or 0


async def confirmed(network: Network, merchant: Merchant, amount: str = "10") -> dict[str, Any]:
    hash_ = await merchant.deposit(amount)
    return await network.house.until(lambda: merchant.record(hash=hash_, status="SENDER_REQUIRED"))


async def test_reading_goes_on_while_any_two_endpoints_answer(network: Network, merchant: Merchant) -> None:
    for silent in network.nodes[:2]:
        silent.silent = True
        assert (await confirmed(network, merchant))["amount"] == "10"
        silent.silent = False


async def test_with_one_endpoint_left_deposits_are_seen_and_wait(network: Network, merchant: Merchant) -> None:
    network.nodes[0].silent = network.nodes[2].silent = True
    hash_ = await merchant.deposit("10")
    for _ in range(5):
        await network.read()
    seen = await merchant.record(hash=hash_)
    assert seen is not None
    assert seen["status"] == "CONFIRMING"
    ready = await network.house.http.get("/health/ready")
    assert "in doubt" in ready.json()["checks"]["chain BSC"]
    network.nodes[0].silent = False
    await network.house.until(lambda: merchant.record(hash=hash_, status="SENDER_REQUIRED"))
    assert (await network.house.http.get("/health/ready")).json()["checks"]["chain BSC"] == "ok"


async def test_when_none_answers_nothing_is_lost(network: Network, merchant: Merchant) -> None:
    hash_ = await merchant.deposit("10")
    for node in network.nodes:
        node.silent = True
    await network.house.chains["BSC"].mine(5)
    with pytest.raises(SourceUnavailableError):
        await network.house.job(READ)()
    for node in network.nodes:
        node.silent = False
    await network.house.until(lambda: merchant.record(hash=hash_, status="SENDER_REQUIRED"))
    assert (await merchant.get("/v1/wallet/history"))["total"] == 1


async def test_an_invented_transfer_is_never_booked_and_the_liar_is_named(network: Network, merchant: Merchant) -> None:
    address = (await merchant.get("/v1/wallet/deposit-address", currency="USDT"))["address"]
    real = await merchant.deposit("10")
    await network.house.chains["BSC"].mine(1)
    invented = "0x" + "ab" * 32

    def lie(method: str, _parameters: list[Any], result: Any) -> Any:
        if method == "eth_getLogs" and result:
            return [*result, {**result[-1], "transactionHash": invented, "logIndex": "0x77"}]
        if method == "eth_getTransactionReceipt" and _parameters == [invented]:
            return {
                "transactionHash": invented, "transactionIndex": "0x0", "blockHash": block.hash,
                "blockNumber": hex(block.number), "from": address, "to": address, "cumulativeGasUsed": "0x1",
                "gasUsed": "0x1", "effectiveGasPrice": "0x1", "contractAddress": None, "logs": [],
                "logsBloom": "0x" + "00" * 256, "status": "0x1", "type": "0x2",
            }  # fmt: skip
        return result

    receipt = await network.house.nodes["BSC"].receipt(real)
    block = await network.house.nodes["BSC"].block(receipt.block_number)
    current = network.nodes[0]
    before = disagreements(current)
    for node in network.nodes[1:]:  # whoever is read from now
        node.silent = True
    with pytest.raises(SourceUnavailableError):
        await network.house.nodes["BSC"].receipt(real)
    current.lie = lie
    await network.house.job(READ)()
    for node in network.nodes[1:]:
        node.silent = False
    with capture_logs() as logs:
        for _ in range(4):
            await network.read()
    seen = await merchant.record(hash=invented)
    assert seen is not None
    assert seen["status"] == "CONFIRMING"
    booked = await merchant.record(hash=real)
    assert booked is not None
    assert booked["status"] == "SENDER_REQUIRED"
    assert (await merchant.balance())["unavailable"] == "10"
    assert disagreements(current) > before
    named = {entry["endpoint"] for entry in logs if entry["event"] == "chain.endpoint_disagrees"}
    assert named == {current.url.removeprefix("http://").rstrip("/")}
    current.lie = None
    await network.house.chains["BSC"].mine(130)
    await network.read()
    gone = await merchant.record(hash=invented)
    assert gone is not None
    assert gone["status"] == "ORPHANED"


async def test_a_hidden_transfer_is_found_and_the_liar_is_named(network: Network, merchant: Merchant) -> None:
    before = [disagreements(node) for node in network.nodes]
    for node in network.nodes:
        node.lie = lambda method, _parameters, result: [] if method == "eth_getLogs" else result
    hash_ = await merchant.deposit("10")
    await network.read()
    assert await merchant.record(hash=hash_) is None
    for node in network.nodes[1:]:
        node.lie = None
    await network.house.until(lambda: merchant.record(hash=hash_, status="SENDER_REQUIRED"))
    assert disagreements(network.nodes[0]) > before[0]
    assert [disagreements(node) for node in network.nodes[1:]] == before[1:]
    assert (await merchant.get("/v1/wallet/history"))["total"] == 1


async def test_a_head_that_one_invents_makes_nothing_final(network: Network, merchant: Merchant) -> None:
    hash_ = await merchant.deposit("10")

    def lie(method: str, parameters: list[Any], result: Any) -> Any:
        ahead = method == "eth_getBlockByNumber" and parameters[0] == "latest"
        return {**result, "number": hex(int(result["number"], 16) + 1000)} if ahead else result

    network.nodes[0].lie = lie
    await network.read()
    await network.read()
    seen = await merchant.record(hash=hash_)
    assert seen is not None
    assert (seen["status"], seen["confirmations"]) == ("CONFIRMING", 2)


async def test_a_receipt_that_one_inverts_neither_pays_twice_nor_gives_the_money_back(
    network: Network, merchant: Merchant
) -> None:
    record = await confirmed(network, merchant, "100")
    await merchant.post("/v1/wallet/add-deposit-sender", {"transactionId": record["transactionId"], **SENDER})
    await network.house.until(lambda: merchant.record(transactionId=record["transactionId"], status="COMPLETED"))
    await merchant.whitelist()
    for node in network.nodes[:2]:
        node.lie = lambda method, _parameters, result: (
            {**result, "status": "0x0"} if method == "eth_getTransactionReceipt" and result else result
        )
    network.nodes[1].silent = True
    asked = await merchant.post("/v1/wallet/withdraw", merchant.withdrawal("10"))
    for _ in range(5):
        await network.read()
    waits = await merchant.record(transactionId=asked["transactionId"])
    assert waits is not None
    assert waits["status"] in {"BROADCAST", "CONFIRMING"}
    assert await merchant.available() == "89"
    async with network.house.parts.database.transaction() as tx:
        assert len(await wallet.list_outgoing(tx, "BSC", list(OutgoingState))) == 1
    for node in network.nodes:
        node.lie, node.silent = None, False
    await network.house.until(lambda: merchant.record(transactionId=asked["transactionId"], status="SUCCESS"))
    assert await merchant.available() == "89"


async def test_a_final_block_that_they_disagree_on_keeps_deposits_from_being_released(
    network: Network, merchant: Merchant
) -> None:
    record = await confirmed(network, merchant)
    for place, node in enumerate(network.nodes):

        def lie(method: str, parameters: list[Any], result: Any, place: int = place) -> Any:
            asked = method == "eth_getBlockByNumber" and parameters[0] != "latest" and result
            return {**result, "hash": f"0x{place:064x}"} if asked and place else result

        node.lie = lie
    await network.read()
    await merchant.post("/v1/wallet/add-deposit-sender", {"transactionId": record["transactionId"], **SENDER})
    await network.read()
    waits = await merchant.record(transactionId=record["transactionId"])
    assert waits is not None
    assert waits["status"] == "SCREENING"
    for node in network.nodes:
        node.lie = None
    await network.house.until(lambda: merchant.record(transactionId=record["transactionId"], status="COMPLETED"))


@pytest.mark.parametrize(
    ("given", "endpoints", "agreeing"),
    [
        ({"rpc_url": "http://a"}, ["http://a"], 1),
        ({"rpc_urls": "http://a, http://b"}, ["http://a", "http://b"], 2),
        ({"rpc_urls": '["http://a", "http://b", "http://c"]'}, ["http://a", "http://b", "http://c"], 2),
        ({"rpc_url": "http://a", "rpc_urls": ["http://b"], "agreeing_endpoints": 1}, ["http://a", "http://b"], 1),
    ],
)
def test_endpoints_are_given_as_text_or_list(given: dict[str, Any], endpoints: list[str], agreeing: int) -> None:
    settings = ChainSettings(chain_id=1, native_currency="ETH", confirmations=1, block_seconds=1, tokens={}, **given)  # type: ignore[arg-type]
    assert (settings.endpoints, settings.agreeing) == (endpoints, agreeing)


def test_more_than_there_are_cannot_agree() -> None:
    with pytest.raises(ValueError, match="cannot agree"):
        ChainSettings(
            rpc_url="http://a", agreeing_endpoints=2, chain_id=1, native_currency="E", confirmations=1,
            block_seconds=1, tokens={},
        )  # type: ignore[arg-type]  # fmt: skip
