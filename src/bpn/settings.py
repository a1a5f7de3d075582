"""Every option, its default and its reason. Read once at the start, from `BPN_…` variables; handed down as values."""

from __future__ import annotations

import json
import tomllib
from datetime import timedelta
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

KNOWN_NETWORKS: dict[str, Any] = tomllib.loads((files("bpn") / "networks.toml").read_text())
SANDBOX_NETWORKS = ("BSC", "ETH")
STATIC_RATES = {
    "USD": Decimal(1),
    "USDT": Decimal(1),
    "USDC": Decimal(1),
    "BRL": Decimal("0.185"),
    "BBRL": Decimal("0.185"),
    "EUR": Decimal("1.16"),
    "GBP": Decimal("1.31"),
    "MXN": Decimal("0.054"),
    "HKD": Decimal("0.1285"),
    "SGD": Decimal("0.77"),
    "AUD": Decimal("0.65"),
    "CAD": Decimal("0.71"),
    "CHF": Decimal("1.24"),
    "JPY": Decimal("0.0064"),
    "AED": Decimal("0.2723"),
}


class TokenSettings(BaseModel):
    """A stablecoin on a network. Amounts in whole units."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    contract: str
    """The token's address."""
    scale: Annotated[int, Field(ge=0, le=36)]
    """Its decimals; compared with the contract at every start."""
    minimum_deposit: Decimal = Decimal(1)
    """Less costs more to sweep than it brings."""
    minimum_withdrawal: Decimal = Decimal(1)
    """Less is refused."""
    withdrawal_fee: Decimal = Decimal(1)
    """On top of the amount; covers gas."""
    minimum_sweep: Decimal = Decimal(10)
    """Less stays at its deposit address, unless the hot wallet waits for it; the balance counts all the same."""
    deposits_enabled: bool = True
    """Whether new deposit addresses are given out."""
    withdrawals_enabled: bool = True
    """Whether new withdrawals are taken."""
    verify_received: bool = True
    """Whether a deposit's amount is compared with what the balance rose by: a token may keep a fee and not tell. Asks
    for the state at the deposit's block; off for tokens whose events are known to tell what arrived."""


