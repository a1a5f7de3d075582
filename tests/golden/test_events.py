"""Every event of the wiring has a schema and a golden sample; a field that vanishes, moves or is renamed fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from bpn.wiring.events.catalogue import event_sources, events
from bpn.wiring.events.event import Event

SAMPLES: dict[str, list[str]] = json.loads((Path(__file__).parent / "events.json").read_text())
EVENTS = events()
DOCUMENT: dict[str, Any] = json.loads((Path(__file__).parents[2] / "docs" / "reference" / "openapi.json").read_text())


def wire_fields(model: type[BaseModel]) -> list[str]:
    return [info.alias or name for name, info in model.model_fields.items()]


def test_each_event_has_a_sample_and_each_sample_an_event() -> None:
    assert set(SAMPLES) - {"body", "bareBody"} == {event.event_type for event in EVENTS}
    assert len({event.event_type for event in EVENTS}) == len(EVENTS)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.event_type)
def test_its_fields_are_those_of_the_sample(event: Event) -> None:
    assert wire_fields(event.data) == SAMPLES[event.event_type]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.event_type)
def test_it_is_in_the_document_with_a_schema(event: Event) -> None:
    body = DOCUMENT["webhooks"][event.event_type]["post"]["requestBody"]["content"]["application/json"]["schema"]
    schema = {**body, "components": DOCUMENT["components"]}
    Draft202012Validator.check_schema(schema)
    faults = {fault.message for fault in Draft202012Validator(schema).iter_errors({})}
    required = SAMPLES["body" if event.has_reference else "bareBody"]
    assert faults == {f"{name!r} is a required property" for name in required}


def test_each_fact_becomes_one_event() -> None:
    names = [source.fact.name for source in event_sources("")]
    assert sorted(names) == sorted(set(names))
