# pragma version ~=0.4.3
"""
@title A token that keeps a fee and does not tell
@notice Every transfer burns a tenth of the amount on its way, while the event names the whole amount.
"""

from ethereum.ercs import IERC20

name: public(String[32])
symbol: public(String[8])
decimals: public(uint8)
totalSupply: public(uint256)
balanceOf: public(HashMap[address, uint256])


@deploy
def __init__(name: String[32], symbol: String[8], decimals: uint8):
    self.name = name
    self.symbol = symbol
    self.decimals = decimals
    self.totalSupply = 10**30
    self.balanceOf[msg.sender] = self.totalSupply


@external
def transfer(target: address, amount: uint256) -> bool:
    fee: uint256 = amount // 10
    self.balanceOf[msg.sender] -= amount
    self.balanceOf[target] += amount - fee
    self.totalSupply -= fee
    log IERC20.Transfer(sender=msg.sender, receiver=target, value=amount)
    return True
