"""The wire shapes of the wallet chapter, in the contract's own spelling."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, Literal, Self

import pycountry
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from bpn.api.fields import (
    AmountText,
    CurrencyCode,
    ExactNumber,
    Identifier,
    LargeInteger,
    MerchantReference,
    Milliseconds,
    NetworkName,
    PageQuery,
    Remark,
    ShortText,
    Wire,
    milliseconds_or_none,
    parse_time,
)
from bpn.chapters.wallet import model
from bpn.kernel.clock import to_milliseconds
from bpn.kernel.errors import FieldError, InvalidRequest
from bpn.kernel.money import Money, exact_context

TransactionTypeName = Literal["DEPOSIT", "WITHDRAW", "INTERNAL_TRANSFER", "ORDER"]
StatusName = Literal[
    "CONFIRMING",
    "SENDER_REQUIRED",
    "SCREENING",
    "COMPLETED",
    "FROZEN",
    "ORPHANED",
    "REVIEWING",
    "PROCESSING",
    "BROADCAST",
    "SUCCESS",
    "FAILED",
    "REJECTED",
    "CANCELLED",
]
TransactionHash = Annotated[
    str,
    StringConstraints(strip_whitespace=True, to_lower=True, pattern=r"^0x[0-9a-f]{64}$"),
    Field(examples=["0x" + "ab" * 32]),
]
AddressText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=128),
    Field(description="An address of the network; EIP-55 is checked when the case is mixed."),
]


class AssetBalanceQuery(Wire):
    """Which wallet, and which currency only."""

    currency: Annotated[CurrencyCode | None, Field(description="Only this one; all when absent.")] = None
    wallet_id: Annotated[LargeInteger | None, Field(description="The primary wallet when absent.")] = None


class NetworkBalance(Wire):
    """A currency's balance on one network: decimal strings, exact."""

    network: Annotated[str, Field(examples=["BSC"])]
    available: Annotated[str, Field(description="May be spent.", examples=["99.5"])]
    unavailable: Annotated[str, Field(description="Held, or not released yet.", examples=["9"])]
    pending: Annotated[str, Field(description="Seen on chain, not confirmed; counted nowhere.", examples=["0"])]


class CurrencyBalance(Wire):
    """A currency's balance over all its networks: JSON numbers, exact."""

    currency: Annotated[str, Field(examples=["USDT"])]
    currency_full_name: Annotated[str, Field(examples=["USD Tether"])]
    available: Annotated[ExactNumber, Field(description="Sum of the networks; may be spent.")]
    unavailable: Annotated[ExactNumber, Field(description="Sum of the networks; held or not released yet.")]
    balance_change: Annotated[
        ExactNumber, Field(description="Change of available + unavailable over the last 24 hours.")
    ]
    networks: Annotated[list[NetworkBalance], Field(description="The same by network. Ours.")]


class AssetBalance(Wire):
    """A wallet's balances and their value."""

    total_available: Annotated[
        ExactNumber | None,
        Field(description="USD value of what is available, 2 decimals, rounded down; null without a fresh price."),
    ]
    total_available_currency: Annotated[str, Field(examples=["USD"])]
    id: Annotated[int, Field(description="The wallet.", examples=[40])]
    wallet_type: Literal["primary", "sub", "collection_sub"]
    name: Annotated[str, Field(examples=["Main"])]
    wallets: list[CurrencyBalance]
    price_time: Annotated[Milliseconds | None, Field(description="The oldest price used. Ours.")]

    @classmethod
    def of(cls, balance: model.AssetBalance, names: dict[str, str], only: str | None) -> Self:
        """The wire form; every currency offered is listed, or `only` one."""
        currencies = [only] if only else list(names)
        return cls(
            total_available=balance.total_usd,
            total_available_currency="USD",
            id=balance.wallet.wallet_id,
            wallet_type=balance.wallet.wallet_type.value,
            name=balance.wallet.name,
            wallets=[_currency_balance(currency, names[currency], balance.balances) for currency in currencies],
            price_time=milliseconds_or_none(balance.price_time),
        )


