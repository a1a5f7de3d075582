"""The KYB chapter over HTTP: path, schema in, operation, schema out."""

from __future__ import annotations

from bpn.api.route import Merchant, Permission, Transaction, get, post
from bpn.chapters.kyb import errors, operations, schemas
from bpn.chapters.kyb.model import KybTerms
from bpn.kernel.errors import InvalidState

_BODY_LIMIT = 36 * 1024 * 1024
"""Five documents of 5 MiB each in base64, and the details."""


class KybRoutes:
    """The chapter's operations."""

    def __init__(self, terms: KybTerms) -> None:
        self._terms = terms

    @post(
        "/v1/kyb/share",
        title="Share KYB/KYC Info For Sub User",
        source="public",
        permission=Permission.TRADE,
        claim_field="request_id",
        body_limit=_BODY_LIMIT,
        refusals=(InvalidState,),
    )
    async def share_kyb(
        self, tx: Transaction, merchant: Merchant, request: schemas.ShareRequest
    ) -> schemas.SubUserStatus:
        """Share who a customer is: a new sub user, or the answer to what was asked of one."""
        sub_user = await operations.share_kyb(self._terms, tx, merchant.merchant_id, request.sharing())
        return schemas.SubUserStatus.of(sub_user)

    @get(
        "/v1/kyb/user",
        title="Get KYB Sub User Status",
        source="public",
        refusals=(errors.SubUserNotFound,),
    )
    async def get_kyb_status(
        self, tx: Transaction, merchant: Merchant, query: schemas.KybQuery
    ) -> schemas.SubUserStatus:
        """How far a sub user is, what is asked of it, why it was rejected."""
        sub_user = await operations.get_kyb_status(
            tx,
            merchant.merchant_id,
            sub_user_id=None if query.sub_user_id is None else int(query.sub_user_id),
            partner_user_id=query.partner_user_id,
        )
        return schemas.SubUserStatus.of(sub_user)
