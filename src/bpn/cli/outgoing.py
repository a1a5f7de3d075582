"""The hot wallets and what leaves them: `bpn hot` and `bpn outgoing`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from bpn.chapters.wallet import operations as wallet
from bpn.chapters.wallet.errors import UnsupportedCurrency
from bpn.chapters.wallet.model import WalletTerms
from bpn.chapters.wallet.model.outgoing import GWEI, HOT_KEY_INDEX, Outgoing, OutgoingState
from bpn.cli.deciding import Actor, Why, decision_of, in_transaction, show
from bpn.cli.installation import configure_logging, in_house, load_settings, say
from bpn.cli.rows import Json
from bpn.cli.servers import Data
from bpn.database.pool import Transaction as DatabaseTransaction
from bpn.kernel.money import Money
from bpn.wiring.house import House

if TYPE_CHECKING:
    from bpn.wiring.hot_wallets import HotWallet

hot_commands = typer.Typer(help="Look at the hot wallets, and book what was put into them.", no_args_is_help=True)
outgoing_commands = typer.Typer(help="Look at what was sent, and replace what is stuck.", no_args_is_help=True)

NetworkName = Annotated[str, typer.Argument(help="Which network.")]
SenderIndex = Annotated[int, typer.Option("--sender", help="Index of the sending address; 0: the hot wallet.")]
_SHOWN = 50


@hot_commands.command("list")
def list_hot(as_json: Json = False, data: Data = None) -> None:
    """Each network's hot wallet: balances, nonces, what waits and why."""
    from bpn.wiring.hot_wallets import hot_wallets  # noqa: PLC0415 - seconds of imports that only this command needs

    configure_logging()
    found = in_house(load_settings(data), hot_wallets)
    if as_json:
        print(json.dumps([_as_json(one) for one in found]))
        return
    show([_hot_row(one) for one in found], as_json=False)


def _hot_row(hot: HotWallet) -> Mapping[str, str]:
    reasons = Counter(place.waits_for.value if place.waits_for else "next round" for place in hot.waiting)
    return {
        "network": hot.network,
        "address": hot.address,
        "balances": "\n".join(f"{money} {money.asset.currency}" for money in hot.balances),
        "nonce": f"{hot.chain_nonce} on chain, {'-' if hot.next_nonce is None else hot.next_nonce} next here",
        "unmined": str(hot.unmined),
        "sweeps": str(hot.sweeps),
        "fee": _gwei(hot.fees.max_fee) if hot.fees else "above the cap",
        "waiting": "\n".join(f"{count} for {reason}" for reason, count in reasons.items()) or "-",
    }


def _as_json(hot: HotWallet) -> Mapping[str, object]:
    return {
        "network": hot.network,
        "address": hot.address,
        "balances": {money.asset.currency: str(money) for money in hot.balances},
        "chainNonce": hot.chain_nonce,
        "nextNonce": hot.next_nonce,
        "unmined": hot.unmined,
        "sweeps": hot.sweeps,
        "feeGwei": _gwei(hot.fees.max_fee) if hot.fees else None,
        "waiting": [
            {
                "purpose": place.wanted.purpose.value,
                "id": str(place.wanted.reference_id),
                "merchant": str(place.wanted.merchant_id),
                "reason": place.waits_for.value if place.waits_for else None,
            }
            for place in hot.waiting
        ],
    }


@hot_commands.command("fund")
def fund_hot(
    network: NetworkName,
    currency: Annotated[str, typer.Argument(help="A token of the network, or its native coin.")],
    amount: Annotated[str, typer.Argument(help="Whole units, as they were sent to the hot wallet.")],
    actor: Actor = None,
    reason: Why = None,
    data: Data = None,
) -> None:
    """Book money of your own that you sent to the hot wallet: gas, or tokens to pay from."""

    async def book(house: House, tx: DatabaseTransaction) -> Money:
        asset = house.wallet_terms.assets.find(currency, network)
        if asset is None:
            raise UnsupportedCurrency(f"{currency} is not known on {network}.")
        money = Money.parse(amount, asset)
        await wallet.fund_house(tx, money, decision_of(actor, reason))
        return money

    money = in_transaction(data, book)
    say(f"{money} {money.asset.code} are booked.")


@outgoing_commands.command("list")
def list_outgoing(
    network: NetworkName,
    all_: Annotated[bool, typer.Option("--all", help="The newest of one sender, settled ones too.")] = False,
    sender: SenderIndex = HOT_KEY_INDEX,
    as_json: Json = False,
    data: Data = None,
) -> None:
    """What has a nonce and is not settled: who sends it, what for, how far it is, what was offered for it."""

    async def read(house: House, tx: DatabaseTransaction) -> list[Mapping[str, str]]:
        found = (
            await wallet.list_newest_outgoing(tx, network, sender, _SHOWN)
            if all_
            else await wallet.list_outgoing(tx, network, list(OutgoingState))
        )
        return [_outgoing_row(house.wallet_terms, one) for one in found]

    show(in_transaction(data, read), as_json=as_json, nothing="Nothing is under way.")


def _outgoing_row(terms: WalletTerms, outgoing: Outgoing) -> Mapping[str, str]:
    network = terms.networks[outgoing.network]
    assets = {token.contract: token.asset for token in network.tokens.values()}
    money = Money(outgoing.amount, assets.get(outgoing.contract or "", network.native))
    sent = outgoing.newest.sent_at
    return {
        "sender": str(outgoing.key_index),
        "nonce": str(outgoing.nonce),
        "purpose": outgoing.purpose.value,
        "id": str(outgoing.reference_id),
        "amount": f"{money} {money.asset.currency}",
        "to": outgoing.recipient,
        "state": outgoing.state.value,
        "attempts": str(len(outgoing.attempts)),
        "fee": _gwei(outgoing.newest.fees.max_fee),
        "sent": sent.isoformat(timespec="seconds") if sent else "",
        "hash": outgoing.hash or "",
    }


def _gwei(fee: int) -> str:
    return f"{fee / GWEI:.9f}".rstrip("0").rstrip(".") + " gwei"


@outgoing_commands.command("replace")
def replace_outgoing(
    network: NetworkName,
    nonce: Annotated[int, typer.Argument(help="Of the transaction that is stuck.")],
    sender: SenderIndex = HOT_KEY_INDEX,
    actor: Actor = None,
    reason: Why = None,
    data: Data = None,
) -> None:
    """Replace a transaction at its nonce with a higher fee now; whichever is mined settles it."""
    from bpn.wiring.hot_wallets import replace_now  # noqa: PLC0415 - seconds of imports that only this command needs

    configure_logging()

    async def replace(house: House) -> str:
        return _gwei((await replace_now(house, network, sender, nonce, decision_of(actor, reason))).max_fee)

    say(f"Nonce {nonce} is sent again for {in_house(load_settings(data), replace)}.")
