"""Bank numbers, codes and registries: what is true of them anywhere.

Owns check digits, PIX keys and BR Codes, the lists of banks and of supported accounts, how a balance is shown.
Never speaks to a bank, never knows an account of ours.
"""
