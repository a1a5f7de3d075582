"""Screening by published lists and by a server that speaks Watchman's API; a source that is down clears nobody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from bpn.adapters.screening.blocked import BlockedParties
from bpn.adapters.screening.lists import ListedParties
from bpn.adapters.screening.together import ScreeningTogether
from bpn.adapters.screening.watchman import Watchman
from bpn.ports.readers import SourceUnavailableError

ADDRESS = "0x1111111111111111111111111111111111111aAa"
XML = f"""<?xml version="1.0" standalone="yes"?>
<sdnList xmlns="https://sanctionslistservice.ofac.treas.gov/api/PublicationPreview/exports/XML">
  <publshInformation><Publish_Date>11/24/2026</Publish_Date><Record_Count>2</Record_Count></publshInformation>
  <sdnEntry><uid>101</uid><firstName>Nicolás Ramón</firstName><lastName>EXEMPLAR QUIJANO</lastName>
    <sdnType>Individual</sdnType><programList><program>TEST</program></programList>
    <akaList><aka><uid>7</uid><type>a.k.a.</type><category>strong</category><firstName>Nico</firstName>
      <lastName>QUIJANITO</lastName></aka></akaList>
    <idList><id><uid>9</uid><idType>Digital Currency Address - ETH</idType><idNumber>{ADDRESS}</idNumber></id>
      <id><uid>10</uid><idType>Passport</idType><idNumber>X1234567</idNumber></id></idList></sdnEntry>
  <sdnEntry><uid>102</uid><lastName>BANCO FICTICIO S.A.</lastName><sdnType>Entity</sdnType></sdnEntry>
