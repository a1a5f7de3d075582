"""Secrets at rest: whoever reads every row of the database reads none of them."""

from __future__ import annotations

import psycopg

from installation import Installation, receiving


def everything(url: str) -> str:
    with psycopg.connect(url) as connection:
        names = connection.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname = 'public' AND c.relkind = 'r'"
        ).fetchall()
        return "\n".join(
            str(row) for (name,) in names for row in connection.execute(f"SELECT t::text FROM {name} t").fetchall()
        )


def forms(secret: str) -> list[str]:
    """As text, and as the bytes of a column are shown."""
    return [secret, secret.encode().hex()]


async def test_no_secret_stands_in_the_database(house: Installation) -> None:
    async with receiving() as receiver:
        merchant = await house.merchant()
        made = await merchant.order(
            "/v1/webhook/endpoint/set", {"url": receiver.url}, **{"Idempotency-Key": "endpoint-1"}
        )
        again = await merchant.order(
            "/v1/webhook/endpoint/set", {"url": receiver.url}, **{"Idempotency-Key": "endpoint-1"}
        )
        assert again.data == made.data
        stored = everything(house.parts.database_url)
        assert merchant.api_key in stored
        for secret in (merchant.api_secret, made.data["secret"]):
            for form in forms(secret):
                assert form not in stored
