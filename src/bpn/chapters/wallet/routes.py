"""The wallet chapter over HTTP: path, schema in, operation, schema out."""

from __future__ import annotations

from collections.abc import Sequence

from bpn.api.fields import Page, PageRequest, page_of, parse_amount
from bpn.api.route import Call, Merchant, Permission, Transaction, get, post
from bpn.chapters.wallet import errors, operations, schemas
from bpn.chapters.wallet.model import WalletTerms
from bpn.chapters.wallet.operations.balances import BalanceQuery
from bpn.chapters.wallet.operations.transfers import TransferCommand
from bpn.chapters.wallet.operations.whitelist import WhitelistCommand
from bpn.chapters.wallet.operations.withdrawals import WithdrawalCommand
from bpn.kernel.errors import InvalidState, Refusal

_NOT_OFFERED = (errors.UnsupportedCurrency, errors.UnsupportedNetwork)


class WalletRoutes:
    """The chapter's operations on the terms that the operator set."""

    def __init__(self, terms: WalletTerms) -> None:
        self._terms = terms

    @get("/v1/wallet/list", title="List Wallets", source="public-name")
    async def list_wallets(
        self, tx: Transaction, merchant: Merchant, query: schemas.WalletQuery
    ) -> Page[schemas.Wallet]:
        """All wallets of the merchant, newest first."""
        page = PageRequest.of(query)
        found = await operations.list_wallets(
            tx,
            merchant.merchant_id,
            wallet_type=query.wallet_type,
            name=query.name,
            before=page.before,
            offset=page.offset,
            limit=page.size,
        )
        return page_of(page, found.total, found.wallets, schemas.Wallet.of, lambda wallet: wallet.address_index)

    @get("/v1/wallet/sub-account/list", title="List Sub Account", source="public-name")
    async def list_sub_accounts(
        self, tx: Transaction, merchant: Merchant, query: schemas.SubAccountQuery
    ) -> Page[schemas.Wallet]:
        """The sub-accounts of the merchant, newest first."""
        page = PageRequest.of(query)
        found = await operations.list_sub_accounts(
            tx, merchant.merchant_id, name=query.name, before=page.before, offset=page.offset, limit=page.size
        )
        return page_of(page, found.total, found.wallets, schemas.Wallet.of, lambda wallet: wallet.address_index)

    @post(
        "/v1/wallet/sub-account/create",
        title="Create Sub Account",
        source="public-name",
        permission=Permission.TRADE,
        claim_field="requestId",
        refusals=(errors.WalletNameTaken,),
    )
    async def create_sub_account(
        self, tx: Transaction, merchant: Merchant, request: schemas.SubAccountRequest
    ) -> schemas.Wallet:
        """Open a wallet of type `sub` with balances and addresses of its own."""
        wallet = await operations.create_sub_account(tx, merchant.merchant_id, request.name, request.merchant_user_id)
        return schemas.Wallet.of(wallet)

    @post(
        "/v1/wallet/internal-transfer",
        title="Wallet Internal Transfer",
        source="public-name",
        permission=Permission.TRADE,
        claim_field="merchantTransactionId",
        batches=True,
        refusals=(*_NOT_OFFERED, errors.ServicePaused, errors.WalletNotFound, errors.InsufficientBalance),
    )
    async def transfer_between_wallets(
        self, tx: Transaction, calls: Sequence[Call[schemas.TransferRequest]]
    ) -> list[schemas.TransactionRecord | Refusal]:
        """Move a stablecoin between two wallets of the merchant: at once, without fee, all or nothing."""
        results: dict[int, schemas.TransactionRecord | Refusal] = {}
        commands: dict[int, TransferCommand] = {}
        for place, call in enumerate(calls):
            try:
                commands[place] = self._transfer_command(call)
            except Refusal as refusal:
                results[place] = refusal
        outcomes = await operations.transfer_between_wallets(self._terms, tx, list(commands.values()))
        for place, outcome in zip(commands, outcomes, strict=True):
            results[place] = outcome if isinstance(outcome, Refusal) else schemas.TransactionRecord.of(outcome)
        return [results[place] for place in range(len(calls))]

    def _transfer_command(self, call: Call[schemas.TransferRequest]) -> TransferCommand:
        request = call.request
        token = operations.find_token(self._terms, request.currency, request.network)
        return TransferCommand(
            call.merchant.merchant_id,
            request.merchant_transaction_id,
            request.from_wallet_id,
            request.to_wallet_id,
            parse_amount(request.amount, token.asset),
            request.remark,
        )

    @get(
        "/v1/wallet/internal-transfer/detail",
        title="Query Wallet Internal Transfer Detail",
        source="public-name",
        refusals=(errors.TransactionNotFound,),
    )
    async def get_wallet_transfer(
        self, tx: Transaction, merchant: Merchant, query: schemas.TransferQuery
    ) -> schemas.TransactionRecord:
        """One internal transfer, by `transactionId` or by `merchantTransactionId`."""
        transaction = await operations.get_wallet_transfer(
            tx,
            merchant.merchant_id,
            transaction_id=None if query.transaction_id is None else int(query.transaction_id),
            merchant_transaction_id=query.merchant_transaction_id,
        )
        return schemas.TransactionRecord.of(transaction)

    @get(
        "/v1/wallet/internal-transfer/list",
        title="List Wallet Internal Transfer order",
        source="public-name",
        refusals=(errors.WalletNotFound, errors.UnsupportedCurrency),
    )
    async def list_wallet_transfers(
        self, tx: Transaction, merchant: Merchant, query: schemas.TransferListQuery
    ) -> Page[schemas.TransactionRecord]:
        """The internal transfers of the merchant, newest first."""
        page = PageRequest.of(query)
        found = await operations.list_wallet_transfers(
            self._terms,
            tx,
            merchant.merchant_id,
            query.filters(),
            before=page.before,
            offset=page.offset,
            limit=page.size,
        )
        return page_of(
            page, found.total, found.transactions, schemas.TransactionRecord.of, lambda row: row.transaction_id
        )

    @get(
        "/v1/wallet/asset-balance",
        title="Get Asset Balance",
        source="public",
        batches=True,
        refusals=(errors.UnsupportedCurrency, errors.WalletNotFound),
    )
    async def get_asset_balance(
        self, tx: Transaction, calls: Sequence[Call[schemas.AssetBalanceQuery]]
    ) -> list[schemas.AssetBalance | Refusal]:
        """What a wallet holds, by currency and network, and what it is worth in USD."""
        queries = [
            BalanceQuery(call.merchant.merchant_id, call.request.wallet_id, call.request.currency) for call in calls
        ]
        balances = await operations.get_asset_balance(self._terms, tx, queries)
        names = dict(self._terms.currency_names)
        return [
            balance if isinstance(balance, Refusal) else schemas.AssetBalance.of(balance, names, query.currency)
            for balance, query in zip(balances, queries, strict=True)
        ]

    @get(
        "/v1/wallet/deposit-address",
        title="Get Deposit Address",
        source="public-name",
        refusals=(*_NOT_OFFERED, errors.WalletNotFound, errors.ServicePaused),
    )
    async def get_deposit_address(
        self, tx: Transaction, merchant: Merchant, query: schemas.DepositAddressQuery
    ) -> schemas.WalletAddress:
        """Where to send a currency on a network so that it reaches the wallet: the same address forever."""
        address = await operations.get_deposit_address(
            self._terms, tx, merchant.merchant_id, query.wallet_id, query.currency, query.network
        )
        return schemas.WalletAddress.of(address)

    @post(
        "/v1/wallet/add-deposit-sender",
        title="Add Deposit Sender",
        source="public",
        permission=Permission.TRADE,
        refusals=(errors.TransactionNotFound, InvalidState),
    )
    async def add_deposit_sender(
        self, tx: Transaction, merchant: Merchant, request: schemas.DepositSenderRequest
    ) -> schemas.TransactionRecord:
        """Say who sent a confirmed deposit (travel rule); it is screened, then released to the wallet."""
        request.check()
        transaction = await operations.add_deposit_sender(
            self._terms,
            tx,
            merchant.merchant_id,
            transaction_id=None if request.transaction_id is None else int(request.transaction_id),
            hash_=request.hash,
            details=request.details(),
        )
        return schemas.TransactionRecord.of(transaction)

    @post(
        "/v1/wallet/add-withdraw-whitelist",
        title="Add Withdraw Whitelist",
        source="public-name",
        permission=Permission.WITHDRAW,
        claim_field="requestId",
        refusals=(*_NOT_OFFERED, InvalidState),
    )
    async def add_withdraw_whitelist(
        self, tx: Transaction, merchant: Merchant, request: schemas.WhitelistRequest
    ) -> schemas.WhitelistEntry:
        """Ask for an address to be allowed for withdrawals."""
        entry = await operations.add_withdraw_whitelist(
            self._terms,
            tx,
            WhitelistCommand(
                merchant.merchant_id,
                request.currency,
                request.network,
                request.address,
                request.tag,
                request.alias,
                request.address_type,
                request.known_beneficiary(),
            ),
        )
        return schemas.WhitelistEntry.of(entry)

    @get("/v1/wallet/withdraw-whitelist/list", title="List Withdraw Whitelist", source="ours")
    async def list_withdraw_whitelist(
        self, tx: Transaction, merchant: Merchant, query: schemas.WhitelistQuery
    ) -> Page[schemas.WhitelistEntry]:
        """The addresses on the whitelist, newest first."""
        page = PageRequest.of(query)
        found = await operations.list_withdraw_whitelist(
            self._terms,
            tx,
            merchant.merchant_id,
            currency=query.currency,
            network=query.network,
            status=query.status,
            before=page.before,
            offset=page.offset,
            limit=page.size,
        )
        return page_of(page, found.total, found.entries, schemas.WhitelistEntry.of, lambda entry: entry.whitelist_id)

    @post(
        "/v1/wallet/delete-withdraw-whitelist",
        title="Delete Withdraw Whitelist",
        source="public-name",
        permission=Permission.WITHDRAW,
        refusals=(*_NOT_OFFERED, errors.WhitelistEntryNotFound),
    )
    async def delete_withdraw_whitelist(
        self, tx: Transaction, merchant: Merchant, request: schemas.DeleteWhitelistRequest
    ) -> schemas.WhitelistEntry:
        """Take an address off the whitelist at once; withdrawals already accepted go on."""
        entry = await operations.delete_withdraw_whitelist(
            self._terms,
            tx,
            merchant.merchant_id,
            whitelist_id=None if request.whitelist_id is None else int(request.whitelist_id),
            currency=request.currency,
            network=request.network,
            address=request.address,
        )
        return schemas.WhitelistEntry.of(entry)

    @post(
        "/v1/wallet/withdraw",
        title="Request Withdraw",
        source="public-name",
        permission=Permission.WITHDRAW,
        claim_field="merchantTransactionId",
        refusals=(
            *_NOT_OFFERED,
            errors.WalletNotFound,
            errors.AmountTooSmall,
            errors.AddressNotWhitelisted,
            errors.AddressCooling,
            errors.InsufficientBalance,
            errors.LimitExceeded,
            errors.ServicePaused,
        ),
    )
    async def request_withdrawal(
        self, tx: Transaction, merchant: Merchant, request: schemas.WithdrawRequest
    ) -> schemas.Withdrawal:
        """Send a stablecoin to a whitelisted address; amount and fee are held until the chain has decided."""
        token = operations.find_token(self._terms, request.currency, request.network)
        command = WithdrawalCommand(
            merchant.merchant_id,
            request.merchant_transaction_id,
            request.wallet_id,
            token,
            request.address,
            parse_amount(request.amount, token.asset),
            request.remark,
        )
        return schemas.Withdrawal.of(await operations.request_withdrawal(self._terms, tx, command))

    @post(
        "/v1/wallet/withdraw/cancel",
        title="Cancel Withdraw",
        source="ours",
        permission=Permission.WITHDRAW,
        refusals=(errors.TransactionNotFound, InvalidState),
    )
    async def cancel_withdrawal(
        self, tx: Transaction, merchant: Merchant, request: schemas.CancelWithdrawalRequest
    ) -> schemas.Withdrawal:
        """Call back a withdrawal that is still REVIEWING; what was held is free again."""
        transaction = await operations.cancel_withdrawal(
            tx, merchant.merchant_id, transaction_id=int(request.transaction_id)
        )
        return schemas.Withdrawal.of(transaction)

    @get(
        "/v1/wallet/history",
        title="Query Transaction History",
        source="public",
        refusals=(errors.UnsupportedCurrency, errors.WalletNotFound),
    )
    async def list_transactions(
        self, tx: Transaction, merchant: Merchant, query: schemas.HistoryQuery
    ) -> Page[schemas.TransactionRecord]:
        """Deposits, withdrawals and transfers of the merchant, newest first."""
        page = PageRequest.of(query)
        found = await operations.list_transactions(
            self._terms,
            tx,
            merchant.merchant_id,
            query.filters(),
            before=page.before,
            offset=page.offset,
            limit=page.size,
        )
        return page_of(
            page, found.total, found.transactions, schemas.TransactionRecord.of, lambda row: row.transaction_id
        )

    @get("/v1/wallet/currency-network-config", title="Wallet Currency Network Config", source="ours")
    async def get_wallet_network_config(
        self, tx: Transaction, merchant: Merchant, query: schemas.NetworkConfigQuery
    ) -> schemas.NetworkConfigList:
        """Per currency and network: contract, scale, minimums, fee, confirmations, what is enabled."""
        networks = await operations.get_wallet_network_config(self._terms, tx, merchant.merchant_id)
        return schemas.NetworkConfigList.of(networks, query)
