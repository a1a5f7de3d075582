"""Making a merchant: what its chapters need from the first day on."""

from __future__ import annotations

from dataclasses import dataclass

from bpn.chapters.accounts import operations as accounts
from bpn.chapters.wallet import operations as wallet
from bpn.chapters.webhooks import operations as webhooks
from bpn.chapters.webhooks.operations import EndpointCommand
from bpn.merchants import operations as merchants
from bpn.merchants.model import Merchant, NewApiKey
from bpn.wiring.house import House


@dataclass(frozen=True, slots=True)
class Onboarding:
    """A merchant just made: its key (the secret is shown once), its primary wallet, its webhook endpoint."""

    merchant: Merchant
    key: NewApiKey
    primary_wallet_id: int
    webhook_endpoint_id: int | None
    webhook_secret: str | None


async def onboard_merchant(house: House, name: str, webhook_url: str | None) -> Onboarding:
    """Make a merchant with a key of all permissions, a primary wallet and, if asked for, a webhook endpoint."""
    async with house.database.transaction() as tx:
        merchant = await merchants.create_merchant(tx, name)
        key = await merchants.create_api_key(tx, house.cipher, merchant.merchant_id)
        primary = await wallet.open_primary_wallet(tx, merchant.merchant_id)
        if house.settings.sandbox:
            await accounts.provision_all_masters(tx, merchant.merchant_id)
        endpoint = None
        if webhook_url is not None:
            endpoint = await webhooks.set_webhook_endpoint(
                house.webhook_terms, tx, merchant.merchant_id, EndpointCommand(None, webhook_url, None, None, None)
            )
        return Onboarding(
            merchant,
            key,
            primary.wallet_id,
            None if endpoint is None else endpoint.endpoint_id,
            None if endpoint is None else endpoint.secret,
        )


async def revoke_api_key(house: House, api_key: str, successor: str | None) -> None:
    """Revoke a key, and let its successor sign the webhooks that it signed.

    Raises:
        ApiKeyNotFound: no such key, or revoked before.
        ApiKeyInUse: it signs webhooks, and no successor is given.
        ApiKeyNotUsable: the successor is not another living key of the merchant.
    """
    async with house.database.transaction() as tx:
        credential = await merchants.find_credential(tx, house.cipher, api_key)
        if credential is not None:
            merchant_id = credential.merchant.merchant_id
            await webhooks.hand_over_signing(house.webhook_terms, tx, merchant_id, api_key, successor)
        await merchants.revoke_api_key(tx, api_key)
