"""Pure decisions of the wallet chapter: accounts, addresses, amounts, states."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from bip_utils import Bip44, Bip44Changes, Bip44Coins
from eth_utils.address import is_checksum_address, is_hex_address, to_checksum_address

from bpn.chapters.fx.model import Rate
from bpn.chapters.wallet.errors import (
    AmountTooSmall,
    ServicePaused,
    UnsupportedCurrency,
    UnsupportedNetwork,
)
from bpn.chapters.wallet.model import (
    NEXT,
    Beneficiary,
    Deposit,
    Network,
    NetworkBalance,
    Status,
    Token,
    TransactionType,
    WalletTerms,
)
from bpn.chapters.wallet.model.outgoing import (
    HOT_KEY_INDEX,
    Fees,
    Funds,
    GasTerms,
    Outgoing,
    Placement,
    WaitReason,
    Wanted,
)
from bpn.chapters.wallet.model.reading import Evidence
from bpn.chapters.wallet.model.sweeping import NEXT_SWEEP_STATES, SweepLook, SweepPlan, SweepRefusal, SweepState
from bpn.kernel.assets import Asset
from bpn.kernel.errors import FieldError, InvalidRequest, InvalidState
from bpn.kernel.money import Money, exact_context
from bpn.ledger.model import HOUSE, Account, Policy

_BURN_ADDRESSES = frozenset({f"0x{value:040x}" for value in (0, 1, 0xDEAD)} | {f"0x{'dead' * 10}"})


def available_account(merchant_id: int, wallet_id: int, asset: Asset) -> Account:
    """What the merchant may spend from a wallet; withdrawals in progress are held in it."""
    return Account(merchant_id, f"wallet/{wallet_id}", asset, Policy.CREDIT_BALANCE)


def unreleased_account(merchant_id: int, wallet_id: int, asset: Asset) -> Account:
    """Confirmed deposits of a wallet that are not released yet."""
    return Account(merchant_id, f"unreleased/{wallet_id}", asset, Policy.CREDIT_BALANCE)


def suspense_account(merchant_id: int, asset: Asset) -> Account:
    """What arrived and may not be credited: below the minimum, refused, frozen for good."""
    return Account(merchant_id, "suspense", asset, Policy.CREDIT_BALANCE)


def receivable_account(merchant_id: int, asset: Asset) -> Account:
    """What the merchant owes: deposits that a reorg removed after they were spent."""
    return Account(merchant_id, "receivable", asset, Policy.DEBIT_BALANCE)


def custody_account(merchant_id: int, asset: Asset) -> Account:
    """Tokens that lie at the merchant's deposit addresses.

    A deep reorg may take a deposit back that was swept on: then, for a while, less than nothing lies here.
    """
    return Account(merchant_id, "custody", asset, Policy.ANY)


def hot_wallet_account(asset: Asset) -> Account:
    """Tokens and native coin at the hot wallet's address."""
    return Account(HOUSE, "hot_wallet", asset, Policy.ANY)


def fee_account(asset: Asset) -> Account:
    """Fees earned from withdrawals."""
    return Account(HOUSE, "withdrawal_fees", asset, Policy.CREDIT_BALANCE)


def gas_account(asset: Asset) -> Account:
    """Native coin spent on gas."""
    return Account(HOUSE, "gas", asset, Policy.DEBIT_BALANCE)


def deposit_gas_account(asset: Asset) -> Account:
    """Native coin at deposit addresses: topped up for sweeps, or left over from them."""
    return Account(HOUSE, "deposit_gas", asset, Policy.ANY)


def found_coins_account(asset: Asset) -> Account:
    """Native coin that strangers sent to deposit addresses: nobody's deposit, spent as gas."""
    return Account(HOUSE, "found_coins", asset, Policy.ANY)


def capital_account(asset: Asset) -> Account:
    """What the operator put into the house."""
    return Account(HOUSE, "capital", asset, Policy.ANY)


