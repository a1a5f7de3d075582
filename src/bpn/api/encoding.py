"""JSON in and out: numbers from their literal text, decimals printed exactly, the envelope around every answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson
from pydantic import BaseModel, ValidationError

from bpn.api.errors import MalformedJson, http_status
from bpn.api.fields import NumberLiteral
from bpn.kernel.errors import FieldError, InvalidRequest, Refusal
from bpn.kernel.money import format_decimal

_LARGEST_ERRORS = 20


def decode_body(body: bytes) -> dict[str, Any]:
    """A JSON object; numbers that are not integers come as `NumberLiteral`.

    Raises:
        MalformedJson: not UTF-8, not JSON (NaN and Infinity are not), nested too deep, or not an object.
        InvalidRequest: a text holds the character NUL, which no database keeps.
    """
    try:
        # The strict reader first: it bounds the depth, which the one that keeps numbers' literals does not.
        orjson.loads(body)
        value = json.loads(body, parse_float=NumberLiteral)
    except ValueError:
        raise MalformedJson("The body is not valid JSON.") from None
    if not isinstance(value, dict):
        raise MalformedJson("The body must be a JSON object.")
    if b"\\u0000" in body:
        for name, inner in value.items():
            check_text(name, json.dumps(inner, default=str, ensure_ascii=False))
    return value


def check_text(name: str, text: str) -> None:
    """Raise InvalidRequest where a text, or JSON with one in it, holds the character NUL."""
    if "\x00" in text or "\\u0000" in text:
        raise InvalidRequest.of(name, "must not hold the character NUL")


def invalid_request(error: ValidationError) -> InvalidRequest:
    """The fields that pydantic refused, as the wire names them."""
    errors = [
        FieldError(".".join(str(part) for part in fault["loc"]) or "body", _reason(fault["msg"]))
        for fault in error.errors(include_url=False, include_context=False, include_input=False)[:_LARGEST_ERRORS]
    ]
    sentence = "; ".join(f"{fault.field}: {fault.reason}" for fault in errors[:3])
    return InvalidRequest(f"The request is invalid: {sentence}.", errors)


def _reason(message: str) -> str:
    message = message.removeprefix("Value error, ").removeprefix("Input ")
    return "is required" if message == "Field required" else message[:1].lower() + message[1:]


def encode_data(answer: BaseModel) -> bytes:
    """The `data` of an answer."""
    return encode_json(answer.model_dump(by_alias=True))


def encode_json(value: Mapping[str, object]) -> bytes:
    """JSON with decimals as numbers, printed exactly in plain notation."""
    return orjson.dumps(value, default=_encode_decimal)


def _encode_decimal(value: object) -> object:
    if isinstance(value, Decimal):
        return orjson.Fragment(format_decimal(value))
    raise TypeError(type(value).__name__)


def envelope(trace_id: str, data: bytes) -> bytes:
    """A good answer."""
    return b'{"status":200,"msg":null,"code":null,"traceId":"%b","data":%b}' % (trace_id.encode(), data)


def refusal_envelope(trace_id: str, refusal: Refusal) -> bytes:
    """A refusal; `data` lists the fields at fault, if any."""
    errors = [{"field": fault.field, "reason": fault.reason} for fault in refusal.errors]
    return _bad_envelope(http_status(refusal), refusal.message, refusal.code, trace_id, errors)


def fault_envelope(trace_id: str) -> bytes:
    """A fault of ours: tells nothing but the trace id."""
    return _bad_envelope(500, "Something went wrong here. Quote the trace id.", "INTERNAL_ERROR", trace_id, [])


def _bad_envelope(status: int, message: str, code: str, trace_id: str, errors: list[dict[str, str]]) -> bytes:
    return orjson.dumps(
        {
            "status": status,
            "msg": message,
            "code": code,
            "traceId": trace_id,
            "data": {"errors": errors} if errors else None,
        }
    )
