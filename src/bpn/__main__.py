"""`python -m bpn`: the same as the command `bpn`."""

from bpn.cli import main

if __name__ == "__main__":
    main()