def _currency_balance(currency: str, full_name: str, balances: Iterable[model.NetworkBalance]) -> CurrencyBalance:
    own = [balance for balance in balances if balance.asset.currency == currency]
    with exact_context():
        available = sum((_whole(balance, balance.available) for balance in own), Decimal(0))
        unavailable = sum((_whole(balance, balance.unavailable) for balance in own), Decimal(0))
        yesterday = sum((_whole(balance, balance.total_yesterday) for balance in own), Decimal(0))
        change = available + unavailable - yesterday
    return CurrencyBalance(
        currency=currency,
        currency_full_name=full_name,
        available=available,
        unavailable=unavailable,
        balance_change=change,
        networks=[
            NetworkBalance(
                network=balance.asset.network or "",
                available=str(Money(balance.available, balance.asset)),
                unavailable=str(Money(balance.unavailable, balance.asset)),
                pending=str(Money(balance.pending, balance.asset)),
            )
            for balance in own
        ],
    )


def _whole(balance: model.NetworkBalance, minor: int) -> Decimal:
    return Money(minor, balance.asset).to_decimal()


class NetworkConfigQuery(Wire):
    """Which currency and network only."""

    currency: CurrencyCode | None = None
    network: NetworkName | None = None


class NetworkConfig(Wire):
    """The terms on which a currency moves on a network."""

    currency: Annotated[str, Field(examples=["USDT"])]
    network: Annotated[str, Field(examples=["BSC"])]
    chain_id: Annotated[int, Field(examples=[56])]
    contract: Annotated[str, Field(description="The token's contract address.")]
    scale: Annotated[int, Field(description="Decimals.", examples=[18])]
    minimum_deposit: Annotated[str, Field(examples=["1"])]
    minimum_withdrawal: Annotated[str, Field(examples=["1"])]
    withdrawal_fee: Annotated[str, Field(description="On top of the amount, in the currency.", examples=["1"])]
    confirmations: Annotated[int, Field(examples=[15])]
    estimated_seconds: Annotated[int, Field(description="From the first block to confirmed.", examples=[45])]
    deposit_enabled: bool
    withdraw_enabled: bool


class NetworkConfigList(Wire):
    """All currencies and networks."""

    list: list[NetworkConfig]

    @classmethod
    def of(cls, networks: Iterable[model.Network], query: NetworkConfigQuery) -> Self:
        """The wire form of those that the query asks for."""
        return cls(
            list=[
                _network_config(network, token)
                for network in networks
                for token in network.tokens.values()
                if query.currency in {None, token.asset.currency} and query.network in {None, network.name}
            ]
        )


def _network_config(network: model.Network, token: model.Token) -> NetworkConfig:
    seconds = (network.block_seconds * network.confirmations).to_integral_value()
    return NetworkConfig(
        currency=token.asset.currency,
        network=network.name,
        chain_id=network.chain_id,
        contract=token.contract,
        scale=token.asset.scale,
        minimum_deposit=str(token.minimum_deposit),
        minimum_withdrawal=str(token.minimum_withdrawal),
        withdrawal_fee=str(token.withdrawal_fee),
        confirmations=network.confirmations,
        estimated_seconds=int(seconds),
        deposit_enabled=token.deposits_enabled,
        withdraw_enabled=token.withdrawals_enabled,
    )


class WalletQuery(PageQuery):
    """Filters of the list of wallets."""

    wallet_type: Literal["primary", "sub", "collection_sub"] | None = None
    name: ShortText | None = None


class SubAccountQuery(PageQuery):
    """Filters of the list of sub-accounts."""

    name: ShortText | None = None


