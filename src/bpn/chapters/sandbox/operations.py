"""Pull the levers of the simulated outside world."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from bpn.chapters.accounts import operations as accounts
from bpn.chapters.accounts.model import Order
from bpn.chapters.payment_links import operations as payment_links
from bpn.chapters.sandbox.errors import NotSimulated, SimulationUnavailable
from bpn.chapters.sandbox.model import ClockReading, PayInToMake, SandboxTerms, Scenario
from bpn.chapters.wallet import operations as wallet
from bpn.chapters.wallet.errors import UnsupportedNetwork
from bpn.chapters.wallet.model import Token
from bpn.database import business_clock
from bpn.database.pool import Transaction
from bpn.kernel.errors import FieldError, InvalidState
from bpn.kernel.money import Money
from bpn.ports.readers import SourceUnavailableError
from bpn.ports.simulation import MockPayIn, SandboxChain


async def mock_deposit(
    terms: SandboxTerms,
    tx: Transaction,
    merchant_id: int,
    *,
    wallet_id: int | None,
    payment_id: int | None,
    token: Token,
    amount: Money,
    sender: str | None,
) -> str:
    """Transfer tokens on the sandbox's chain to a wallet's deposit address; the transaction's hash.

    Args:
        terms: the simulated networks.
        tx: the transaction.
        merchant_id: whose wallet.
        wallet_id: which, the primary one when None.
        payment_id: of a payment link, to pay that instead.
        token: of what.
        amount: how much.
        sender: the EIP-55 address to appear as the sender; the faucet's own when None.

    Raises:
        WalletNotFound: no such wallet.
        PaymentLinkNotFound: no such payment link.
        InvalidState: nobody has chosen yet what to pay the link with.
        NotSimulated: the network is a real one.
        SimulationUnavailable: the chain does not answer.
    """
    network = token.asset.network or ""
    chain = _chain(terms, network)
    if payment_id is None:
        known = await wallet.get_deposit_address(
            terms.wallet, tx, merchant_id, wallet_id, token.asset.currency, network
        )
        address = known.address
    else:
        address = await payment_links.get_link_address(tx, merchant_id, payment_id)
    try:
        return await chain.send_token(token.contract, address, amount.minor, sender)
    except SourceUnavailableError as error:
        raise SimulationUnavailable("The sandbox's chain does not answer; try again.") from error


async def mock_payin(terms: SandboxTerms, tx: Transaction, pay_in: PayInToMake) -> Order:
    """Have somebody pay to a virtual account through the simulated bank; its order, PROCESSING until the bank tells it.

    The same job finds it as any pay-in: nothing is credited here.

    Raises:
        VirtualAccountNotFound: no such account.
        InvalidState: the bank has not opened it (yet).
        SimulationUnavailable: the bank does not answer.
    """
    account = await accounts.require_account(terms.accounts, tx, pay_in.merchant_id, pay_in.account_id)
    if account.numbers is None:
        raise InvalidState(f"The account is {account.status}; the bank has given it no numbers to pay to.")
    payment = MockPayIn(
        account.numbers.handles[0],
        pay_in.amount.asset.currency,
        str(pay_in.amount),
        pay_in.payer,
        pay_in.remittance,
        pay_in.delay_seconds,
    )
    try:
        (reference,) = await terms.bank.pay_in([payment])
    except SourceUnavailableError as error:
        raise SimulationUnavailable("The sandbox's bank does not answer; try again.") from error
    return await accounts.announce_pay_in(terms.accounts, tx, account, pay_in.amount, pay_in.payer, reference)


async def mock_scenario(terms: SandboxTerms, scenario: Scenario) -> str:
    """Have something go wrong outside; the network it happens on.

    Raises:
        UnsupportedNetwork: no such network.
        SimulationUnavailable: the chain does not answer.
    """
    network = scenario.network or terms.wallet.home_network
    if network not in terms.wallet.networks:
        raise UnsupportedNetwork(f"{network} is not offered.", [FieldError("network", "is not offered")])
    chain = _chain(terms, network)
    try:
        await _ON_CHAIN[scenario.name](chain, scenario)
    except SourceUnavailableError as error:
        raise SimulationUnavailable("The sandbox's chain does not answer; try again.") from error
    return network


async def _reorganise(chain: SandboxChain, scenario: Scenario) -> None:
    await chain.reorganise(scenario.blocks, keep=scenario.keep)


async def _fall_silent(chain: SandboxChain, scenario: Scenario) -> None:
    await chain.fall_silent(scenario.seconds)


_ON_CHAIN: Mapping[str, Callable[[SandboxChain, Scenario], Awaitable[None]]] = {
    "chain_reorg": _reorganise,
    "rpc_down": _fall_silent,
}
"""What can go wrong with a network, by the scenario's name: a new scenario is a row here and a name in its schema."""


def _chain(terms: SandboxTerms, network: str) -> SandboxChain:
    chain = terms.chains.get(network)
    if chain is None:
        raise NotSimulated(f"{network} is a real network.", [FieldError("network", "is not simulated")])
    return chain


async def advance_clock(tx: Transaction, seconds: int) -> ClockReading:
    """Move business time forward for all processes: schedules run, quotes expire; wall time stays."""
    offset = await business_clock.advance(tx, timedelta(seconds=seconds))
    return ClockReading(tx.clock.wall() + offset, offset)
