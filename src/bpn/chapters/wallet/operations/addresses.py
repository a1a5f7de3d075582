"""Where to send a stablecoin so that it reaches a wallet."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from bpn.chapters.wallet import rules
from bpn.chapters.wallet.errors import ServicePaused
from bpn.chapters.wallet.model import DepositAddress, Network, Token, WalletTerms
from bpn.chapters.wallet.operations.wallets import require_wallet
from bpn.chapters.wallet.store import chains
from bpn.chapters.wallet.store import wallets as store
from bpn.controls.model import FeeTerms, Operation
from bpn.database.pool import Transaction as DatabaseTransaction


def find_token(terms: WalletTerms, currency: str, network: str | None) -> Token:
    """The token of a currency on a network, the home network when none is named.

    Raises:
        UnsupportedCurrency, UnsupportedNetwork: not offered.
    """
    return rules.find_token(terms, currency, network)


def check_currency(terms: WalletTerms, currency: str) -> None:
    """Raise UnsupportedCurrency unless some network offers the currency."""
    rules.check_currency(terms, currency)


def parse_address(text: str) -> str:
    """An address in EIP-55 form; raises InvalidRequest when it is mistyped or nobody's."""
    return rules.parse_address(text)


async def get_deposit_address(
    terms: WalletTerms,
    tx: DatabaseTransaction,
    merchant_id: int,
    wallet_id: int | None,
    currency: str,
    network: str | None,
) -> DepositAddress:
    """The deposit address of a wallet, currency and network: the same forever, no other wallet's.

    Raises:
        WalletNotFound: no such wallet.
        UnsupportedCurrency, UnsupportedNetwork: not offered.
        ServicePaused: deposits are switched off, or nobody has begun to read the network.
    """
    token = rules.find_token(terms, currency, network)
    (await terms.controls.view(tx)).require_running(merchant_id, Operation.DEPOSIT, token.asset)
    if not token.deposits_enabled:
        raise ServicePaused(f"Deposits of {token.asset.code} are paused.")
    wallet = await require_wallet(tx, merchant_id, wallet_id)
    name = token.asset.network or terms.home_network
    known = await store.find_address(tx, wallet, name, currency)
    if known is None:
        # Reading begins at the head that the first worker finds: what was sent before would be missed.
        if await chains.find_position(tx, name) is None:
            raise ServicePaused(f"{name} is not being read yet; try again in a moment.")
        address = rules.derive_address(terms.account_public_key, wallet.address_index)
        async with tx.connection.transaction():
            known = await store.ensure_address(tx, wallet, name, currency, address)
    return DepositAddress(wallet.wallet_id, token, terms.networks[name].confirmations, *known)


async def get_wallet_network_config(terms: WalletTerms, tx: DatabaseTransaction, merchant_id: int) -> list[Network]:
    """Every network with its tokens and their terms, as they are for the merchant now."""
    view = await terms.controls.view(tx)

    def offered(token: Token) -> Token:
        standard = FeeTerms(flat=token.withdrawal_fee.to_decimal())
        set_ = view.fee_terms(merchant_id, Operation.WITHDRAWAL, token.asset) or standard
        return replace(
            token,
            withdrawal_fee=view.fee(merchant_id, Operation.WITHDRAWAL, token.minimum_withdrawal, standard),
            withdrawal_fee_bps=Decimal(set_.bps),
            deposits_enabled=token.deposits_enabled and view.is_running(merchant_id, Operation.DEPOSIT, token.asset),
            withdrawals_enabled=token.withdrawals_enabled
            and view.is_running(merchant_id, Operation.WITHDRAWAL, token.asset),
        )

    return [
        replace(network, tokens={currency: offered(token) for currency, token in network.tokens.items()})
        for network in terms.networks.values()
    ]