def find_token(terms: WalletTerms, currency: str, network: str | None) -> Token:
    """The token of a currency on a network, the home network when none is named.

    Raises:
        UnsupportedCurrency: no network offers the currency.
        UnsupportedNetwork: the network is unknown, or lacks the currency.
    """
    check_currency(terms, currency)
    name = network or terms.home_network
    known = terms.networks.get(name)
    if known is None:
        raise UnsupportedNetwork(
            f"The network {name} is not offered; choose one of {', '.join(terms.networks)}.",
            [FieldError("network", "is not offered")],
        )
    token = known.tokens.get(currency)
    if token is None:
        raise UnsupportedNetwork(f"{currency} is not offered on {name}.", [FieldError("network", "lacks the currency")])
    return token


def check_currency(terms: WalletTerms, currency: str) -> None:
    """Raise UnsupportedCurrency unless some network offers the currency."""
    if currency not in terms.currency_names:
        raise UnsupportedCurrency(
            f"The currency {currency} is not offered; choose one of {', '.join(terms.currency_names)}.",
            [FieldError("currency", "is not offered")],
        )


@lru_cache(4096)
def derive_address(account_public_key: str, index: int) -> str:
    """The EIP-55 address of m/44'/60'/0'/0/index, from the account's extended public key (BIP-32, BIP-44).

    No private key is needed, so a request can do it.
    """
    account = Bip44.FromExtendedKey(account_public_key, Bip44Coins.ETHEREUM)
    address: str = account.Change(Bip44Changes.CHAIN_EXT).AddressIndex(index).PublicKey().ToAddress()
    return address


def sender_address(terms: WalletTerms, key_index: int) -> str:
    """The address that a derivation index sends from; 0 is the hot wallet."""
    return terms.hot_address if key_index == HOT_KEY_INDEX else derive_address(terms.account_public_key, key_index)


def parse_address(text: str) -> str:
    """An EVM address in EIP-55 form.

    Raises:
        InvalidRequest: not 20 bytes of hex after 0x, mixed case with a wrong checksum (EIP-55), or a burn address.
    """
    fault = None
    if not text.startswith("0x") or not is_hex_address(text):
        fault = "is not an address of this network: 0x and 40 hexadecimal digits"
    elif text[2:] not in {text[2:].lower(), text[2:].upper()} and not is_checksum_address(text):
        fault = "has a wrong EIP-55 checksum: a letter or digit is mistyped"
    elif text.lower() in _BURN_ADDRESSES:
        fault = "is a burn address: what is sent there is lost"
    if fault is not None:
        raise InvalidRequest.of("address", fault)
    return str(to_checksum_address(text))


def check_transition(kind: TransactionType, status: Status, following: Status) -> None:
    """Raise InvalidState unless a transaction of this type may go from one state to the other."""
    if following not in NEXT[kind].get(status, frozenset()):
        raise InvalidState(f"The transaction is {status}; it cannot become {following}.")


def proves(evidence: Evidence, deposit: Deposit) -> bool:
    """Whether the network's endpoints tell of a deposit what is on record."""
    seen, transaction = evidence.transfer, deposit.transaction
    return (
        evidence.succeeded
        and evidence.block_hash == deposit.block_hash
        and seen is not None
        and (seen.contract, seen.recipient, seen.amount)
        == (deposit.contract, transaction.to_address, transaction.amount.minor)
    )


def received_amounts(amounts: Sequence[int], rise: int, left: int) -> list[int]:
    """What of each amount of a block really arrived at an address, minor units, in the order given.

    Args:
        amounts: what the events say arrived.
        rise: by how much the balance is higher after the block than before it; may be negative.
        left: what the events say went out in the same block.
    """
    arrived = max(0, rise + left)
    received = []
    for amount in amounts:
        received.append(min(amount, arrived))
        arrived -= received[-1]
    return received


