"""The mailbox in a browser: a list, each message, and the same as JSON for programs."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from dataclasses import asdict
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from bpn.adapters.mail.mailbox.folder import MailFolder, ReceivedMail

_PATH = "/sandbox/mailbox"
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.5rem;border-bottom:1px solid #ddd}"
    "pre{white-space:pre-wrap;background:#f6f6f6;padding:1rem;border-radius:.5rem}"
)
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_DIGEST}'; frame-ancestors 'none';"
    " form-action 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def mailbox_pages(folder: MailFolder) -> list[Route]:
    """The routes below `/sandbox/mailbox`."""

    async def show_list(_request: Request) -> Response:
        mails = await asyncio.to_thread(folder.messages)
        return _page("Mailbox", _table(mails) if mails else "<p>No message has come yet.</p>")

    async def show_message(request: Request) -> Response:
        mail = await asyncio.to_thread(folder.find, request.path_params["name"])
        if mail is None:
            return _page("No such message", f'<p><a href="{_PATH}">Mailbox</a></p>', status=404)
        return _page(mail.subject, _message(mail))

    async def list_messages(request: Request) -> Response:
        mails = await asyncio.to_thread(folder.messages, request.query_params.get("to"))
        return JSONResponse({"list": [asdict(mail) for mail in mails]}, headers={"Cache-Control": "no-store"})

    return [
        Route(_PATH, show_list),
        Route(f"{_PATH}/messages.json", list_messages),
        Route(f"{_PATH}/{{name}}", show_message),
    ]


def _table(mails: list[ReceivedMail]) -> str:
    rows = "".join(
        f"<tr><td>{escape(mail.time)}</td><td>{escape(mail.to)}</td>"
        f'<td><a href="{_PATH}/{escape(mail.name)}">{escape(mail.subject or "(no subject)")}</a></td></tr>'
        for mail in mails
    )
    return f"<table><thead><tr><th>Time</th><th>To</th><th>Subject</th></tr></thead><tbody>{rows}</tbody></table>"


def _message(mail: ReceivedMail) -> str:
    return (
        f'<p><a href="{_PATH}">Mailbox</a></p><p>From {escape(mail.sender)}<br>To {escape(mail.to)}'
        f"<br>{escape(mail.time)}</p><pre>{escape(mail.text)}</pre>"
    )


def _page(title: str, body: str, status: int = 200) -> Response:
    return HTMLResponse(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>{body}</body></html>",
        status_code=status,
        headers=_HEADERS,
    )
