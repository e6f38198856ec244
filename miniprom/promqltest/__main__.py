"""`python -m miniprom.promqltest FILE...`."""

import sys

from miniprom.cli.test import run

sys.exit(run(["promql", *sys.argv[1:]]))
