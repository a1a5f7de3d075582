# pragma version ~=0.4.3
"""
@title A contract that pays
@notice Sends tokens that it holds, to one or to many in one transaction, as exchanges and contract wallets do; sends
        native coin on, so that no transaction names the recipient; and pays by the block it runs in.
"""

from ethereum.ercs import IERC20


@external
@payable
def __default__():
    pass


@external
def pay_many(token: address, targets: DynArray[address, 20], amounts: DynArray[uint256, 20]):
    """
    @notice One transfer for each target.
    """
    assert len(targets) == len(amounts), "an amount for each target"
    for place: uint256 in range(20):
        if place == len(targets):
            break
        assert extcall IERC20(token).transfer(targets[place], amounts[place], default_return_value=True)


@external
def pay_by_block(token: address, target: address, unit: uint256):
    """
    @notice One unit in blocks of an even height, two in the others: a reorg changes what is paid.
    """
    assert extcall IERC20(token).transfer(target, unit * (1 + block.number % 2), default_return_value=True)


@external
def pay_and_fail(token: address, target: address, amount: uint256):
    """
    @notice Transfer, then revert: nothing happens in the end.
    """
    assert extcall IERC20(token).transfer(target, amount, default_return_value=True)
    raise "changed my mind"
