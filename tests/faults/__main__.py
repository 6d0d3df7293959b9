"""`make faults`: tell stories under every fault, count, and say what did not hold."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from .run import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
