"""Makes a smaller or larger folder of vectors out of one: derive.py FROM TO ROWS.

Fewer rows than there are: the first ones, with a fifth of the queries. More: all of them again and again, each time
but the first with noise of half their length added, so that copies are no nearer to each other than real neighbors.
"""

import sys
from pathlib import Path

import numpy as np

import vectors

NOISE = 0.5


def jittered(base, copy):
    noise = np.random.default_rng(copy).standard_normal(base.shape, np.float32)
    noise *= NOISE / np.linalg.norm(noise, axis=1, keepdims=True)
    noise += base
    return noise / np.linalg.norm(noise, axis=1, keepdims=True)


def main():
    source, target, rows = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    manifest, base, queries = vectors.read(source)
    kind = manifest["kind"]
    if rows <= len(base):
        base = base[:rows]
        queries = {name: some[: len(some) // 5] for name, some in queries.items()}
    else:
        copies = -(-rows // len(base))
        kind = f"{len(base)} {kind}, repeated {copies} times with jitter: noise of length {NOISE} added, normalised"
        base = np.concatenate([base] + [jittered(base, copy) for copy in range(1, copies)])[:rows]
    vectors.write(target, base, queries, kind)


if __name__ == "__main__":
    main()