class SubAccountRequest(Wire):
    """Open a sub-account."""

    name: Annotated[
        str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), Field(examples=["Store 12"])
    ]
    merchant_user_id: Annotated[
        MerchantReference | None, Field(description="The merchant's own id of whoever the wallet is for.")
    ] = None
    request_id: Annotated[MerchantReference | None, Field(description="The merchant's own id of this request.")] = None


class Wallet(Wire):
    """A wallet."""

    wallet_id: Annotated[int, Field(examples=[4503599627370496])]
    name: str
    wallet_type: Literal["primary", "sub", "collection_sub"]
    merchant_user_id: str | None
    create_time: Milliseconds

    @classmethod
    def of(cls, wallet: model.Wallet) -> Self:
        """The wire form."""
        return cls(
            wallet_id=wallet.wallet_id,
            name=wallet.name,
            wallet_type=wallet.wallet_type.value,
            merchant_user_id=wallet.merchant_user_id,
            create_time=to_milliseconds(wallet.created_at),
        )


class DepositAddressQuery(Wire):
    """Which wallet, currency and network."""

    wallet_id: Annotated[LargeInteger | None, Field(description="The primary wallet when absent.")] = None
    currency: CurrencyCode
    network: Annotated[NetworkName | None, Field(description="BSC when absent.")] = None


class WalletAddress(Wire):
    """Where to send a stablecoin."""

    wallet_id: int
    currency: str
    network: str
    address: Annotated[str, Field(description="In EIP-55 form.")]
    tag: Annotated[str | None, Field(description="Null on networks without tags.")]
    minimum_deposit: str
    confirmations: int
    create_time: Milliseconds

    @classmethod
    def of(cls, address: model.DepositAddress) -> Self:
        """The wire form."""
        return cls(
            wallet_id=address.wallet_id,
            currency=address.token.asset.currency,
            network=address.token.asset.network or "",
            address=address.address,
            tag=None,
            minimum_deposit=str(address.token.minimum_deposit),
            confirmations=address.confirmations,
            create_time=to_milliseconds(address.created_at),
        )


_COUNTRIES = frozenset(country.alpha_2 for country in pycountry.countries)


def _known_country(code: str) -> str:
    if code.upper() in _COUNTRIES:
        return code.lower()
    raise ValueError("must be an ISO 3166-1 alpha-2 code")


Country = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=2), AfterValidator(_known_country), Field(examples=["mx"])
]
PersonName = Annotated[str, StringConstraints(strip_whitespace=True, max_length=128)]


class DepositSenderRequest(Wire):
    """Who sent a deposit, as the travel rule asks. `transactionId` or `hash` names the deposit."""

    hash: TransactionHash | None = None
    transaction_id: Identifier | None = None
    deposit_originator: Annotated[Literal[0, 1], Field(description="0: the merchant itself; 1: a third party.")]
    org_type: Annotated[Literal[0, 1], Field(description="The originator: 0 an individual, 1 a company.")]
    bnf_type: Annotated[Literal[0, 1], Field(description="The beneficiary: 0 an individual, 1 a company.")] = 0
    org_name: PersonName | None = None
    org_first_name: PersonName | None = None
    org_last_name: PersonName | None = None
    country: Country
    state: PersonName | None = None
    region: PersonName | None = None
    city: PersonName | None = None
    pin_code: PersonName | None = None
    address: Annotated[str | None, StringConstraints(max_length=256)] = None
    corp_name: PersonName | None = None
    corp_country: Country | None = None
    receive_from: Annotated[Literal[1, 2], Field(description="1: another platform; 2: a self-hosted wallet.")]
    vasp: PersonName | None = None
    vasp_name: Annotated[PersonName | None, Field(description="The platform, when vasp is others.")] = None
    declaration: Annotated[bool, Field(description="Must be true: the details are complete and correct.")]

    def check(self) -> None:
        """Raise InvalidRequest where a field that the others ask for is missing; lists them all."""
        company = self.org_type == 1
        required = [
            ("orgFirstName", self.org_first_name, not company, "is required for an individual"),
            ("orgLastName", self.org_last_name, not company, "is required for an individual"),
            ("corpName", self.corp_name, company, "is required for a company"),
            ("corpCountry", self.corp_country, company, "is required for a company"),
            ("vasp", self.vasp, self.receive_from == 1, "is required when receiveFrom is 1"),
            ("vaspName", self.vasp_name, self.vasp == "others", 'is required when vasp is "others"'),
        ]
        errors = [FieldError(name, reason) for name, value, asked, reason in required if asked and not value]
        if not self.declaration:
            errors.append(FieldError("declaration", "must be true"))
        if errors:
            raise InvalidRequest(f"{errors[0].field} {errors[0].reason}.", errors)

    def details(self) -> dict[str, object]:
        """What is kept of it: everything but the deposit's name."""
        return self.model_dump(by_alias=True, exclude={"hash", "transaction_id"})


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


