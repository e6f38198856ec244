"""`python -m benchmarks [SUITE ...]`: all of them by default."""

import sys

from benchmarks import dashboards, fake, kills, micro, queries, restart, rules, scraping, storage, targets
from benchmarks.programs import PEERS

SUITES = {
    "micro": micro.main,
    "scraping": scraping.main,
    "targets": targets.main,
    "queries": queries.main,
    "storage": storage.main,
    "restart": restart.main,
    "kills": kills.main,
    "rules": rules.main,
    "dashboards": dashboards.main,
    "fake": fake.main,
}


def main(names: list[str]) -> int:
    """Run the named suites. The exit code is 2 for an unknown name."""
    unknown = [name for name in names if name not in SUITES]
    if unknown:
        print(f"unknown suite {unknown[0]!r}; there are: {', '.join(SUITES)}", file=sys.stderr)
        return 2
    absent = [peer.name for peer in PEERS if not peer.is_installed]
    if absent:
        print(f"Not installed, so not measured: {', '.join(absent)}")
    for name in names or SUITES:
        SUITES[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
