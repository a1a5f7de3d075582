"""The house's own rules, for those that no tool has."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "bpn"
FILES = sorted(SOURCE.rglob("*.py"))
LARGEST_ROOM = 500
ROOM_DEPTH = 2
"""Folders deeper than a chapter are rooms: their name says what they are."""
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc", "base"}
ROOMS = {"routes", "pages", "jobs", "schemas", "operations", "events", "store", "rules", "model", "errors"}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_has_one_idea(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert len(lines) <= LARGEST_ROOM, "a room this large becomes a folder of the same name"
    assert path.stem not in BANNED_NAMES


@pytest.mark.parametrize("path", [path for path in FILES if path.name == "__init__.py"], ids=name_of)
def test_a_folder_says_what_it_is_owns_and_never_does(path: Path) -> None:
    text = ast.get_docstring(ast.parse(path.read_text())) or ""
    if path.parent == SOURCE / "chapters" or len(path.parent.relative_to(SOURCE).parts) > ROOM_DEPTH:
        assert text
        return
    assert "\nOwns " in text
    assert "\nNever " in text


def test_chapters_have_the_rooms_and_no_others() -> None:
    for chapter in (path for path in (SOURCE / "chapters").iterdir() if (path / "__init__.py").exists()):
        rooms = {path.stem for path in chapter.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
        assert rooms - {"__init__"} <= ROOMS, chapter.name


def test_sql_is_constant_text() -> None:
    """Statements hold names of ours at most; values always travel as parameters."""
    allowed = re.compile(r"\{_?[A-Za-z_]+\}")  # a fragment made beside it, by name
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.JoinedStr):
                continue
            text = ast.unparse(node)
            if re.search(r"\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|TRUNCATE)\b", text):
                places = re.findall(r"\{[^}]*\}", text)
                assert all(allowed.fullmatch(place) for place in places), f"{name_of(path)}:{node.lineno}: {places}"


def test_only_stores_speak_sql() -> None:
    speaks = re.compile(r"\b(SELECT\s+\w|INSERT INTO\s+\w|UPDATE\s+\w+\s+SET|DELETE FROM\s+\w)")
    rooms = {"store", "database", "jobs", "api", "postgres", "sandbox", "cli", "wiring"}
    for path in FILES:
        if not rooms & set(path.relative_to(SOURCE).with_suffix("").parts):
            assert not speaks.search(path.read_text()), name_of(path)


def test_money_never_floats() -> None:
    for path in (path for path in FILES if not {"adapters", "cli"} & set(path.parts)):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float":
                pytest.fail(f"{name_of(path)}:{node.lineno} calls float()")


def test_operations_are_named_as_the_routes_that_call_them() -> None:
    for routes in SOURCE.glob("chapters/*/routes.py"):
        chapter = routes.parent
        room = chapter / "operations"
        files = list(room.glob("*.py")) if room.is_dir() else [chapter / "operations.py"]
        operations = {
            node.name
            for path in files
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)
        }
        for node in ast.walk(ast.parse(routes.read_text())):
            if isinstance(node, ast.AsyncFunctionDef) and node.decorator_list:
                assert node.name in operations, f"{name_of(routes)}: {node.name}"


def test_every_test_file_has_a_sentence() -> None:
    for path in (ROOT / "tests").rglob("test_*.py"):
        assert ast.get_docstring(ast.parse(path.read_text())), name_of(path)