class Beneficiary(Wire):
    """Who is behind an address."""

    type: Annotated[Literal["individual", "company"], BeforeValidator(_lower)]
    first_name: PersonName | None = None
    last_name: PersonName | None = None
    company_name: PersonName | None = None
    country: Country | None = None


class WhitelistRequest(Wire):
    """Ask for an address to be allowed."""

    request_id: MerchantReference | None = None
    currency: CurrencyCode
    network: Annotated[NetworkName | None, Field(description="BSC when absent.")] = None
    address: AddressText
    tag: ShortText | None = None
    alias: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
    address_type: Annotated[Literal[1, 2], Field(description="1: the merchant's own; 2: a third party's.")]
    beneficiary: Beneficiary
    vasp: Annotated[PersonName | None, Field(description="The platform that hosts the address; null: self-hosted.")] = (
        None
    )
    vasp_name: PersonName | None = None

    def known_beneficiary(self) -> model.Beneficiary:
        """As the chapter knows it."""
        given = self.beneficiary
        return model.Beneficiary(
            given.type,
            given.first_name,
            given.last_name,
            given.company_name,
            given.country,
            self.vasp,
            self.vasp_name,
        )


class WhitelistEntry(Wire):
    """An address on the whitelist."""

    whitelist_id: Annotated[str, Field(examples=["179545447575900001"])]
    status: Literal["PENDING", "APPROVED", "REJECTED", "DELETED"]
    available_at: Annotated[Milliseconds, Field(description="Usable from this time on, once approved.")]
    currency: str
    network: str
    address: str
    tag: str | None
    alias: str
    address_type: Literal[1, 2]
    beneficiary: Beneficiary
    vasp: str | None
    vasp_name: str | None
    fail_reason: str | None
    create_time: Milliseconds

    @classmethod
    def of(cls, entry: model.WhitelistEntry) -> Self:
        """The wire form."""
        known = entry.beneficiary
        return cls.model_validate(
            {
                "whitelist_id": str(entry.whitelist_id),
                "status": entry.status.value,
                "available_at": to_milliseconds(entry.available_at),
                "currency": entry.currency,
                "network": entry.network,
                "address": entry.address,
                "tag": entry.tag,
                "alias": entry.alias,
                "address_type": entry.address_type,
                "beneficiary": {
                    "type": known.type,
                    "first_name": known.first_name,
                    "last_name": known.last_name,
                    "company_name": known.company_name,
                    "country": known.country,
                },
                "vasp": known.vasp,
                "vasp_name": known.vasp_name,
                "fail_reason": entry.fail_reason,
                "create_time": to_milliseconds(entry.created_at),
            }
        )


class WhitelistQuery(PageQuery):
    """Filters of the whitelist."""

    currency: CurrencyCode | None = None
    network: NetworkName | None = None
    status: Literal["PENDING", "APPROVED", "REJECTED"] | None = None


class DeleteWhitelistRequest(Wire):
    """Which entry: by id, or by currency, network and address."""

    whitelist_id: Identifier | None = None
    currency: CurrencyCode | None = None
    network: NetworkName | None = None
    address: AddressText | None = None


