"""Merchants with wallets, the customers that pay them, and an auditor with simple books of its own."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

from chain import SimulatedChain
from door import SimulatedDoor

from bpn.chapters.wallet import operations as wallet
from bpn.chapters.wallet import rules
from bpn.chapters.wallet.model import HistoryFilter, Token
from bpn.chapters.wallet.operations.balances import BalanceQuery
from bpn.chapters.wallet.schemas import TransactionRecord
from bpn.cli.sandbox import SENDER
from bpn.kernel.errors import Refusal
from bpn.kernel.money import Money
from bpn.ledger import operations as ledger
from bpn.merchants.model import Merchant
from bpn.wiring.house import House
from bpn.wiring.merchants import onboard_merchant

OUTSIDE = "0x5AEDA56215b167893e80B4fE645BA6d5Bab767DE"
FUNDS = 1_000_000


@dataclass
class Shop:
    """A merchant: its wallets and their addresses, by asset code."""

    merchant: Merchant
    wallets: list[int]
    addresses: dict[tuple[int, str], str]
    named: set[str] = field(default_factory=set)
    withdrawals: dict[str, int] = field(default_factory=dict)
    """Minor units by our id."""


@dataclass
class WalletWorld:
    """The chapter's part of a simulation."""

    house: House
    chains: dict[str, SimulatedChain]
    door: SimulatedDoor
    random: Random
    shops: list[Shop] = field(default_factory=list)
    numbers: int = 0

    @property
    def tokens(self) -> list[Token]:
        networks = self.house.wallet_terms.networks.values()
        return [token for network in networks for token in network.tokens.values()]

    async def open(self) -> None:
        """Two merchants with two wallets each; the hot wallets have funds."""
        house, terms = self.house, self.house.wallet_terms
        async with house.database.transaction() as tx:
            for chain in self.chains.values():
                network = chain.network
                for asset, contract in [
                    (network.native, None), *((token.asset, token.contract) for token in network.tokens.values())
                ]:  # fmt: skip
                    money = Money(FUNDS * 10**asset.scale, asset)
                    chain.genesis[contract, terms.hot_address] = money.minor
                    await wallet.book_house_funds(tx, tx.ids.next(), money)
        for number in range(2):
            made = await onboard_merchant(house, f"Shop {number}", "http://127.0.0.1:9/webhooks")
            async with house.database.transaction() as tx:
                sub = await wallet.create_sub_account(tx, made.merchant.merchant_id, "Till", None)
                wallets = [made.primary_wallet_id, sub.wallet_id]
                addresses = {}
                for wallet_id in wallets:
                    for token in self.tokens:
                        found = await wallet.get_deposit_address(
                            terms, tx, made.merchant.merchant_id, wallet_id, token.asset.currency, token.asset.network
                        )
                        addresses[wallet_id, token.asset.code] = found.address
            self.shops.append(Shop(made.merchant, wallets, addresses))
        for shop in self.shops:
            for token in self.tokens:
                await self._whitelist(shop, token)

    async def _whitelist(self, shop: Shop, token: Token) -> None:
        body = {
            "currency": token.asset.currency, "network": token.asset.network, "address": OUTSIDE, "alias": "Treasury",
            "addressType": 1, "beneficiary": {"type": "company", "companyName": "Shop", "country": "mx"},
        }  # fmt: skip
        await self.door.order(shop.merchant, "add_withdraw_whitelist", body)

    async def step(self) -> None:
        """Something that a merchant or a customer does."""
        shop = self.random.choice(self.shops)
        actions = [self._customer_pays] * 5 + [self._name_senders] * 3 + [self._transfer] * 3
        actions += [self._withdraw] * 3 + [self._cancel, self._change_whitelist]
        await self.random.choice(actions)(shop)

    async def _customer_pays(self, _shop: Shop) -> None:
        token = self.random.choice(self.tokens)
        places = [
            address
            for shop in self.shops
            for (_, code), address in shop.addresses.items()
            if code == token.asset.code
        ]  # fmt: skip
        chain = self.chains[token.asset.network or ""]
        count = self.random.choice([1, 1, 1, 2, 3])
        transfers = [
            (self.random.choice(places), self._amount(token, self.random.choice([0.2, 3, 50, 400])))
            for _ in range(count)
        ]
        chain.pay(token.contract, transfers, fails=self.random.random() < 0.1)

    def _amount(self, token: Token, whole: float) -> int:
        """About so many whole units, and never twice the same."""
        self.numbers += 1
        return int(whole * 10**6) * 10 ** (token.asset.scale - 6) + self.numbers

    async def _name_senders(self, shop: Shop) -> None:
        for row in await self.history(shop, status="SENDER_REQUIRED"):
            if self.random.random() < 0.8:
                await self._name(shop, row)

    async def _name(self, shop: Shop, row: dict[str, Any]) -> None:
        body = {"transactionId": row["transactionId"], **SENDER}
        answer = await self.door.order(shop.merchant, "add_deposit_sender", body)
        if not isinstance(answer, Refusal):
            shop.named.add(row["transactionId"])

    async def _transfer(self, shop: Shop) -> None:
        token = self.random.choice(self.tokens)
        source, target = self.random.sample(shop.wallets, 2)
        self.numbers += 1
        body = {
            "merchantTransactionId": f"t-{self.numbers}", "fromWalletId": source, "toWalletId": target,
            "currency": token.asset.currency, "network": token.asset.network,
            "amount": str(Money(self._amount(token, self.random.choice([1, 20, 300])), token.asset)),
        }  # fmt: skip
        await self.door.order(shop.merchant, "transfer_between_wallets", body)

    async def _withdraw(self, shop: Shop) -> None:
        token = self.random.choice(self.tokens)
        minor = self._amount(token, self.random.choice([1, 20, 120]))
        body = {
            "merchantTransactionId": f"w-{self.numbers}", "walletId": self.random.choice(shop.wallets),
            "currency": token.asset.currency, "network": token.asset.network, "address": OUTSIDE,
            "amount": str(Money(minor, token.asset)),
        }  # fmt: skip
        answer = await self.door.order(shop.merchant, "request_withdrawal", body)
        if not isinstance(answer, Refusal):
            shop.withdrawals[answer["transactionId"]] = minor

    async def _cancel(self, shop: Shop) -> None:
        if shop.withdrawals:
            transaction_id = self.random.choice(sorted(shop.withdrawals))
            await self.door.order(shop.merchant, "cancel_withdrawal", {"transactionId": transaction_id})

    async def _change_whitelist(self, shop: Shop) -> None:
        token = self.random.choice(self.tokens)
        body = {"currency": token.asset.currency, "network": token.asset.network, "address": OUTSIDE}
        await self.door.order(shop.merchant, "delete_withdraw_whitelist", body)
        if self.random.random() < 0.7:
            await self._whitelist(shop, token)

    async def history(self, shop: Shop, **filters: Any) -> list[dict[str, Any]]:
        """A merchant's transactions as the API shows them."""
        async with self.house.database.reading() as tx:
            page = await wallet.list_transactions(
                self.house.wallet_terms, tx, shop.merchant.merchant_id, HistoryFilter(**filters),
                before=None, offset=0, limit=1_000,
            )  # fmt: skip
        return [json.loads(TransactionRecord.of(row).model_dump_json(by_alias=True)) for row in page.transactions]

    async def audit(self) -> list[str]:
        """What is wrong, after everything has come to rest."""
        faults = [fault for shop in self.shops for fault in await self._audit_shop(shop)]
        async with self.house.database.transaction(snapshot=True) as tx:
            faults += [f"ledger: {finding}" for finding in (await ledger.verify(tx)).findings]
            holdings = await wallet.custody_holdings(self.house.wallet_terms, tx)
            booked = await wallet.custody_ledger(tx, [holding.asset for holding in holdings])
        for holding, in_ledger in zip(holdings, booked, strict=True):
            chain = self.chains[holding.asset.network or ""]
            found = sum(chain.balance(holding.contract, address) for address in holding.addresses)
            if found != in_ledger:
                faults.append(f"{holding.asset.code}: {in_ledger} in the ledger, {found} on chain")
        return faults

    async def _audit_shop(self, shop: Shop) -> list[str]:
        rows = await self.history(shop)
        faults = self._audit_rows(shop, rows)
        for token in self.tokens:
            faults += await self._audit_asset(shop, token, rows)
        return faults

    def _audit_rows(self, shop: Shop, rows: list[dict[str, Any]]) -> list[str]:
        """Every payment to the shop is on record once, every withdrawal left once or not at all."""
        faults = []
        deposits = Counter(
            (row["network"], row["hash"], row["amount"])
            for row in rows
            if row["transactionType"] == "DEPOSIT" and row["status"] != "ORPHANED"
        )
        paid = Counter(
            (asset.network, log.transaction_hash, str(Money(log.amount, asset)))
            for _, asset, log in self._payments(shop)
        )
        if deposits != paid:
            faults.append(f"deposits on record {deposits - paid} not paid, payments {paid - deposits} not on record")
        for row in rows:
            if row["transactionType"] != "WITHDRAW":
                continue
            times = self._times_paid(row["network"], shop.withdrawals[row["transactionId"]])
            if times != (row["status"] == "SUCCESS"):
                faults.append(f"withdrawal {row['transactionId']} is {row['status']} and left {times} times")
        references = [row["merchantTransactionId"] for row in rows if row["merchantTransactionId"]]
        if len(references) != len(set(references)):
            faults.append("one request was done twice")
        return faults

    def _payments(self, shop: Shop) -> list[tuple[int, Any, Any]]:
        """Wallet, asset and event of all that was paid to a shop and stands on chain."""
        found = []
        for token in self.tokens:
            wallets = {
                address: wallet_id
                for (wallet_id, code), address in shop.addresses.items()
                if code == token.asset.code
            }  # fmt: skip
            for mined in self.chains[token.asset.network or ""].blocks:
                found += [
                    (wallets[log.recipient], token.asset, log)
                    for log in mined.logs()
                    if log.recipient in wallets and log.contract == token.contract
                ]
        return found

    def _times_paid(self, network: str, minor: int) -> int:
        return sum(
            log.amount == minor and log.recipient == OUTSIDE
            for mined in self.chains[network].blocks
            for log in mined.logs()
        )

    async def _audit_asset(self, shop: Shop, token: Token, rows: list[dict[str, Any]]) -> list[str]:
        """What must be available, unavailable and in suspense, from the chain and the requests alone."""
        asset, merchant_id = token.asset, shop.merchant.merchant_id
        of_asset = [row for row in rows if (row["currency"], row["network"]) == (asset.currency, asset.network)]
        amounts = {id(row): Money.parse(row["amount"], asset).minor for row in of_asset}
        ids = {(row["hash"], amounts[id(row)]): row["transactionId"] for row in of_asset if row["hash"]}
        small = unnamed = released = 0
        by_wallet: Counter[int] = Counter()
        for wallet_id, paid_asset, log in self._payments(shop):
            if paid_asset != asset:
                continue
            if log.amount < token.minimum_deposit.minor:
                small += log.amount
            elif ids.get((log.transaction_hash, log.amount)) in shop.named:
                released += log.amount
                by_wallet[wallet_id] += log.amount
            else:
                unnamed += log.amount
        held = 0
        for row in of_asset:
            if row["transactionType"] == "INTERNAL_TRANSFER":
                by_wallet[int(row["fromAccountId"])] -= amounts[id(row)]
                by_wallet[int(row["toAccountId"])] += amounts[id(row)]
            if row["transactionType"] == "WITHDRAW" and row["status"] not in {"FAILED", "REJECTED", "CANCELLED"}:
                cost = amounts[id(row)] + Money.parse(row["fee"], asset).minor
                by_wallet[row["walletId"]] -= cost
                held += cost if row["status"] != "SUCCESS" else 0
        return await self._compare(shop, token, merchant_id, (by_wallet, unnamed, small, held))

    async def _compare(
        self, shop: Shop, token: Token, merchant_id: int, expected: tuple[Counter[int], int, int, int]
    ) -> list[str]:
        by_wallet, unnamed, small, held = expected
        asset = token.asset
        async with self.house.database.transaction() as tx:
            queries = [BalanceQuery(merchant_id, wallet_id, asset.currency) for wallet_id in shop.wallets]
            shown = await wallet.get_asset_balance(self.house.wallet_terms, tx, queries)
            balances = [
                next(one for one in answer.balances if one.asset == asset)
                for answer in shown
                if not isinstance(answer, Refusal)
            ]
            suspense, receivable = await ledger.balances(
                tx, [rules.suspense_account(merchant_id, asset), rules.receivable_account(merchant_id, asset)]
            )
        owed = -receivable.posted
        available = [balance.available for balance in balances]
        wrong = {}
        if sum(available) != sum(by_wallet.values()) + owed:
            wrong["available"] = (sum(available), sum(by_wallet.values()) + owed)
        if sum(balance.unavailable for balance in balances) != unnamed + held:
            wrong["unavailable"] = (sum(balance.unavailable for balance in balances), unnamed + held)
        if suspense.posted != small:
            wrong["suspense"] = (suspense.posted, small)
        if any(balance.pending for balance in balances):
            wrong["pending"] = ([balance.pending for balance in balances], 0)
        if owed < 0 or min(available) < 0:
            wrong["negative"] = (owed, available)
        return [f"{asset.code} of {shop.merchant.name}: {what} is {a}, must be {b}" for what, (a, b) in wrong.items()]
