"""Static files of pages: in memory, each under an address that changes with its content, so that it keeps for ever."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PREFIX = "/static"
_HASH_DIGITS = 16
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Vary": "Accept-Encoding",
}


@dataclass(frozen=True, slots=True)
class _File:
    path: str
    media_type: str
    plain: bytes
    packed: bytes


class StaticFiles:
    """The files of these folders, read once."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._files = {
            path.name: _file(path) for folder in folders for path in sorted(folder.iterdir()) if path.suffix in _TYPES
        }
        self._by_path = {file.path: file for file in self._files.values()}

    def path(self, name: str) -> str:
        """Where a file is served; KeyError when there is none of this name."""
        return self._files[name].path

    def route(self) -> Route:
        """Serves them all."""
        return Route(f"{PREFIX}/{{digest}}/{{name}}", self._serve)

    async def _serve(self, request: Request) -> Response:
        file = self._by_path.get(request.url.path)
        if file is None:
            return Response(status_code=404)
        headers = dict(_HEADERS)
        body = file.plain
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            body = file.packed
        return Response(body, media_type=file.media_type, headers=headers)


def _file(path: Path) -> _File:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:_HASH_DIGITS]
    return _File(
        f"{PREFIX}/{digest}/{path.name}", _TYPES[path.suffix], content, gzip.compress(content, mtime=0)
    )  # fmt: skip