class WithdrawRequest(Wire):
    """Send a stablecoin to a whitelisted address."""

    merchant_transaction_id: MerchantReference | None = None
    wallet_id: Annotated[LargeInteger | None, Field(description="The primary wallet when absent.")] = None
    currency: CurrencyCode
    network: Annotated[NetworkName | None, Field(description="BSC when absent.")] = None
    address: AddressText
    tag: ShortText | None = None
    amount: Annotated[AmountText, Field(description="What arrives; the fee is charged on top.")]
    remark: Remark | None = None


class Withdrawal(Wire):
    """A withdrawal as accepted."""

    transaction_id: Annotated[str, Field(examples=["179545447575900001"])]
    merchant_transaction_id: str | None
    status: StatusName
    currency: str
    network: str
    address: str
    amount: Annotated[str, Field(examples=["100"])]
    fee: Annotated[str, Field(description="On top of the amount.", examples=["1"])]
    receive_amount: Annotated[str, Field(description="What arrives on chain.", examples=["100"])]
    fail_reason: str | None
    create_time: Milliseconds

    @classmethod
    def of(cls, transaction: model.Transaction) -> Self:
        """The wire form."""
        return cls(
            transaction_id=str(transaction.transaction_id),
            merchant_transaction_id=transaction.merchant_transaction_id,
            status=transaction.status.value,
            currency=transaction.amount.asset.currency,
            network=transaction.amount.asset.network or "",
            address=transaction.to_address or "",
            amount=str(transaction.amount),
            fee=str(transaction.fee),
            receive_amount=str(transaction.amount),
            fail_reason=transaction.fail_reason,
            create_time=to_milliseconds(transaction.created_at),
        )


class CancelWithdrawalRequest(Wire):
    """Which withdrawal to call back."""

    transaction_id: Identifier


class TransferRequest(Wire):
    """Move a stablecoin between the merchant's own wallets."""

    merchant_transaction_id: MerchantReference | None = None
    from_wallet_id: LargeInteger
    to_wallet_id: LargeInteger
    currency: CurrencyCode
    network: Annotated[NetworkName | None, Field(description="BSC when absent.")] = None
    amount: AmountText
    remark: Remark | None = None


class TransferQuery(Wire):
    """Which transfer: exactly one of the two."""

    transaction_id: Identifier | None = None
    merchant_transaction_id: MerchantReference | None = None


class TransferListQuery(PageQuery):
    """Filters of the list of transfers."""

    wallet_id: LargeInteger | None = None
    merchant_transaction_id: MerchantReference | None = None
    currency: CurrencyCode | None = None
    network: NetworkName | None = None
    start_time: Milliseconds | None = None
    end_time: Milliseconds | None = None

    def filters(self) -> model.HistoryFilter:
        """As the chapter knows them."""
        return model.HistoryFilter(
            wallet_id=self.wallet_id,
            merchant_transaction_id=self.merchant_transaction_id,
            currency=self.currency,
            network=self.network,
            transaction_type=model.TransactionType.INTERNAL_TRANSFER,
            start=parse_time(self.start_time, "startTime"),
            end=parse_time(self.end_time, "endTime"),
        )


class HistoryQuery(PageQuery):
    """Filters of the history; all that are given must match."""

    wallet_id: LargeInteger | None = None
    merchant_transaction_id: MerchantReference | None = None
    currency: CurrencyCode | None = None
    network: NetworkName | None = None
    transaction_type: TransactionTypeName | None = None
    status: StatusName | None = None
    start_time: Annotated[Milliseconds | None, Field(description="From this time on.")] = None
    end_time: Annotated[Milliseconds | None, Field(description="Before this time.")] = None
    transaction_id: Identifier | None = None
    hash: TransactionHash | None = None

    def filters(self) -> model.HistoryFilter:
        """As the chapter knows them."""
        return model.HistoryFilter(
            wallet_id=self.wallet_id,
            merchant_transaction_id=self.merchant_transaction_id,
            currency=self.currency,
            network=self.network,
            transaction_type=self.transaction_type,
            status=self.status,
            start=parse_time(self.start_time, "startTime"),
            end=parse_time(self.end_time, "endTime"),
            transaction_id=None if self.transaction_id is None else int(self.transaction_id),
            hash=self.hash,
        )


