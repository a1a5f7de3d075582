"""The chapter's chain tests once more, against Anvil through the adapter for real nodes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
from test_deposits import TestReorg as ReorgsOfDeposits
from test_deposits import TestStates as StatesOfDeposits
from test_outgoing import EARLIER, FOLLOW, SEND, TOO_LITTLE, ask_for, open_outgoing, sent_to_outside
from test_review import TestReorgAfterCompletion as ReorgsAfterCompletion
from test_withdrawals import TestNonces as Nonces
from test_withdrawals import TestSending as Sending

from anvil import CONTRACTS, running_anvil
from bpn.adapters.postgres.embedded import EmbeddedPostgres
from bpn.chapters.wallet.model.outgoing import OutgoingState
from bpn.ledger import operations as ledger
from bpn.wiring.chains import check_chains, compare_with_chains
from conftest import copy_database
from installation import Installation, Merchant, open_installation
from outsider import outsider

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
async def house(server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """An installation whose BSC is an Anvil."""
    async with running_anvil("BSC", 56, 18) as anvil:
        tokens = {name: {"contract": contract} for name, contract in CONTRACTS.items()}
        chains = {"BSC": {"rpc_url": anvil.url, "confirmations": 3, "tokens": tokens}}
        folder = tmp_path_factory.mktemp("anvil")
        options = {"outside": {"BSC": anvil}, "chains": chains}
        async with open_installation(copy_database(server), folder, **options) as house:
            await check_chains(house.parts)
            yield house


@pytest.fixture
async def merchant(house: Installation) -> Merchant:
    return await house.merchant()


class TestStates(StatesOfDeposits):
    """Seen, confirmed, released; read again; native coin."""


class TestReorg(ReorgsOfDeposits):
    """Vanished, mined again."""


class TestReorgAfterCompletion(ReorgsAfterCompletion):
    """Taken back, owed."""


class TestSending(Sending):
    """Nonces, crashes, reorgs of withdrawals."""

    @pytest.fixture
    async def merchant(self, house: Installation) -> Merchant:
        merchant = await house.merchant()
        await merchant.fund("5000")
        await merchant.whitelist()
        return merchant


class TestNonces(Nonces):
    """Taken by another; a restored backup."""

    @pytest.fixture
    async def merchant(self, house: Installation) -> Merchant:
        merchant = await house.merchant()
        await merchant.fund("5000")
        await merchant.whitelist()
        return merchant


class TestReplacement:
    """At the same nonce with a higher fee. Anvil takes nothing that offers less than its base fee."""

    @pytest.fixture
    async def merchant(self, house: Installation) -> Merchant:
        merchant = await house.merchant()
        await merchant.fund("500")
        await merchant.whitelist()
        return merchant

    async def raise_base_fee(self, house: Installation) -> None:
        await house.chains["BSC"].ask("anvil_setNextBlockBaseFeePerGas", hex(100 * 10**9))  # type: ignore[attr-defined]
        await house.chains["BSC"].mine(1)

    @pytest.mark.parametrize("taken", [True, False])
    async def test_one_that_the_base_fee_overtook_is_replaced_and_settles_once(
        self, house: Installation, merchant: Merchant, database_admin: Callable[[str], None], taken: bool
    ) -> None:
        before = await sent_to_outside(house)
        if taken:
            asked = await ask_for(house, merchant, "10")
            await self.raise_base_fee(house)
        else:
            await self.raise_base_fee(house)
            asked = await ask_for(house, merchant, "10", TOO_LITTLE)
        await house.work()
        (stuck,) = await open_outgoing(house)
        assert stuck.state is (OutgoingState.BROADCAST if taken else OutgoingState.SIGNED)
        database_admin(EARLIER)
        await house.job(FOLLOW)()
        await house.job(SEND)()
        (replaced,) = await open_outgoing(house)
        assert (replaced.nonce, len(replaced.attempts)) == (stuck.nonce, 2)
        done = await house.until(lambda: merchant.record(transactionId=asked, status="SUCCESS"))
        assert done["hash"] == replaced.attempts[1].hash
        assert await sent_to_outside(house) - before == 10 * 10**18
        assert await merchant.available() == "489"


async def test_contracts_that_pay_many_are_credited_log_by_log(house: Installation, merchant: Merchant) -> None:
    somebody = await outsider(house.nodes["BSC"], house.chains["BSC"])
    payer = await somebody.deploy("payer")
    await house.chains["BSC"].send_token(CONTRACTS["USDT"], payer, 100 * 10**18)
    await house.chains["BSC"].mine(1)
    target = (await merchant.get("/v1/wallet/deposit-address", currency="USDT"))["address"]
    hash_ = await somebody.call(
        payer, "pay_many(address,address[],uint256[])", CONTRACTS["USDT"], [target, target], [3 * 10**18, 4 * 10**18]
    )
    for _ in range(3):
        await house.round()
    rows = (await merchant.get("/v1/wallet/history", hash=hash_))["list"]
    assert sorted((row["amount"], row["status"]) for row in rows) == [
        ("3", "SENDER_REQUIRED"),
        ("4", "SENDER_REQUIRED"),
    ]


async def test_the_ledger_is_sound_after_all_this(house: Installation) -> None:
    for _ in range(6):
        await house.round()
    async with house.parts.database.transaction(snapshot=True) as tx:
        assert (await ledger.verify(tx)).findings == ()
    assert {one.asset.code for one in await compare_with_chains(house.parts)} >= {"USDT@BSC", "USDC@BSC"}
