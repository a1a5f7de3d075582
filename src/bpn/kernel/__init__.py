"""The words everything else is made of: money, assets, ids, time, refusals.

Owns plain values and the rules that hold for them anywhere.
Never imports anything of ours, never does input or output.
"""
