"""How names are compared: spelling, order and missing middle names must not hide a match."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process

_FEWEST_WORDS_OF_A_PART = 2
"""A single word that is part of a longer name says too little."""


@dataclass(frozen=True, slots=True)
class ListedName:
    """A name of a list's entry, one of several."""

    name: str
    entry: str


class NameIndex:
    """Finds the listed name that is most like a given one."""

    def __init__(self, names: Sequence[ListedName]) -> None:
        self._names = [name for name in names if normal(name.name)]
        self._normal = [normal(name.name) for name in self._names]
        self._long = [place for place, name in enumerate(self._normal) if _words(name) >= _FEWEST_WORDS_OF_A_PART]
        self._long_normal = [self._normal[place] for place in self._long]

    def find(self, name: str, threshold: int) -> tuple[ListedName, int] | None:
        """The most similar name and how similar it is, 0 to 100; None when none reaches the threshold.

        Words are compared in any order. Of names of several words, one may hold the other whole.
        """
        wanted = normal(name)
        if not wanted:
            return None
        found = process.extractOne(wanted, self._normal, scorer=fuzz.token_sort_ratio, score_cutoff=threshold)
        if found is not None:
            return self._names[found[2]], int(found[1])
        if _words(wanted) < _FEWEST_WORDS_OF_A_PART:
            return None
        part = process.extractOne(wanted, self._long_normal, scorer=fuzz.token_set_ratio, score_cutoff=threshold)
        return None if part is None else (self._names[self._long[part[2]]], int(part[1]))


def normal(name: str) -> str:
    """A name without accents, case and punctuation: `MADURO MOROS, Nicolás` is `maduro moros nicolas`."""
    letters = unicodedata.normalize("NFKD", name).casefold()
    kept = "".join(
        letter if letter.isalnum() else " " for letter in letters if not unicodedata.combining(letter)
    )  # fmt: skip
    return " ".join(kept.split())


def _words(name: str) -> int:
    return name.count(" ") + 1
