"""What stands around the API's paths: the document and its reader, health, metrics. No envelope here, save for 404."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from importlib.resources import files
from typing import Any

from fastapi.openapi.docs import get_swagger_ui_html
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from bpn.api.encoding import refusal_envelope
from bpn.api.errors import MethodNotAllowed, RouteNotFound, http_status
from bpn.api.tracing import trace_id_of
from bpn.kernel.errors import Refusal

Readiness = Callable[[], Awaitable[Mapping[str, str | None]]]
"""By name of what is checked: None when it is well, else what is wrong."""


def surroundings(document: Mapping[str, Any], readiness: Readiness, pages: Sequence[BaseRoute]) -> Starlette:
    """The application for everything but the API's own paths.

    Args:
        document: the OpenAPI document.
        readiness: what `/health/ready` reports; all None answers 200, else 503.
        pages: what chapters show to people.
    """

    async def openapi(_request: Request) -> Response:
        return JSONResponse(dict(document))

    async def docs(_request: Request) -> Response:
        return get_swagger_ui_html(
            openapi_url="/openapi.json",
            title="BPN API",
            swagger_js_url="/docs/assets/swagger-ui-bundle.js",
            swagger_css_url="/docs/assets/swagger-ui.css",
            swagger_favicon_url="/docs/assets/favicon.png",
        )

    async def live(_request: Request) -> Response:
        return JSONResponse({"status": "live"})

    async def ready(_request: Request) -> Response:
        checks = await readiness()
        well = not any(checks.values())
        body = {
            "status": "ready" if well else "not ready",
            "checks": {name: fault or "ok" for name, fault in checks.items()},
        }
        return JSONResponse(body, status_code=200 if well else 503)

    async def metrics(_request: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    async def home(_request: Request) -> Response:
        return RedirectResponse("/docs")

    def refusing(refusal: Refusal) -> Callable[[Request, Exception], Awaitable[Response]]:
        async def refuse(request: Request, _error: Exception) -> Response:
            trace_id = trace_id_of(request.headers.get("traceparent", "").encode())
            body = refusal_envelope(trace_id, refusal)
            return Response(body, http_status(refusal), {"X-Trace-Id": trace_id}, media_type="application/json")

        return refuse

    assets = StaticFiles(directory=str(files("fastapi_offline") / "static"))
    return Starlette(
        routes=[
            Route("/", home),
            Route("/openapi.json", openapi),
            Route("/docs", docs),
            Mount("/docs/assets", assets),
            Route("/health/live", live),
            Route("/health/ready", ready),
            Route("/metrics", metrics),
            *pages,
        ],
        exception_handlers={
            404: refusing(RouteNotFound("There is nothing at this path; the operations are listed at /docs.")),
            405: refusing(MethodNotAllowed("This path is read with GET.")),
        },
    )
