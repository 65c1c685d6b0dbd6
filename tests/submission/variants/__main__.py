"""Judge every right variant: how many there are of each form, and which of them is not said to be right.

python -m tests.submission.variants             in this process, as nb.diagnose does
python -m tests.submission.variants --check     as `npbilstm check` does, each in a process of its own
python -m tests.submission.variants PATTERN     those whose names match
"""

from __future__ import annotations

import re
import sys
import time
from collections import Counter

from tests.submission.variants.variants import judged, variants


def main(arguments: list[str]) -> int:
    """The command -> 0 where all are right."""
    pattern = next((each for each in arguments if not each.startswith("-")), "")
    counts: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for variant in variants():
        if re.search(pattern, variant.called):
            start = time.process_time()
            said = judged(variant, "--check" in arguments)
            counts[variant.form] += 1
            right[variant.form] += not said
            if said:
                print(f"NOT RIGHT  {variant.called} ({time.process_time() - start:.1f} s)\n{said}\n", flush=True)
    for form, count in counts.items():
        print(f"{form:14} {right[form]:4} of {count:4} right")
    print(f"{'all':14} {sum(right.values()):4} of {sum(counts.values()):4} right")
    return int(right != counts)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
