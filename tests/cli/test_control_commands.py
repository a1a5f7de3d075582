"""Fees, limits, pauses and settings by command line: set by one, seen by all, and by two people where that is asked."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bpn.cli.main import main

Run = Callable[..., str]


@pytest.fixture
def run(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `bpn …` in this process on a database of its own; what it printed, or its refusal."""
    monkeypatch.setenv("BPN_DATABASE_URL", database_url)
    monkeypatch.setenv("BPN_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("BPN_LOG_LEVEL", "ERROR")

    def command(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["bpn", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return printed.out + printed.err if ended.value.code in {0, None} else f"refused: {printed.err}"

    return command


def test_fees_are_set_listed_and_remembered(run: Run) -> None:
    assert "Set: fee of WITHDRAWAL" in run("fee", "set", "withdrawal", "--flat", "1.5", "--reason", "costs rose")
    run("fee", "set", "withdrawal", "--bps", "20", "--minimum", "1", "--currency", "usdt", "--merchant", "7")
    run("fee", "set", "withdrawal", "--remove", "--actor", "bea")
    listed = json.loads(run("fee", "list", "--json"))
    assert [(row["merchant"], row["currency"], row["value"]) for row in listed] == [
        ("7", "USDT", "flat 0, bps 20, minimum 1")
    ]
    kept = json.loads(run("fee", "history", "withdrawal", "--json"))
    assert [(row["value"], row["reason"]) for row in kept[::2]] == [("removed", ""), ("flat 1.5, bps 0", "costs rose")]
    assert "bea" in run("audit", "list", "--json")
    assert run("fee", "set", "withdrawal", "--flat", "much").startswith("refused: INVALID_REQUEST: flat")
    assert run("fee", "set", "withdrawal", "--flat", "1", "--from", "2020-01-01").startswith("refused: INVALID_REQUEST")


def test_a_loose_limit_needs_the_same_command_from_another_person(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BPN_SECOND_PERSON_ABOVE", "1000")
    assert "Set: limit" in run("limit", "set", "PAYOUT", "--per-day", "1000")
    loose = ("limit", "set", "PAYOUT", "--per-transaction", "10", "--per-day", "5000")
    assert "another person gives the same command" in run(*loose, "--actor", "ana")
    assert run(*loose, "--actor", "ana").startswith("refused: SECOND_PERSON_REQUIRED")
    assert "Set: limit" in run(*loose, "--actor", "bea")
    (row,) = json.loads(run("limit", "list", "--json"))
    assert (row["value"], row["by"]) == ("per_transaction 10, per_day 5000", "ana and bea")
    assert "Nothing is used" in run("limit", "used", "7", "PAYOUT")


def test_pauses_are_switched_and_listed(run: Run) -> None:
    assert "Everything runs" in run("pause", "list")
    run("pause", "on", "--operation", "deposit", "--network", "BSC", "--reason", "the node lies")
    (row,) = json.loads(run("pause", "list", "--json"))
    assert (row["of"], row["network"], row["reason"]) == ("DEPOSIT", "BSC", "the node lies")
    run("pause", "off", "--operation", "deposit", "--network", "BSC")
    assert "Everything runs" in run("pause", "list")


def test_settings_of_merchants(run: Run) -> None:
    run("merchant", "set", "auto_review_above", "250", "--merchant", "7")
    run("merchant", "set", "EMAIL_CODE_FOR", "PAYOUT, ADD_BANK_ACCOUNT")
    shown = {
        row["setting"]: row["value"] for row in json.loads(run("merchant", "settings", "--merchant", "7", "--json"))
    }
    assert (shown["AUTO_REVIEW_ABOVE"], shown["EMAIL_CODE_FOR"]) == ("250", "PAYOUT,ADD_BANK_ACCOUNT")
    run("merchant", "set", "AUTO_REVIEW_ABOVE", "--remove", "--merchant", "7")
    shown = {
        row["setting"]: row["value"] for row in json.loads(run("merchant", "settings", "--merchant", "7", "--json"))
    }
    assert shown["AUTO_REVIEW_ABOVE"] == ""
    assert run("merchant", "set", "NO_SUCH", "1").startswith("refused: INVALID_REQUEST")
    assert run("merchant", "set", "INVOICE_ABOVE", "many").startswith("refused: INVALID_REQUEST")
