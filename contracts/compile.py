"""Compile the contracts: `python contracts/compile.py` writes each artefact beside who deploys it.

The sandbox deploys `token`; the others are for tests.
"""

import json
from pathlib import Path
from typing import Any

import vyper
from vyper.compiler.settings import Settings

FOLDER = Path(__file__).parent
ARTEFACTS = {
    "token": FOLDER.parent / "src/bpn/adapters/chain/sandbox/token.json",
    "payer": FOLDER / "payer.json",
    "greedy_token": FOLDER / "greedy_token.json",
}
EVM_VERSION = "london"


def compile_contract(name: str) -> dict[str, Any]:
    """The artefact: compiler version, ABI, deployment bytecode as hex."""
    source = FOLDER / f"{name}.vy"
    compiled = vyper.compile_code(
        source.read_text(),
        output_formats=["abi", "bytecode"],
        settings=Settings(evm_version=EVM_VERSION),
        contract_path=source.name,
    )
    return {
        "compiler": f"vyper {vyper.__version__}",
        "evm": EVM_VERSION,
        "abi": compiled["abi"],
        "bytecode": compiled["bytecode"],
    }


if __name__ == "__main__":
    for name, artefact in ARTEFACTS.items():
        artefact.write_text(json.dumps(compile_contract(name), indent=1) + "\n")
