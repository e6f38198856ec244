"""`python -m miniprom`."""

import sys

from miniprom.cli import main

if __name__ == "__main__":
    sys.exit(main())
