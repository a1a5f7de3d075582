"""What the operator allows and asks: fees, limits, pause switches, settings of merchants; as versioned data.

Owns the tables `controls`, which only grows, and `control_uses`, what is used of daily limits.
Never moves money and never knows a chapter: whoever does something asks here first.
"""
