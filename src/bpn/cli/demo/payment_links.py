"""A link is paid on its page; another is underpaid, which is told, and then paid in full."""

from __future__ import annotations

from typing import Any

import httpx

from bpn.cli.demo.stage import Stage, headline
from bpn.cli.sandbox import SandboxFailed, wait_for

_PAYER = {"payerType": "individual", "firstName": "Ana", "lastName": "Sousa", "country": "MX"}


def play(stage: Stage) -> None:
    """The steps in order."""
    headline("A payment link: 80 USD to be paid in stablecoins by anyone who has the link")
    link = _chosen(stage, "80", "order-1")
    _send(stage, link, "80")
    _wait(stage, link, "completed")
    headline("Another one: 50 USD, of which 30 arrive; the page asks for the rest")
    link = _chosen(stage, "50", "order-2")
    _send(stage, link, "30")
    partly = wait_for(lambda: _with_label(stage, link, "UNDER"), "the first part to be noticed")
    stage.say(
        f"the link  {partly['paidAmount']} came, {partly['remainingAmount']} are still to come: {partly['labels']}"
    )
    _send(stage, link, "20")
    _wait(stage, link, "completed")


def _chosen(stage: Stage, amount: str, order: str) -> dict[str, Any]:
    """A link whose payer has opened the page and chosen USDT on BSC."""
    made: dict[str, Any] = stage.post(
        "/v1/payment-link/create",
        {
            "userOrderNo": order,
            "paymentLinkType": "one_time",
            "fiatCurrency": "USD",
            "fiatAmount": amount,
            "supportCurrency": "USDT,USDC",
            "supportNetwork": "BSC,ETH",
            "recipientName": "Café Aurora",
            "paymentValidTime": 60,
            "payerInfo": _PAYER,
        },
    )
    stage.say(f"the page  {made['paymentLink']}")
    answer = httpx.post(f"{made['paymentLink']}/choice", data={"way": "USDT@BSC"}, trust_env=False)
    if answer.is_error:
        raise SandboxFailed(f"the page answered {answer.status_code}")
    chosen: dict[str, Any] = stage.client.get("/v1/payment-link/detail", paymentId=made["paymentId"])
    stage.say(f"the payer chose USDT on BSC: {chosen['cryptoAmount']} to {chosen['address']}")
    return chosen


def _send(stage: Stage, link: dict[str, Any], amount: str) -> None:
    order = {"paymentId": link["paymentId"], "currency": "USDT", "network": "BSC", "amount": amount}
    hash_ = stage.post("/v1/mock/wallet/deposit", order)["hash"]
    stage.say(f"on chain  transaction {hash_}")


def _with_label(stage: Stage, link: dict[str, Any], label: str) -> dict[str, Any] | None:
    found: dict[str, Any] = stage.client.get("/v1/payment-link/detail", paymentId=link["paymentId"])
    return found if label in found["labels"] else None


def _wait(stage: Stage, link: dict[str, Any], status: str) -> None:
    def find() -> dict[str, Any] | None:
        found: dict[str, Any] = stage.client.get("/v1/payment-link/detail", paymentId=link["paymentId"])
        return found if found["status"] == status else None

    done = wait_for(find, f"the link to be {status}")
    stage.say(f"the link  {done['status']}: {done['netAmount']} {done['cryptoCurrency']} in the wallet")
