"""Compile the sandbox's token: `python contracts/compile.py` writes the artefact that the sandbox deploys."""

import json
from pathlib import Path
from typing import Any

import vyper
from vyper.compiler.settings import Settings

SOURCE = Path(__file__).with_name("token.vy")
ARTEFACT = Path(__file__).parents[1] / "src/bpn/adapters/chain/sandbox/token.json"
EVM_VERSION = "london"


def compile_token() -> dict[str, Any]:
    """The artefact: compiler version, ABI, deployment bytecode as hex."""
    compiled = vyper.compile_code(
        SOURCE.read_text(),
        output_formats=["abi", "bytecode"],
        settings=Settings(evm_version=EVM_VERSION),
        contract_path=SOURCE.name,
    )
    return {
        "compiler": f"vyper {vyper.__version__}",
        "evm": EVM_VERSION,
        "abi": compiled["abi"],
        "bytecode": compiled["bytecode"],
    }


if __name__ == "__main__":
    ARTEFACT.write_text(json.dumps(compile_token(), indent=1) + "\n")
