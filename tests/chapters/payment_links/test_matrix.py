"""Every cell of the matrix, played on the sandbox's chains: what the data file says is what becomes of the money."""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from importlib.resources import files
from itertools import product
from typing import Any

import pytest
from eth._utils.address import generate_contract_address
from eth_abi.abi import encode
from eth_account import Account
from eth_utils.address import to_canonical_address, to_checksum_address
from eth_utils.conversions import to_bytes

from bpn.adapters.chain.sandbox.tokens import CONTRACTS, FAUCET_ADDRESS, FAUCET_KEY, artefact
from bpn.kernel.money import Money
from bpn.ledger import operations as ledger
from installation import Installation, Merchant
from payment_links import detail, funds, made_and_chosen, page_of, settled, text_of

CELLS: list[dict[str, Any]] = tomllib.loads((files("bpn.chapters.payment_links") / "matrix.toml").read_text())["cells"]
PARTS = {
    ("under", "one"): ["60"],
    ("under", "several"): ["20", "40"],
    ("exact", "one"): ["100"],
    ("exact", "several"): ["40", "60"],
    ("over", "one"): ["130"],
    ("over", "several"): ["40", "90"],
}
WAYS = {"right": ("USDT", "BSC"), "other": ("USDC", "BSC"), "other_network": ("USDT", "ETH")}


def name_of(cell: dict[str, Any]) -> str:
    return "-".join(cell[axis] for axis in ("amount", "time", "number", "token"))


@dataclass
class Played:
    """What became of a cell."""

    link: dict[str, Any]
    funds: list[dict[str, Any]]
    page: str
    cancelled: int = 0
    matched: bool = False
    linking: list[int] = field(default_factory=list)
    status_after_linking: str = ""


@pytest.fixture(scope="module")
async def played(house: Installation) -> AsyncIterator[dict[str, Played]]:
    """All cells at once: what is in time, then the end of all links, then what is late."""
    merchant = await house.merchant()
    counterfeit = await deploy_counterfeit(house)
    links = dict(
        zip(
            map(name_of, CELLS),
            await asyncio.gather(*(made_and_chosen(house, merchant) for _ in CELLS)),
            strict=True,
        )
    )
    for cell in CELLS:
        if cell["time"] == "after_completion":
            await send(house, links[name_of(cell)]["address"], "100", "right", counterfeit)
    await mined(house)
    early = [cell for cell in CELLS if cell["time"] != "late"]
    late = [cell for cell in CELLS if cell["time"] == "late"]
    results: dict[str, Played] = {}
    for cells in (early, late):
        for place, cell in product((0, 1), cells):
            parts = PARTS[cell["amount"], cell["number"]]
            if place < len(parts):
                await send(house, links[name_of(cell)]["address"], parts[place], cell["token"], counterfeit)
        await mined(house)
        for cell in cells:
            results[name_of(cell)] = await look(house, merchant, links[name_of(cell)])
        if cells is early:
            await merchant.post("/v1/mock/clock/advance", {"seconds": 3601})
            await settled(house, 2)
    yield results
    async with house.parts.database.transaction(snapshot=True) as tx:
        assert (await ledger.verify(tx)).findings == ()


async def mined(house: Installation) -> None:
    """A block of the sandbox holds ten transfers."""
    for chain in house.chains.values():
        await chain.mine(15)
    await settled(house, 3)


async def deploy_counterfeit(house: Installation) -> str:
    """A token with the right symbol at another address."""
    node, chain = house.nodes["BSC"], house.chains["BSC"]
    nonce = await node.transaction_count(FAUCET_ADDRESS)
    arguments = encode(["string", "string", "uint8"], ["Sandbox Tether", "USDT", 18])
    signed = Account.sign_transaction(
        {
            "chainId": house.parts.wallet_terms.networks["BSC"].chain_id,
            "nonce": nonce,
            "gas": 3_000_000,
            "maxFeePerGas": 10**11,
            "maxPriorityFeePerGas": 10**9,
            "value": 0,
            "data": to_bytes(hexstr=artefact()["bytecode"]) + arguments,
        },
        FAUCET_KEY,
    )
    await node.broadcast(bytes(signed.raw_transaction))
    await chain.mine(1)
    address = str(to_checksum_address(generate_contract_address(to_canonical_address(FAUCET_ADDRESS), nonce)))
    assert address.lower() not in {contract.lower() for contract in CONTRACTS.values()}
    return address


async def send(house: Installation, address: str, amount: str, token: str, counterfeit: str) -> None:
    currency, network = WAYS.get(token, ("USDT", "BSC"))
    known = house.parts.wallet_terms.networks[network].tokens[currency]
    contract = counterfeit if token == "unknown" else known.contract
    await house.chains[network].send_token(contract, address, Money.parse(amount, known.asset).minor)


async def look(house: Installation, merchant: Merchant, made: dict[str, Any]) -> Played:
    """How a link stands; then what may be done is tried."""
    link = await detail(merchant, made)
    result = Played(
        link, await funds(merchant, relatedPaymentId=link["paymentId"]), text_of(await page_of(house, made))
    )
    cancel = await merchant.order("/v1/payment-link/cancel", {"paymentId": link["paymentId"]})
    result.cancelled = cancel.status
    for fund in reversed(result.funds):
        found = await merchant.get(
            "/v1/payment-link/abnormal-fund/matchable-links", abnormalFundId=fund["abnormalFundId"]
        )
        result.matched |= any(match["paymentId"] == link["paymentId"] for match in found["list"])
        order = {"abnormalFundId": fund["abnormalFundId"], "paymentId": link["paymentId"]}
        answer = await merchant.order("/v1/payment-link/abnormal-fund/link-order", order)
        result.linking.append(answer.status)
    result.status_after_linking = (await detail(merchant, made))["status"]
    return result


def test_the_matrix_has_every_cell_once() -> None:
    axes = [("under", "exact", "over"), ("in_time", "late", "after_completion"), ("one", "several"), (*WAYS, "unknown")]
    assert sorted(map(name_of, CELLS)) == sorted("-".join(axis) for axis in product(*axes))


@pytest.mark.parametrize("cell", CELLS, ids=name_of)
def test_cell(played: dict[str, Played], cell: dict[str, Any]) -> None:
    result = played[name_of(cell)]
    assert result.link["status"] == cell["status"]
    assert sorted(result.link["labels"]) == sorted(cell["labels"])
    came = sum(int(part) for part in PARTS[cell["amount"], cell["number"]])
    expected = {"none": 0, "rest": came - 100, "all": came}[cell["abnormal"]]
    assert sum(int(fund["amount"]) for fund in result.funds) == expected
    if result.funds:
        assert result.funds[0]["labels"] == cell["fund_labels"]
        assert {fund["status"] for fund in result.funds} == {"PENDING"}
    assert (result.cancelled == 200) == ("CANCEL" in cell["actions"])
    assert (result.link["address"] in result.page.replace(" ", "")) == ("PAY" in cell["actions"])
    if "LINK" in cell["actions"]:
        assert result.matched
        assert set(result.linking) == {200}
        assert (result.status_after_linking == "completed") == (cell["amount"] != "under")
    elif result.funds:
        assert set(result.linking) == {409}
    assert ("REFUND" in cell["actions"]) == ("CREDIT" in cell["actions"]) == bool(result.funds)