class TransactionRecord(Wire):
    """One line of the history. Amounts and ids are strings; `walletId` is an integer."""

    transaction_id: Annotated[str, Field(examples=["179545447575900001"])]
    merchant_transaction_id: str | None
    user_id: Annotated[str, Field(description="The merchant.")]
    merchant_user_id: Annotated[str | None, Field(description="The merchant's id of whoever the wallet is for.")]
    from_currency: str
    to_currency: str
    from_account_id: Annotated[str | None, Field(description="The wallet debited; null when it came from outside.")]
    to_account_id: Annotated[str | None, Field(description="The wallet credited; null when it went outside.")]
    transaction_type: TransactionTypeName
    wallet_id: int
    currency: str
    network: str
    amount: Annotated[str, Field(examples=["100"])]
    fee: Annotated[str, Field(examples=["1"])]
    status: StatusName
    from_address: str | None
    to_address: str | None
    hash: str | None
    confirmations: int
    required_confirmations: int
    remark: str | None
    fail_reason: str | None
    create_time: Milliseconds
    update_time: Milliseconds
    complete_time: Milliseconds | None

    @classmethod
    def of(cls, transaction: model.Transaction) -> Self:
        """The wire form."""
        currency = transaction.amount.asset.currency
        source, target = _wallet_sides(transaction)
        return cls(
            transaction_id=str(transaction.transaction_id),
            merchant_transaction_id=transaction.merchant_transaction_id,
            user_id=str(transaction.merchant_id),
            merchant_user_id=transaction.merchant_user_id,
            from_currency=currency,
            to_currency=currency,
            from_account_id=source,
            to_account_id=target,
            transaction_type=transaction.transaction_type.value,
            wallet_id=transaction.wallet_id,
            currency=currency,
            network=transaction.amount.asset.network or "",
            amount=str(transaction.amount),
            fee=str(transaction.fee),
            status=transaction.status.value,
            from_address=transaction.from_address,
            to_address=transaction.to_address,
            hash=transaction.hash,
            confirmations=transaction.confirmations,
            required_confirmations=transaction.required_confirmations,
            remark=transaction.remark,
            fail_reason=transaction.fail_reason,
            create_time=to_milliseconds(transaction.created_at),
            update_time=to_milliseconds(transaction.updated_at),
            complete_time=milliseconds_or_none(transaction.completed_at),
        )


def _wallet_sides(transaction: model.Transaction) -> tuple[str | None, str | None]:
    own = str(transaction.wallet_id)
    if transaction.transaction_type is model.TransactionType.DEPOSIT:
        return None, own
    return own, None if transaction.counter_wallet_id is None else str(transaction.counter_wallet_id)


class SenderRequiredEvent(Wire):
    """A deposit waits for its sender's details."""

    transaction_id: str
    hash: str | None
    wallet_id: int
    currency: str
    network: str
    amount: str
    from_address: str | None
    deadline: Annotated[Milliseconds, Field(description="After it the money stays held until an operator decides.")]

    @classmethod
    def of(cls, fact: model.SenderRequired) -> Self:
        """The wire form."""
        transaction = fact.transaction
        return cls(
            transaction_id=str(transaction.transaction_id),
            hash=transaction.hash,
            wallet_id=transaction.wallet_id,
            currency=transaction.amount.asset.currency,
            network=transaction.amount.asset.network or "",
            amount=str(transaction.amount),
            from_address=transaction.from_address,
            deadline=to_milliseconds(fact.deadline),
        )
