"""`bpn docs`: write the reference from the code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bpn.cli.installation import configure_logging, in_house, say
from bpn.cli.sandbox import fresh_sandbox
from bpn.wiring.house import House


def docs(
    folder: Annotated[Path, typer.Option(help="Where the reference is written.")] = Path("docs/reference"),
) -> None:
    """Write the OpenAPI document, errors, events, operations and settings as files."""
    from bpn.wiring.reference import reference  # noqa: PLC0415 - seconds of imports that only this command needs

    configure_logging()

    async def write(house: House) -> None:
        for name, text in reference(house).items():
            (folder / name).write_text(text)

    folder.mkdir(parents=True, exist_ok=True)
    with fresh_sandbox() as sandbox:
        in_house(sandbox.settings, write)
    say(f"Wrote {folder}.")
