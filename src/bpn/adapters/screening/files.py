"""Reads sanction lists in the formats that their publishers use.

- OFAC's SDN list as XML (`sdn.xml`): names, aliases, and identifiers of the type "Digital Currency Address - …".
- The same as CSV (`sdn.csv`, aliases in `alt.csv`): no head row, `-0-` for nothing, currency addresses in the remarks.
- Plain lists of addresses: one a line (`*.txt`), or a JSON array of strings (`*.json`).
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element

from defusedxml import ElementTree

from bpn.adapters.screening.names import ListedName

_CURRENCY_ADDRESS = re.compile(r"Digital Currency Address - \S+ ([A-Za-z0-9]{20,})")
_CURRENCY_ADDRESS_TYPE = "Digital Currency Address"
_NOTHING = "-0-"
_SDN_COLUMNS, _ALIAS_COLUMNS = 12, 5


class UnreadableListError(Exception):
    """A file is not in the form that its name promises."""


@dataclass(slots=True)
class Listed:
    """What the lists hold: names, and addresses in lower case with the entry each belongs to."""

    names: list[ListedName] = field(default_factory=list)
    addresses: dict[str, str] = field(default_factory=dict)


def read_lists(paths: list[Path]) -> Listed:
    """Read all files of a directory that are lists; raises UnreadableListError, OSError."""
    listed = Listed()
    for path in paths:
        try:
            _READERS[path.suffix.lower()](path, listed)
        except (ValueError, KeyError, IndexError, ElementTree.ParseError, csv.Error) as error:
            raise UnreadableListError(f"{path.name}: {error}") from error
    return listed


def list_files(directory: Path) -> list[Path]:
    """The files of a directory that may be lists, by name."""
    return sorted(path for path in directory.iterdir() if path.suffix.lower() in _READERS and path.is_file())


def _read_xml(path: Path, listed: Listed) -> None:
    count = 0
    for _, element in ElementTree.iterparse(str(path)):
        if _tag(element) != "sdnEntry":
            continue
        count += 1
        entry = f"OFAC SDN {_text(element, 'uid')}"
        persons = [element, *(one for one in element.iter() if _tag(one) == "aka")]
        listed.names += [ListedName(name, entry) for person in persons if (name := _full_name(person))]
        for identifier in (one for one in element.iter() if _tag(one) == "id"):
            if _text(identifier, "idType").startswith(_CURRENCY_ADDRESS_TYPE):
                listed.addresses[_text(identifier, "idNumber").lower()] = entry
        element.clear()
    if not count:
        raise ValueError("holds no sdnEntry")


def _full_name(element: Element) -> str:
    return f"{_text(element, 'firstName')} {_text(element, 'lastName')}".strip()


def _text(element: Element, name: str) -> str:
    return next(((child.text or "").strip() for child in element if _tag(child) == name), "")


def _tag(element: Element) -> str:
    """The tag without the namespace, which has changed over the years."""
    return element.tag.rpartition("}")[2]


def _read_csv(path: Path, listed: Listed) -> None:
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        for row in _rows(csv.reader(file)):
            if len(row) == _SDN_COLUMNS:
                number, name, remarks = row[0], row[1], row[11]
                entry = f"OFAC SDN {number}"
                listed.addresses |= dict.fromkeys(map(str.lower, _CURRENCY_ADDRESS.findall(remarks)), entry)
            elif len(row) == _ALIAS_COLUMNS:
                number, name = row[0], row[3]
                entry = f"OFAC SDN {number}"
            else:
                raise ValueError(f"has a row of {len(row)} columns")
            if name != _NOTHING:
                listed.names.append(ListedName(name, entry))


def _rows(rows: Iterator[list[str]]) -> Iterator[list[str]]:
    """Rows with their cells stripped, without the end-of-file mark that the publisher adds."""
    for row in rows:
        if cells := [cell.strip() for cell in row if cell.strip() != "\x1a"]:
            yield cells


def _read_text(path: Path, listed: Listed) -> None:
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    listed.addresses |= {line.lower(): path.name for line in lines if line}


def _read_json(path: Path, listed: Listed) -> None:
    addresses = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(addresses, list) or not all(isinstance(address, str) for address in addresses):
        raise ValueError("is no array of strings")
    listed.addresses |= {address.lower(): path.name for address in addresses}


_READERS = {".xml": _read_xml, ".csv": _read_csv, ".txt": _read_text, ".json": _read_json}