def check_withdrawal_amount(token: Token, amount: Money) -> None:
    """Refuse a withdrawal that the token's terms do not allow.

    Raises:
        ServicePaused: withdrawals of the token are switched off.
        AmountTooSmall: less than the minimum.
    """
    if not token.withdrawals_enabled:
        raise ServicePaused(f"Withdrawals of {token.asset.currency} on {token.asset.network} are paused.")
    if amount < token.minimum_withdrawal:
        raise AmountTooSmall(
            f"The smallest withdrawal is {token.minimum_withdrawal} {token.asset.currency}.",
            [FieldError("amount", f"must be at least {token.minimum_withdrawal}")],
        )


def needs_review(terms: WalletTerms, of_merchant: Decimal | None, amount: Money) -> bool:
    """Whether a withdrawal waits for the operator: above what is set for the merchant, else above the general."""
    return amount.to_decimal() > (terms.review_above if of_merchant is None else of_merchant)


def needs_second_person(terms: WalletTerms, amount: Money) -> bool:
    """Whether two people must approve a withdrawal."""
    return terms.second_person_above is not None and amount.to_decimal() > terms.second_person_above


def place(waiting: Sequence[Wanted], unmined: Sequence[Outgoing], funds: Funds, terms: GasTerms) -> list[Placement]:
    """Who gets a nonce now, in order, out of what the sending address has left beside what it owes already.

    A transfer that must wait holds up none behind it.
    """
    tokens, native = dict(funds.tokens), funds.native
    for outgoing in unmined:
        native -= outgoing.gas_reserve
        if outgoing.contract is None:
            native -= outgoing.amount
        else:
            tokens[outgoing.contract] = tokens.get(outgoing.contract, 0) - outgoing.amount
    placements = []
    for wanted in waiting:
        reason, limit = _gas_of(wanted, funds, terms)
        fees = funds.fees or Fees(0, None)
        cost = limit * fees.max_fee + (wanted.amount if wanted.contract is None else 0)
        if wanted.contract is not None and tokens.get(wanted.contract, 0) < wanted.amount:
            reason = WaitReason.TOKENS
        elif reason is None and native < cost:
            reason = WaitReason.GAS
        if reason is None:
            native -= cost
            if wanted.contract is not None:
                tokens[wanted.contract] -= wanted.amount
        placements.append(Placement(wanted, limit, fees, reason))
    return placements


def _gas_of(wanted: Wanted, funds: Funds, terms: GasTerms) -> tuple[WaitReason | None, int]:
    if funds.fees is None:
        return WaitReason.FEE_CAP, 0
    if wanted.call not in funds.gas:
        return WaitReason.NOT_ESTIMATED, 0
    estimate = funds.gas[wanted.call]
    if estimate is None:
        return WaitReason.REVERTS, 0
    limit = gas_limit(estimate)
    return (WaitReason.GAS_LIMIT if limit > terms.limit_ceiling else None), limit


