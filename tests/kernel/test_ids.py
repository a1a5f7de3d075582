"""Ids: 18 digits, increasing, unique beside other processes."""

from __future__ import annotations

from bpn.kernel.ids import Ids, random_token, random_wallet_id


def test_ids_have_18_digits_and_increase() -> None:
    ids = Ids(lambda: 7)
    drawn = [ids.next() for _ in range(5000)]
    assert drawn == sorted(set(drawn))
    assert {len(str(one)) for one in drawn} == {18}


def test_two_nodes_never_draw_the_same() -> None:
    first, second = Ids(lambda: 1), Ids(lambda: 2)
    drawn = [ids.next() for _ in range(3000) for ids in (first, second)]
    assert len(set(drawn)) == len(drawn)


def test_wallet_ids_fit_a_javascript_number_and_are_not_sequential() -> None:
    drawn = [random_wallet_id() for _ in range(1000)]
    assert all(0 < one < 2**53 for one in drawn)
    assert drawn != sorted(drawn)


def test_tokens_have_at_least_128_bits() -> None:
    assert len(random_token()) >= 22
    assert random_token() != random_token()
