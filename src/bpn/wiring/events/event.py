"""What wiring says of one type of event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from bpn.chapters.webhooks.model import RenderedEvent


@dataclass(frozen=True, slots=True)
class Event:
    """A type of event: the facts that become it and how each is told.

    Attributes:
        event_type: its name on the wire.
        description: when it is sent, for the OpenAPI document.
        data: the wire form of the object that it shows.
        facts: by type of fact, how it is rendered.
        has_reference: whether the body carries `referenceId` and `status`.
    """

    event_type: str
    description: str
    data: type[BaseModel]
    facts: Mapping[type[Any], Callable[[Any], RenderedEvent]]
    has_reference: bool = True
