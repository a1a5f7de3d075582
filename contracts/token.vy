# pragma version ~=0.4.3
"""
@title The sandbox's stablecoin
@notice An ERC-20 token (EIP-20) whose deployer may mint, also in another holder's name, so that a sandbox deposit can
        appear to come from any address.
"""

from ethereum.ercs import IERC20

implements: IERC20

name: public(String[32])
symbol: public(String[8])
decimals: public(uint8)
totalSupply: public(uint256)
balanceOf: public(HashMap[address, uint256])
allowance: public(HashMap[address, HashMap[address, uint256]])
minter: public(address)


@deploy
def __init__(name: String[32], symbol: String[8], decimals: uint8):
    self.name = name
    self.symbol = symbol
    self.decimals = decimals
    self.minter = msg.sender


@internal
def _move(source: address, target: address, amount: uint256):
    assert target != empty(address), "transfer to nobody"
    self.balanceOf[source] -= amount
    self.balanceOf[target] += amount
    log IERC20.Transfer(sender=source, receiver=target, value=amount)


@internal
def _mint(target: address, amount: uint256):
    assert msg.sender == self.minter, "only the minter"
    self.totalSupply += amount
    self.balanceOf[target] += amount
    log IERC20.Transfer(sender=empty(address), receiver=target, value=amount)


@external
def transfer(target: address, amount: uint256) -> bool:
    self._move(msg.sender, target, amount)
    return True


@external
def transferFrom(source: address, target: address, amount: uint256) -> bool:
    self.allowance[source][msg.sender] -= amount
    self._move(source, target, amount)
    return True


@external
def approve(spender: address, amount: uint256) -> bool:
    self.allowance[msg.sender][spender] = amount
    log IERC20.Approval(owner=msg.sender, spender=spender, value=amount)
    return True


@external
def mint(target: address, amount: uint256):
    """
    @notice Make tokens.
    """
    self._mint(target, amount)


@external
def mint_and_send(source: address, target: address, amount: uint256):
    """
    @notice Make tokens for `source` and move them on to `target`: two Transfer events.
    """
    self._mint(source, amount)
    self._move(source, target, amount)
