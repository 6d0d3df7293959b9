"""Every change to every file of the library; prints what came of them, and what should not have.

With a number as argument, every so-manieth change only.
"""

from __future__ import annotations

import sys
from collections import Counter
from itertools import islice

from tests.fuzz.library import HOWS, OUTCOMES, changes, files, outcome


def main() -> int:
    step = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    every = (one for path in files() for one in changes(path))
    counts: Counter[tuple[str, str]] = Counter()
    wrong = 0
    for one in islice(every, 0, None, step):
        try:
            counts[one.how, outcome(one)] += 1
        except Exception as exc:  # noqa: BLE001 - any exception is what is looked for
            wrong += 1
            print(f"{one}: {type(exc).__name__}: {str(exc)[:200]}")
    for how in HOWS:
        row = ", ".join(f"{counts[how, what]} {what}" for what in OUTCOMES)
        print(f"{how}: {sum(counts[how, what] for what in OUTCOMES)}; {row}")
    print(f"wrong: {wrong}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
