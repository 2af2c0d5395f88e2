"""All comparisons with peers in one run: training, caching, attribution.

python -m benchmarks.peers [--json]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys

RACES = ("training", "caching", "attribution")


def main() -> None:
    """Run one after the other, each in a process of its own."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = {}
    for race in RACES:
        told = ["--json"] if given.json else []
        command = [sys.executable, "-m", f"benchmarks.peers.{race}", *told]
        done = subprocess.run(command, stdout=subprocess.PIPE if given.json else None)
        if done.returncode:
            sys.exit(done.returncode)  # it has said why
        if given.json:
            found[race] = json.loads(done.stdout)
    if given.json:
        print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
