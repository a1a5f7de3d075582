"""What a merchant does with stablecoins in a day: money in, money around, money out."""

from __future__ import annotations

from rich.table import Table

from bpn.cli.demo.stage import Stage, console, headline
from bpn.cli.sandbox import SENDER, SandboxFailed, find_record, wait_for

_OWN_ADDRESS = "0x5AEDA56215b167893e80B4fE645BA6d5Bab767DE"


def play(stage: Stage) -> None:
    """The steps in order."""
    headline("Where shall webhooks go?")
    stage.post("/v1/webhook/endpoint/set", {"url": stage.receiver.url})
    _deposit(stage)
    stage.get("/v1/wallet/asset-balance", currency="USDT")
    _transfer(stage)
    _withdraw(stage)
    stage.get("/v1/wallet/asset-balance", currency="USDT")
    _history(stage)


def _deposit(stage: Stage) -> None:
    headline("A deposit: 250 USDT arrive on BSC, their sender is named, they are released")
    token = {"walletId": stage.wallet_id, "currency": "USDT", "network": "BSC"}
    stage.get("/v1/wallet/deposit-address", **token)
    hash_ = stage.post("/v1/mock/wallet/deposit", {**token, "amount": "250"})["hash"]
    stage.say(f"on chain  transaction {hash_}")
    deposit = wait_for(lambda: find_record(stage.client, hash=hash_), "the deposit to be seen")
    reference = deposit["transactionId"]
    stage.hear("TRANSACTION_STATUS", reference, "CONFIRMING")
    stage.hear("DEPOSIT_SENDER_REQUIRED", reference, "SENDER_REQUIRED")
    stage.post("/v1/wallet/add-deposit-sender", {"transactionId": reference, **SENDER})
    stage.hear("TRANSACTION_STATUS", reference, "COMPLETED")


def _transfer(stage: Stage) -> None:
    headline("A transfer between two wallets of the merchant: at once, without fee")
    sub = stage.post("/v1/wallet/sub-account/create", {"name": "Store 12", "requestId": "store-12"})
    order = {
        "merchantTransactionId": "transfer-1",
        "fromWalletId": stage.wallet_id,
        "toWalletId": sub["walletId"],
        "currency": "USDT",
        "amount": "50",
    }
    first = stage.post("/v1/wallet/internal-transfer", order)
    stage.hear("TRANSACTION_STATUS", first["transactionId"], "SUCCESS")
    again = stage.client.post("/v1/wallet/internal-transfer", order)
    if again != first:
        raise SandboxFailed("a repeated transfer was answered otherwise")
    stage.say("the same request again: the same answer, nothing moved twice")


def _withdraw(stage: Stage) -> None:
    headline("A withdrawal: the address is whitelisted, 120 USDT leave on BSC")
    entry = stage.post(
        "/v1/wallet/add-withdraw-whitelist",
        {
            "requestId": "whitelist-1",
            "currency": "USDT",
            "network": "BSC",
            "address": _OWN_ADDRESS,
            "alias": "Treasury",
            "addressType": 1,
            "beneficiary": {"type": "individual", "firstName": "Ana", "lastName": "Sousa", "country": "mx"},
        },
    )
    stage.hear("WALLET_ADDRESS_WHITELIST", entry["whitelistId"], "APPROVED")
    withdrawal = stage.post(
        "/v1/wallet/withdraw",
        {
            "merchantTransactionId": "withdrawal-1",
            "walletId": stage.wallet_id,
            "currency": "USDT",
            "network": "BSC",
            "address": _OWN_ADDRESS,
            "amount": "120",
        },
    )
    reference = withdrawal["transactionId"]
    sent = stage.hear("TRANSACTION_STATUS", reference, "BROADCAST")
    stage.say(f"on chain  transaction {sent['data']['hash']}")
    stage.hear("TRANSACTION_STATUS", reference, "SUCCESS")


def _history(stage: Stage) -> None:
    headline("The history")
    table = Table("Type", "Amount", "Fee", "Status", "Transaction hash")
    for row in stage.client.get("/v1/wallet/history")["list"]:
        table.add_row(
            row["transactionType"], f"{row['amount']} {row['currency']}", row["fee"], row["status"], row["hash"]
        )
    console.print(table)
