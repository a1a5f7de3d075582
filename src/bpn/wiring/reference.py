"""The reference that is written from the code: the OpenAPI document, errors, events, operations, settings."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from bpn.api.errors import http_status
from bpn.api.route import Route
from bpn.kernel.errors import Refusal
from bpn.settings import ChainSettings, Settings, TokenSettings
from bpn.wiring.api import described_api
from bpn.wiring.chapters.catalogue import routes
from bpn.wiring.events.catalogue import event_descriptions
from bpn.wiring.house import House

BASE_URL = "http://127.0.0.1:8000"


def reference(house: House) -> Mapping[str, str]:
    """The files of docs/reference by name. A sandbox's house, so that its routes are in."""
    listed = routes(house)
    return {
        "openapi.json": orjson.dumps(described_api(listed, BASE_URL), option=orjson.OPT_INDENT_2).decode() + "\n",
        "errors.md": _errors(),
        "events.md": _events(),
        "operations.md": _operations(listed),
        "settings.md": _settings(),
    }


def _page(title: str, introduction: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    table = [heads, ["---"] * len(heads), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    lines = [f"# {title}", "", introduction, "", *(f"| {' | '.join(cells)} |" for cells in table)]
    return "\n".join(lines) + "\n"


def _errors() -> str:
    # Chapters that refuse for the same reason say so in the same sentence.
    rows = sorted(
        {
            (str(http_status(refusal)), f"`{refusal.code}`", _sentence(refusal))
            for refusal in set(_refusals(Refusal))
            if "code" in vars(refusal)
        }
    )
    rows.append(("500", "`INTERNAL_ERROR`", "A fault on our side; quote the trace id."))
    introduction = "Every refusal has one of these codes. A code never changes its meaning; new ones may be added."
    return _page("Errors", introduction, ["HTTP", "Code", "Meaning"], rows)


def _refusals(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    for refusal in kind.__subclasses__():
        yield refusal
        yield from _refusals(refusal)


def _events() -> str:
    rows = [(f"`{event.event_type}`", event.description, f"`{event.data.__name__}`") for event in event_descriptions()]
    introduction = "What is posted to webhook endpoints. The schemas of `data` are in `openapi.json` under `webhooks`."
    return _page("Events", introduction, ["eventType", "When", "data"], rows)


def _operations(listed: Sequence[Route]) -> str:
    rows = [
        (f"`{route.operation}`", f"`{route.method} {route.path}`", route.permission.value, route.source, _first(route))
        for route in listed
    ]
    introduction = "Every operation of the API. `source` says whether path and name are the public reference's or ours."
    return _page("Operations", introduction, ["Operation", "Path", "Permission", "Source", "What it does"], rows)


def _first(route: Route) -> str:
    return route.description.splitlines()[0]


def _settings() -> str:
    rows = [
        *_options(Settings, "BPN_"),
        *_options(ChainSettings, "BPN_CHAINS__<NAME>__"),
        *_options(TokenSettings, "BPN_CHAINS__<NAME>__TOKENS__<CURRENCY>__"),
    ]
    introduction = "Options are environment variables. Those of a network and of a token on it have its name in theirs."
    return _page("Settings", introduction, ["Variable", "Default", "Meaning"], rows)


def _options(settings: type[BaseModel], prefix: str) -> list[tuple[str, str, str]]:
    return [
        (
            f"`{prefix}{name.upper()}`",
            _default(field.get_default(call_default_factory=True)),
            " ".join((field.description or "").split()),
        )
        for name, field in settings.model_fields.items()
    ]


def _default(value: Any) -> str:
    return "" if value in (None, [], {}, PydanticUndefined) else f"`{value}`"


def _sentence(refusal: type[Refusal]) -> str:
    return " ".join((inspect.getdoc(refusal) or "").split("\n\n", maxsplit=1)[0].split())