</sdnList>"""
SDN_CSV = (
    '36,"AEROTEST AIRLINES",-0- ,"TEST",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- \r\n'
    '37,"MUSTERMANN, Erika",individual,"TEST",-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,-0- ,'
    '"DOB 1970; Digital Currency Address - USDT 0x2222222222222222222222222222222222222bBb; Gender Female."\r\n\x1a\r\n'
)
ALT_CSV = '36,12,"aka","AERO-TESTE",-0- \r\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sdn.xml").write_text(XML)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "hit"),
    [
        ("Nicolas Ramon Exemplar Quijano", True),
        ("EXEMPLAR QUIJANO, Nicolás Ramón", True),
        ("Nikolas Ramon Exemplar Quijano", True),
        ("Nicolas Quijano", True),
        ("nico quijanito", True),
        ("Banco Ficticio SA", True),
        ("Nicolas", False),
        ("Banco", False),
        ("Ana Sousa", False),
        ("Nicolas Exemplo", False),
        ("", False),
        ("...", False),
    ],
)
async def test_names_are_found_however_they_are_written(folder: Path, name: str, hit: bool) -> None:
    assert (await ListedParties(folder, 90).screen(None, [name])).hit is hit


async def test_a_hit_names_the_entry_and_any_name_of_a_party_is_enough(folder: Path) -> None:
    verdict = await ListedParties(folder, 90).screen(None, ["Ana Sousa", "Nico Quijanito"])
    assert verdict.reason == "The name is like Nico QUIJANITO (OFAC SDN 101), 100 of 100."


async def test_addresses_are_found_in_any_case_and_other_documents_are_none(folder: Path) -> None:
    lists = ListedParties(folder, 90)
    for spelling in (ADDRESS, ADDRESS.lower()):
        assert (await lists.screen(spelling, [])).reason == "The address is listed: OFAC SDN 101."
    assert not (await lists.screen("X1234567", [])).hit


async def test_the_published_csv_and_plain_lists_of_addresses(tmp_path: Path) -> None:
    (tmp_path / "SDN.CSV").write_text(SDN_CSV)
    (tmp_path / "alt.csv").write_text(ALT_CSV)
    (tmp_path / "sanctioned_addresses_ETH.txt").write_text(f"# of a mixer\n{ADDRESS}\n\n")
    (tmp_path / "more.json").write_text('["0x3333333333333333333333333333333333333cCc"]')
    lists = ListedParties(tmp_path, 90)
    addresses = [ADDRESS, "0x2222222222222222222222222222222222222bbb", "0x3333333333333333333333333333333333333CCC"]
    assert [(await lists.screen(address, [])).hit for address in addresses] == [True] * 3
    assert [(await lists.screen(None, [name])).hit for name in ("Erika Mustermann", "Aero Teste", "-0-")] == [
        True,
        True,
        False,
    ]


async def test_a_file_that_changes_is_read_anew(folder: Path) -> None:
    lists = ListedParties(folder, 90)
    assert not (await lists.screen(None, ["Maria Nova"])).hit
    (folder / "sdn.xml").write_text(XML.replace("BANCO FICTICIO S.A.", "MARIA NOVA"))
    assert (await lists.screen(None, ["Maria Nova"])).hit
    (folder / "more.txt").write_text("0x4444444444444444444444444444444444444444")
    assert (await lists.screen("0x4444444444444444444444444444444444444444", [])).hit
    (folder / "more.txt").unlink()
    assert not (await lists.screen("0x4444444444444444444444444444444444444444", [])).hit


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("sdn.xml", XML[:500]),
        ("sdn.xml", "<sdnList></sdnList>"),
        ("sdn.xml", '<!DOCTYPE a [<!ENTITY b "c">]><sdnList><sdnEntry><uid>&b;</uid></sdnEntry></sdnList>'),
        ("sdn.csv", "1,2,3\n"),
        ("addresses.json", '{"a": 1}'),
    ],
)
async def test_a_list_that_cannot_be_read_clears_nobody(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(SourceUnavailableError):
        await ListedParties(tmp_path, 90).screen(None, ["Ana Sousa"])


async def test_a_missing_or_empty_directory_clears_nobody(tmp_path: Path) -> None:
    for directory in (tmp_path, tmp_path / "missing"):
        with pytest.raises(SourceUnavailableError):
            await ListedParties(directory, 90).screen(None, ["Ana Sousa"])


class FakeWatchman:
    """A server that answers as Watchman documents."""

    def __init__(self) -> None:
        self.status = 200
        self.body: dict[str, object] | None = None
        self.asked: list[dict[str, list[str]]] = []

    async def search(self, request: web.Request) -> web.Response:
        self.asked.append({name: request.query.getall(name) for name in request.query})
        if self.body is not None or self.status != 200:
            return web.json_response(self.body or {"error": "no"}, status=self.status)
        entities = []
        if request.query.get("name") == "Nicolas Exemplar" or f"ETH:{ADDRESS}" in request.query.getall(
            "cryptoAddress", []
        ):
            entities = [
                {
                    "name": "Nicolas EXEMPLAR",
                    "entityType": "person",
                    "sourceList": "us_ofac",
                    "sourceID": "101",
                    "match": 0.95,
                }
            ]
        return web.json_response({"query": {}, "entities": entities})


@pytest.fixture
async def server() -> AsyncIterator[tuple[FakeWatchman, Watchman]]:
    fake = FakeWatchman()
    application = web.Application()
    application.router.add_get("/v2/search", fake.search)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    watchman = Watchman(f"http://127.0.0.1:{runner.addresses[0][1]}", 90)
    try:
        yield fake, watchman
    finally:
        await watchman.close()
        await runner.cleanup()


async def test_watchman_is_asked_for_the_address_and_for_each_name(server: tuple[FakeWatchman, Watchman]) -> None:
    fake, watchman = server
    assert not (await watchman.screen("0x5", ["Ana Sousa"])).hit
    assert fake.asked[0]["cryptoAddress"][0] == "ETH:0x5"
    assert fake.asked[1] == {"name": ["Ana Sousa"], "minMatch": ["0.9"], "limit": ["1"]}
    assert (await watchman.screen(ADDRESS, [])).reason == "The address is listed: Nicolas EXEMPLAR (us_ofac 101)."
    assert (await watchman.screen(None, ["A", "Nicolas Exemplar"])).hit


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, None), (200, {"entities": [{"match": 0.95}]}), (200, {"other": 1}), (200, {"entities": 5})],
)
async def test_watchman_that_answers_otherwise_clears_nobody(
    server: tuple[FakeWatchman, Watchman], status: int, body: dict[str, object] | None
) -> None:
    fake, watchman = server
    fake.status, fake.body = status, body
    with pytest.raises(SourceUnavailableError):
        await watchman.screen(None, ["Ana Sousa"])


async def test_together_a_hit_counts_and_one_that_is_down_clears_nobody(folder: Path, tmp_path: Path) -> None:
    down = ListedParties(tmp_path / "missing", 90)
    blocked = BlockedParties([], ["Ana Sousa"])
    assert (await ScreeningTogether([blocked, down]).screen(None, ["Ana Sousa"])).hit
    with pytest.raises(SourceUnavailableError):
        await ScreeningTogether([blocked, down]).screen(None, ["Bea Lima"])
    assert not (await ScreeningTogether([blocked, ListedParties(folder, 90)]).screen(None, ["Bea Lima"])).hit
