"""Schemathesis explores every operation with signed requests: no 5xx, no answer that the document does not know."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from bpn.adapters.postgres.embedded import EmbeddedPostgres
from bpn.client import signed_headers
from conftest import copy_database
from installation import Installation, Merchant, open_installation

DOCUMENT: dict[str, Any] = json.loads((Path(__file__).parents[2] / "docs" / "reference" / "openapi.json").read_text())
OPERATIONS = [(path, method) for path, methods in DOCUMENT["paths"].items() for method in methods]
EXAMPLES = max(4, 400 // len(OPERATIONS))
"""Of each operation and mode; fewer as the API grows, so that the whole takes about a minute."""
CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
SILENCED = "/v1/mock/"
"""What may answer 503 here: one of these operations is told to silence the chain that they need."""


@pytest.fixture(scope="module")
async def house(server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """An installation of its own: its clock and its chains are played with."""
    async with open_installation(copy_database(server), tmp_path_factory.mktemp("explored")) as installation:
        yield installation


@pytest.fixture(scope="module")
async def merchant(house: Installation) -> Merchant:
    merchant = await house.merchant()
    await merchant.receive("1000")
    return merchant


def signed(merchant: Merchant, made: dict[str, Any]) -> requests.PreparedRequest:
    """A request as schemathesis made it, with the three headers over what really goes out."""
    prepared = requests.Request(**made).prepare()
    body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body or b""
    content = body if prepared.method == "POST" else str(prepared.url).partition("?")[2].encode()
    prepared.headers.update(signed_headers(merchant.api_key, merchant.api_secret, content, merchant.timestamp()))
    return prepared


def explore(merchant: Merchant, path: str, method: str, mode: GenerationMode) -> int:
    """Send what schemathesis thinks of; the number of requests."""
    schema = schemathesis.openapi.from_dict(DOCUMENT)
    sent = 0
    with requests.Session() as session:
        session.trust_env = False

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=schema[path][method.upper()].as_strategy(generation_mode=mode))
        def run(case: schemathesis.Case) -> None:
            nonlocal sent
            made = case.as_transport_kwargs(base_url=merchant.installation.base_url)
            response = session.send(signed(merchant, made), timeout=30)
            sent += 1
            is_silenced = path.startswith(SILENCED) and response.json()["code"] == "UNAVAILABLE"
            case.validate_response(response, checks=CHECKS if is_silenced else [not_a_server_error, *CHECKS])

        run()
    return sent


@pytest.mark.parametrize(("path", "method"), OPERATIONS, ids=lambda part: part)
async def test_every_answer_is_documented(merchant: Merchant, path: str, method: str) -> None:
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        assert await asyncio.to_thread(explore, merchant, path, method, mode) > 0
