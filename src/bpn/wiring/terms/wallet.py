"""The wallet chapter's terms."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from bpn.adapters.chain.sandbox.tokens import CONTRACTS
from bpn.chapters.fx.model import FxTerms
from bpn.chapters.wallet import rules
from bpn.chapters.wallet.model import Finality, Network, Token, WalletTerms
from bpn.chapters.wallet.model.outgoing import GWEI, HOT_KEY_INDEX, GasTerms
from bpn.chapters.wallet.model.sweeping import SweepTerms
from bpn.controls.operations import Controls
from bpn.kernel.assets import Asset
from bpn.kernel.encryption import Cipher
from bpn.kernel.money import Money
from bpn.settings import ChainSettings, Settings, TokenSettings

CURRENCY_NAMES = {"USDT": "USD Tether", "USDC": "USD Coin"}
NATIVE_SCALE = 18


def wallet_terms(
    settings: Settings, cipher: Cipher, account_public_key: str, controls: Controls, fx: FxTerms
) -> WalletTerms:
    """From the settings, the extended public key that addresses derive from, the operator's controls, and prices."""
    networks = {name: _network(name, chain) for name, chain in settings.chains.items()}
    currencies = dict.fromkeys(currency for network in networks.values() for currency in network.tokens)
    return WalletTerms(
        networks=networks,
        home_network="BSC" if "BSC" in networks else next(iter(networks)),
        currency_names={currency: CURRENCY_NAMES.get(currency, currency) for currency in currencies},
        account_public_key=account_public_key,
        hot_address=rules.derive_address(account_public_key, HOT_KEY_INDEX),
        review_above=settings.review_above,
        second_person_above=settings.second_person_above,
        whitelist_needs_approval=settings.whitelist_approval,
        whitelist_cooling=settings.whitelist_cooling,
        sender_deadline=timedelta(seconds=settings.sender_deadline_seconds),
        fx=fx,
        cipher=cipher,
        controls=controls,
        sweeping=SweepTerms(settings.sweeping, settings.sweep_batch, timedelta(seconds=settings.sweep_recheck_seconds)),
    )


def _network(name: str, chain: ChainSettings) -> Network:
    contracts = {} if chain.endpoints else CONTRACTS
    return Network(
        name=name,
        chain_id=chain.chain_id,
        native=Asset(chain.native_currency, name, NATIVE_SCALE),
        confirmations=chain.confirmations,
        block_seconds=chain.block_seconds,
        explorer_url=chain.explorer_url,
        tokens={
            currency: _token(Asset(currency, name, token.scale), token, contracts.get(currency, token.contract))
            for currency, token in chain.tokens.items()
        },
        finality=Finality(chain.finality),
        reorg_depth=chain.reorg_depth,
        read_range=chain.read_range,
        head_lag=timedelta(seconds=chain.head_lag_seconds),
        gas=_gas(chain),
    )


def _gas(chain: ChainSettings) -> GasTerms:
    cap = chain.sweep_cost_cap
    return GasTerms(
        fee_cap=int(chain.fee_cap_gwei * GWEI),
        limit_ceiling=chain.gas_ceiling,
        replace_after=timedelta(seconds=chain.replace_after_seconds),
        rebroadcast_after=timedelta(seconds=chain.rebroadcast_after_seconds),
        sweep_cap=None if cap is None else int(cap.scaleb(NATIVE_SCALE)),
    )


def _token(asset: Asset, token: TokenSettings, contract: str) -> Token:
    def amount(value: Decimal) -> Money:
        return Money.parse(format(value, "f"), asset)

    return Token(
        asset,
        contract,
        amount(token.minimum_deposit),
        amount(token.minimum_withdrawal),
        amount(token.withdrawal_fee),
        token.deposits_enabled,
        token.withdrawals_enabled,
        minimum_sweep=amount(token.minimum_sweep),
        verify_received=token.verify_received,
    )
