"""What a chapter's pages are made with: templates that escape, a reader's language, answers under one policy."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from bpn.api.pages.languages import LANGUAGES, Language, choose_language, load_languages
from bpn.api.pages.static_files import StaticFiles
from bpn.api.tracing import trace_id_of

_OWN = Path(__file__).parent
_LANGUAGE_COOKIE = "bpn_language"
_LANGUAGE_KEPT_SECONDS = 365 * 24 * 3600
_DIGEST_DIGITS = 16

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self';"
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""Nothing from elsewhere, nothing inline, no frame around us."""

_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # The address of a page is a secret of those who pay with it.
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "Cache-Control": "no-store",
}


class PageKit:
    """Renders the templates of one chapter.

    Args of the constructor:
        folder: the chapter's `pages`, with `templates/` and `words/`, which stand beside the house's own.
        secure: whether readers come by https; then browsers are told to come no other way.
    """

    def __init__(self, folder: Path, *, secure: bool) -> None:
        self._languages = load_languages([_OWN / "words", folder / "words"])
        self._static = StaticFiles([_OWN / "static"])
        self._environment = Environment(
            loader=FileSystemLoader([folder / "templates", _OWN / "templates"]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals["static"] = self._static.path
        self._secure = secure

    def static_route(self) -> Route:
        """Serves the files that all pages share; to be mounted once."""
        return self._static.route()

    def language(self, request: Request) -> Language:
        """The language of whoever asks."""
        code = choose_language(
            request.query_params.get("lang"),
            request.cookies.get(_LANGUAGE_COOKIE),
            request.headers.get("accept-language", ""),
        )
        return self._languages[code]

    def language_of(self, code: str) -> Language:
        """A language by its code; KeyError when it is not spoken here."""
        return self._languages[code]

    def fragment(self, template: str, language: Language, **context: object) -> str:
        """A part of a page."""
        return self._environment.get_template(template).render(t=language.say, language=language, **context)

    def page(self, request: Request, template: str, *, status: int = 200, **context: object) -> Response:
        """A whole page in the reader's language; a language chosen by the address is kept on the device."""
        language = self.language(request)
        switch = [(code, name, f"?lang={code}") for code, name in LANGUAGES.items()]
        body = self.fragment(template, language, switch=switch, **context)
        response = HTMLResponse(body, status, {**self._headers(request), "Vary": "Accept-Language, Cookie"})
        if request.query_params.get("lang") == language.code:
            response.set_cookie(
                _LANGUAGE_COOKIE,
                language.code,
                max_age=_LANGUAGE_KEPT_SECONDS,
                secure=self._secure,
                httponly=True,
                samesite="lax",
            )
        return response

    def redirect(self, request: Request, path: str) -> Response:
        """Send the reader to a path of ours, to be read with GET: what follows a form that was taken."""
        return RedirectResponse(path, 303, self._headers(request))

    def _headers(self, request: Request) -> dict[str, str]:
        headers = {**_HEADERS, "X-Trace-Id": trace_id_of(request.headers.get("traceparent", "").encode())}
        if self._secure:
            headers["Strict-Transport-Security"] = "max-age=31536000"
        return headers


def digest_of(text: str | Markup) -> str:
    """A short name of a content, to tell whether a page has changed."""
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_DIGITS]