class ChainSettings(BaseModel):
    """A network. `BPN_CHAINS__BSC__RPC_URL` puts BSC on a node; without it the sandbox simulates the network."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    rpc_url: str | None = None
    """The node's JSON-RPC over HTTP."""
    rpc_urls: list[str] = []
    """Several endpoints of different operators, separated by commas or as a JSON list; `rpc_url` is one more."""
    agreeing_endpoints: Annotated[int | None, Field(ge=1)] = None
    """How many endpoints must say the same before a deposit is booked or a withdrawal counts as done; two where there
    are several."""
    chain_id: int
    """EIP-155; compared with the node at every start."""
    native_currency: str
    """What gas is paid in."""
    confirmations: Annotated[int, Field(ge=1)]
    """Blocks, the transaction's own included, before a deposit is booked or a withdrawal counts as done."""
    finality: Literal["confirmations", "safe", "finalized"] = "confirmations"
    """What makes a deposit final: that many confirmations, or the block that the network itself calls so."""
    reorg_depth: Annotated[int, Field(ge=1)] = 128
    """Blocks that a reorg may replace; where it replaces more, reading stops until an operator resumes it."""
    read_range: Annotated[int, Field(ge=1)] = 500
    """The most blocks read at once; fewer where the node does not manage so many."""
    head_lag_seconds: Annotated[int, Field(ge=1)] = 120
    """While the newest block is older, readiness is red and no deposit is released."""
    block_seconds: Decimal
    """Between two blocks, as told to merchants."""
    explorer_url: str | None = None
    """Where people look at transactions."""
    tokens: dict[str, TokenSettings]
    """The stablecoins, by currency."""
    timeout_seconds: float = 10.0
    """A node that answers slower counts as silent."""
    fee_cap_gwei: Annotated[Decimal, Field(gt=0)] = Decimal(500)
    """The most to offer for a unit of gas; what waits for cheaper gas takes no nonce, what is under way is not raised
    further."""
    gas_ceiling: Annotated[int, Field(ge=21_000)] = 500_000
    """The most gas one transfer may need."""
    replace_after_seconds: Annotated[int, Field(ge=1)] = 120
    """A transaction not mined by then is replaced at the same nonce with a higher fee."""
    rebroadcast_after_seconds: Annotated[int, Field(ge=1)] = 30
    """How often the same bytes are sent again until they are mined."""
    sweep_cost_cap: Decimal | None = None
    """The most that sweeping one deposit address may cost, in whole native coins;
    its worth alone limits it when absent."""

    @field_validator("rpc_urls", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        """A list, JSON, or URLs with commas between them."""
        if not isinstance(value, str):
            return value
        return json.loads(value) if value.lstrip().startswith("[") else [url.strip() for url in value.split(",") if url]

    @model_validator(mode="after")
    def _check(self) -> ChainSettings:
        if self.endpoints and self.agreeing > len(self.endpoints):
            raise ValueError(f"{self.agreeing} endpoints cannot agree where there are {len(self.endpoints)}")
        return self

    @property
    def endpoints(self) -> list[str]:
        """The URLs of the network's nodes; none where the sandbox simulates it."""
        return list(dict.fromkeys([*([self.rpc_url] if self.rpc_url else []), *self.rpc_urls]))

    @property
    def agreeing(self) -> int:
        """How many endpoints must say the same."""
        return self.agreeing_endpoints or min(2, max(1, len(self.endpoints)))


class MailSettings(BaseModel):
    """A server that mail is handed to."""

    host: str
    port: int = 587
    security: Literal["tls", "starttls", "none"] = "starttls"
    """From the first byte (usually port 465), after STARTTLS (587), or not at all."""
    username: str | None = None
    password: SecretStr | None = None
    sender: str
    """The address that messages come from."""
    sender_name: str = "BPN"


class BankAccountSettings(BaseModel):
    """An account of the operator at the bank, in one currency."""

    number: str
    """An IBAN, or the account number as the bank's statements write it."""
    name: str
    """Of its holder."""
    bic: str | None = None


class BankSettings(BaseModel):
    """A bank that exchanges ISO 20022 files through a directory."""

    directory: Path
    """Holds `outbox`, `archive`, `inbox`, `done`, `failed` and `numbers`, on one file system."""
    initiator: str
    """The operator's name in payment files."""
    accounts: dict[str, BankAccountSettings]
    """By currency: `BPN_BANK__ACCOUNTS__EUR__NUMBER`."""
    quiet_seconds: float = 5.0
    """A file in the inbox that changed later than so long ago may still be growing."""


class S3Settings(BaseModel):
    """A bucket for files, of Amazon S3 or of any store that speaks its protocol."""

    bucket: str
    endpoint: str | None = None
    """Base URL of a store that is not Amazon's."""
    region: str = "us-east-1"
    access_key_id: str
    secret_access_key: SecretStr


class Settings(BaseSettings):
    """The options of an installation."""

    model_config = SettingsConfigDict(
        env_prefix="BPN_", env_nested_delimiter="__", extra="forbid", frozen=True, use_attribute_docstrings=True
    )

    data_dir: Path = Path("data")
    """The embedded database, the sandbox chain and the master key live here."""
    database_url: str | None = None
    """An external PostgreSQL (libpq URL, several hosts allowed); the embedded one when absent."""
    database_connections: int = 16
    """Per process."""
    lock_timeout_seconds: float = 10.0
    """How long a request may wait for another's rows before it is told to try again."""
    master_key: SecretStr | None = None
    """32 bytes in hex that seal all secrets at rest; kept in the data directory, mode 0600, when absent."""
    other_master_keys: list[SecretStr] = []
    """Keys that open what they sealed, and seal nothing: the next or the former one during a rotation."""

    host: str = "127.0.0.1"
    """Where the API listens."""
    port: int = 8000
    """On which port."""
    public_url: str | None = None
    """The base URL that others reach this installation by; made from host and port when absent."""
    signature_window_seconds: int = 300
    """How far a request's timestamp may be from now."""
    key_overlap_seconds: int = 24 * 3600
    """How long a rotated API key's former secret stays valid."""
    requests_per_second: int | None = None
    """Of one key, over all API processes; 100 by default, as many as it likes in the sandbox."""

    sandbox: bool = True
    """Simulated outside world and mock routes; switch off before real money."""
    sandbox_block_seconds: float = 1.0
    """Between two blocks of the simulated networks."""
    sandbox_bank_seconds: float = 1.0
    """From a payment's receipt at the simulated bank to its settlement, in business time."""
    chains: dict[str, ChainSettings] = {}
    """The networks; the sandbox has BSC and ETH by itself."""

    signer_url: str | None = None
    """A remote signer that speaks web3signer's API (`/api/v1/eth1/sign/…`) and holds the keys; by default they derive
    from a seed that is sealed in the database."""
    signer_token: SecretStr | None = None
    """A bearer token for the remote signer, where a proxy before it asks for one."""
    signer_timeout_seconds: float = 10.0
    """A signer that answers slower counts as silent."""
    account_public_key: str | None = None
    """The extended public key (`xpub…`) of the account m/44'/60'/0' whose keys the remote signer holds; deposit
    addresses and the hot wallet (index 0) derive from it."""

    coinmarketcap_api_key: SecretStr | None = None
    """Live rates of stablecoins and fiat currencies; static ones when absent."""
    coinmarketcap_url: str = "https://pro-api.coinmarketcap.com"
    """Where live rates are asked for."""
    ecb_url: str = "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml"
    """Where the daily euro reference rates are read."""
    rate_sources: list[Literal["COINMARKETCAP", "ECB", "STATIC"]] | None = None
    """Who is asked for rates, most trusted first; CoinMarketCap when it has a key, static rates otherwise."""
    price_lifetime_seconds: int = 600
    """A live rate older than this is not used."""
    daily_rate_lifetime_seconds: int = 6 * 24 * 3600
    """As before, for the daily reference rates: they rest on weekends and bank holidays."""
    static_rates: dict[str, Decimal] = STATIC_RATES
    """USD prices of one unit, by currency, where the source is static."""
    largest_rate_jump_bps: Annotated[int, Field(ge=1)] = 500
    """A rate that moves further at once is held until the operator accepts it."""
    spread_bps: Annotated[int, Field(ge=0, le=2_000)] = 30
    """From the rate to bid and ask, where the operator set no spread for the merchant or the pair."""

    quote_lifetime_seconds: Annotated[int, Field(ge=1)] = 900
    """How long a quote of the desk or a pool can be used; longer for slow bank rails."""
    open_quotes_usd: Decimal = Decimal(1_000_000)
    """What the open quotes of a merchant may come to together."""
    price_tolerance_bps: Annotated[int, Field(ge=0)] = 100
    """A quote is not carried out when the rate has moved further since."""
    pool_guard_bps: Annotated[int, Field(ge=1)] = 200
    """A pool is not used while its price is further from the rate."""
    order_fee_bps: Annotated[Decimal, Field(ge=0, le=1_000)] = Decimal(10)
    """Of a stable order, where the operator has set no other fee."""

    review_above: Decimal = Decimal(1000)
    """Withdrawals of more whole units wait for the operator."""
    second_person_above: Decimal | None = None
    """Withdrawals of more whole units need two people; one is enough when absent."""
    payout_review_above: Decimal = Decimal(10000)
    """Payouts of more whole units of a fiat currency wait for the operator."""
    bank_batch_limit: Annotated[int, Field(ge=1)] = 500
    """Payments that leave for the bank together."""
    bank_account_needs_approval: bool | None = None
    """Whether a person approves bank accounts; by default only outside the sandbox."""
    sub_user_needs_kyb: bool | None = None
    """Whether a sub user must be approved before it gets an account; by default only outside the sandbox."""
    information_deadline_seconds: int = 7 * 24 * 3600
    """How long a merchant has to answer an information request."""
    email_codes_per_hour: Annotated[int, Field(ge=1)] = 5
    """How many codes are sent to one address."""
    whitelist_needs_approval: bool | None = None
    """Whether a person approves addresses; by default only outside the sandbox."""
    whitelist_cooling_seconds: int | None = None
    """From approval until an address is usable; a day by default, nothing in the sandbox."""
    sender_deadline_seconds: int = 7 * 24 * 3600
    """How long a deposit waits for its sender's details."""
    blocked_addresses: list[str] = []
    """Deposits from these addresses are frozen."""
    blocked_names: list[str] = []
    """Deposits of senders of these names are frozen."""
    platform_name: str = "BPN"
    """What this installation is called in travel-rule records."""
    sanctions_dir: Path | None = None
    """A directory of sanction lists (OFAC's SDN as XML or CSV, lists of addresses), read anew when a file changes."""
    watchman_url: str | None = None
    """Where a Moov Watchman answers; asked beside the lists."""
    screening_threshold: int = 90
    """How alike two names must be for a hit, of 100."""

    sweeping: bool = True
    """Whether deposit addresses are swept to the hot wallet, with gas from it."""
    sweep_batch: Annotated[int, Field(ge=1)] = 20
    """The most sweeps of a network under way at once."""
    sweep_recheck_seconds: int = 3600
    """How long an address rests that was not worth its gas."""
    bank: BankSettings | None = None
    """A bank that exchanges files (`BPN_BANK__DIRECTORY` …); in the sandbox a simulated one when absent."""
    mail: MailSettings | None = None
    """A mail server (`BPN_MAIL__HOST` …); the sandbox has a mailbox of its own when absent."""

    kyb_automatic: bool | None = None
    """Whether a rule decides on sub users that no list hits; by default only in the sandbox, where names decide."""

    files_s3: S3Settings | None = None
    """A bucket for merchants' files (`BPN_FILES_S3__BUCKET` …); a directory below the data directory when absent."""
    link_price_seconds: int = 900
    """How long a price stands once a payer has chosen what to pay with."""
    largest_watchers: int = 5000
    """How many may follow hosted pages live, in each API process; others see the page without."""

    collection_link_days: int = 30
    """How long a provider's customer can open its link."""
    collection_accept_seconds: int = 86_400
    """How long a collection order waits for the provider's word before it is EXPIRED."""

    webhook_retention_days: int = 90
    """How long events and their tries are kept."""
    outbox_retention_days: int = 30
    """How long facts are kept after all have heard them."""

    otlp_endpoint: str | None = None
    """Base URL of an OpenTelemetry collector (OTLP over HTTP); nothing is traced when absent."""
    traced_share: Annotated[float, Field(ge=0, le=1)] = 1.0
    """How many of the traces that begin here are kept, 0 to 1; a caller's own choice is followed."""

    @model_validator(mode="before")
    @classmethod
    def _complete_chains(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Fill networks known by name with what is known of them; the sandbox has two by itself."""
        given: dict[str, Any] = {name.upper(): chain for name, chain in (values.get("chains") or {}).items()}
        sandbox = str(values.get("sandbox", True)).lower() not in {"false", "0", "no", "off"}
        names = dict.fromkeys([*(SANDBOX_NETWORKS if sandbox else ()), *given])
        chains = {name: _merge(KNOWN_NETWORKS.get(name, {}), given.get(name, {})) for name in names}
        for name in names if sandbox else ():
            if not chains[name].get("rpc_url") and not chains[name].get("rpc_urls"):
                # Fast enough to watch: the contract's sandbox asks for at most three confirmations.
                chains[name] |= {"confirmations": given.get(name, {}).get("confirmations", 3), "block_seconds": "1"}
        return {**values, "chains": chains}

    @model_validator(mode="after")
    def _check(self) -> Settings:
        silent = [name for name, chain in self.chains.items() if not chain.endpoints]
        if not self.sandbox and silent:
            raise ValueError(f"outside the sandbox every chain needs RPC_URLS; {', '.join(silent)} has none")
        if (self.signer_url is None) != (self.account_public_key is None):
            raise ValueError("BPN_SIGNER_URL and BPN_ACCOUNT_PUBLIC_KEY are set both or neither")
        if "COINMARKETCAP" in self.sources_of_rates and self.coinmarketcap_api_key is None:
            raise ValueError("the source COINMARKETCAP needs BPN_COINMARKETCAP_API_KEY")
        return self

    @property
    def base_url(self) -> str:
        """How others reach this installation."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def simulated_chains(self) -> list[str]:
        """The networks that the sandbox simulates."""
        return [name for name, chain in self.chains.items() if not chain.endpoints]

    @property
    def sources_of_rates(self) -> list[str]:
        """Who is asked for rates, most trusted first."""
        if self.rate_sources is not None:
            return list(self.rate_sources)
        return ["STATIC"] if self.coinmarketcap_api_key is None else ["COINMARKETCAP"]

    @property
    def rate_limit(self) -> int | None:
        """Requests a second of one key; None for as many as it likes."""
        return (None if self.sandbox else 100) if self.requests_per_second is None else self.requests_per_second

    @property
    def kyb_decides_by_rule(self) -> bool:
        """Whether a rule decides on sub users that no list hits."""
        return self.sandbox if self.kyb_automatic is None else self.kyb_automatic

    @property
    def whitelist_approval(self) -> bool:
        """Whether a person approves addresses."""
        return not self.sandbox if self.whitelist_needs_approval is None else self.whitelist_needs_approval

    @property
    def bank_account_approval(self) -> bool:
        """Whether a person approves bank accounts."""
        return not self.sandbox if self.bank_account_needs_approval is None else self.bank_account_needs_approval

    @property
    def sub_user_kyb(self) -> bool:
        """Whether a sub user must be approved before it gets an account."""
        return not self.sandbox if self.sub_user_needs_kyb is None else self.sub_user_needs_kyb

    @property
    def whitelist_cooling(self) -> timedelta:
        """From approval until an address is usable."""
        if self.whitelist_cooling_seconds is not None:
            return timedelta(seconds=self.whitelist_cooling_seconds)
        return timedelta(0) if self.sandbox else timedelta(days=1)


def _merge(known: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """`given` over `known`, tables within tables."""
    merged = dict(known)
    for name, value in given.items():
        before = merged.get(name)
        merged[name] = _merge(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return merged