def plan_sweep(
    token: Token, network: Network, look: SweepLook, fees: Fees, quoted: Mapping[str, Decimal], *, short: bool
) -> SweepPlan | SweepRefusal:
    """Whether what lies at a deposit address is worth fetching, and the gas that the address needs for it.

    The gas is reckoned at the most that the transactions may cost. `quoted`: USD prices by currency; where one is
    missing the minimum decides alone. `short`: the hot wallet waits for this token, so the minimum does not count.
    """
    if look.balance <= 0:
        return SweepRefusal.EMPTY
    amount = Money(look.balance, token.asset)
    if token.minimum_sweep is not None and amount < token.minimum_sweep and not short:
        return SweepRefusal.TOO_SMALL
    if look.gas is None or look.top_up_gas is None or gas_limit(look.gas) > network.gas.limit_ceiling:
        return SweepRefusal.REVERTS
    own = gas_limit(look.gas) * fees.max_fee
    top_up = max(0, own * TOP_UP_MARGIN // 100 - look.native) if look.native < own else 0
    cost = own + (gas_limit(look.top_up_gas) * fees.max_fee if top_up else 0)
    if network.gas.sweep_cap is not None and cost > network.gas.sweep_cap:
        return SweepRefusal.TOO_DEAR
    price, native_price = quoted.get(token.asset.currency), quoted.get(network.native.currency)
    if price is not None and native_price is not None:
        with exact_context():
            worth = amount.to_decimal() * price > Money(cost, network.native).to_decimal() * native_price
        if not worth:
            return SweepRefusal.NOT_WORTH_ITS_GAS
    return SweepPlan(amount, top_up, fees)


TOP_UP_MARGIN = 130
"""Percent of what a sweep may cost that its address is given: gas may become dearer by the time it is there."""


def check_sweep_transition(state: SweepState, following: SweepState) -> None:
    """Raise InvalidState unless a sweep may go from one state to the other."""
    if following not in NEXT_SWEEP_STATES.get(state, frozenset()):
        raise InvalidState(f"The sweep is {state}; it cannot become {following}.")


def gas_limit(estimate: int) -> int:
    """The gas to allow a transfer of which the network said what it needs; a plain transfer needs no margin."""
    return estimate if estimate == PLAIN_TRANSFER_GAS else estimate * 5 // 4


PLAIN_TRANSFER_GAS = 21_000
"""What a transfer of the native coin costs, exactly, on networks that charge as Ethereum does."""


def capped_fees(fees: Fees, base_fee: int, cap: int) -> Fees | None:
    """Fees within the operator's cap; None where the network asks for more than that."""
    tip = fees.priority_fee
    if tip is None:
        return fees if fees.max_fee <= cap else None
    return Fees(min(fees.max_fee, cap), tip) if base_fee + tip <= cap else None


def raise_fees(offered: Fees, asked: Fees | None, cap: int) -> Fees | None:
    """The fees of a replacement: an eighth more, as nodes ask, or what the network asks now where that is more.

    None where the cap leaves no room for it.
    """
    current = asked or offered
    max_fee = max(_eighth_more(offered.max_fee), current.max_fee)
    tip = (
        None
        if offered.priority_fee is None
        else max(_eighth_more(offered.priority_fee), current.priority_fee or 0)
    )  # fmt: skip
    # At the cap a replacement still counts, if it is an eighth above what it replaces.
    max_fee = max(_eighth_more(offered.max_fee), min(max_fee, cap))
    return None if max_fee > cap else Fees(max_fee, None if tip is None else min(tip, max_fee))


def _eighth_more(fee: int) -> int:
    return max(fee + 1, -(-fee * 9 // 8))


def total_usd(balances: Iterable[NetworkBalance], prices: Mapping[str, Rate]) -> tuple[Decimal | None, datetime | None]:
    """USD value of what is available, rounded down to cents, and the time of the oldest price used.

    None where a balance has no fresh price: never a made-up number.
    """
    total, oldest = Fraction(0), None
    for balance in balances:
        price = prices.get(balance.asset.currency)
        if price is None:
            return None, None
        if balance.available:
            total += balance.available * price.value / 10**balance.asset.scale
        oldest = price.time if oldest is None else min(oldest, price.time)
    cents = total.numerator * 100 // total.denominator
    with exact_context():
        return Decimal(cents).scaleb(-2), oldest


def check_beneficiary(beneficiary: Beneficiary, address_type: int) -> None:
    """Raise InvalidRequest where the travel rule needs a name that is missing."""
    missing = []
    if beneficiary.type == "company":
        missing = ["companyName"] if not beneficiary.company_name else []
    else:
        missing = [
            name
            for name, value in (("firstName", beneficiary.first_name), ("lastName", beneficiary.last_name))
            if not value
        ]
    errors = [FieldError(f"beneficiary.{name}", f"is required for a {beneficiary.type}") for name in missing]
    if beneficiary.vasp == "others" and not beneficiary.vasp_name:
        errors.append(FieldError("vaspName", 'is required when vasp is "others"'))
    if errors:
        raise InvalidRequest(f"{errors[0].field} {errors[0].reason} (addressType {address_type}).", errors)
