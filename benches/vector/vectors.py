"""A folder of vectors to search, and their true neighbors. All files are little endian, in rows:

- base.f32, code.f32, nl.f32: unit vectors; nl holds sentences of documentation, code holds code that is not in base,
- code.ids, code.scores, nl.ids, nl.scores: the true neighbors (u32) and their cosines (f32), nearest first,
- data.json: how many of what, and how it was made. It is written last.
"""

import hashlib
import json

import numpy as np

NEIGHBORS = 100
SETS = ("code", "nl")


def neighbors(base, queries):
    """The nearest rows of base and their cosines: found in f32 with a margin, then ranked in f64."""
    ids = np.empty((len(queries), NEIGHBORS), np.uint32)
    scores = np.empty((len(queries), NEIGHBORS), np.float32)
    margin = NEIGHBORS + 28
    step = max(1, 20_000_000 // len(base))
    for begin in range(0, len(queries), step):
        part = queries[begin : begin + step]
        rough = part @ base.T
        near = np.argpartition(-rough, margin, axis=1)[:, :margin]
        for row, (query, rows) in enumerate(zip(part, near)):
            rows.sort()
            exact = base[rows].astype(np.float64) @ query.astype(np.float64)
            # Stable: of equal cosines the lower row comes first.
            best = np.argsort(-exact, kind="stable")[:NEIGHBORS]
            ids[begin + row] = rows[best]
            scores[begin + row] = exact[best]
    return ids, scores


def write(folder, base, queries, kind, **more):
    """Writes a folder; `queries` has the vectors of each set."""
    folder.mkdir(parents=True, exist_ok=True)
    base.tofile(folder / "base.f32")
    for name in SETS:
        queries[name].tofile(folder / f"{name}.f32")
        ids, scores = neighbors(base, queries[name])
        ids.tofile(folder / f"{name}.ids")
        scores.tofile(folder / f"{name}.scores")
    manifest = {
        "dimension": base.shape[1],
        "base": len(base),
        **{name: len(queries[name]) for name in SETS},
        "neighbors": NEIGHBORS,
        "kind": kind,
        "sha256": hashlib.sha256(np.ascontiguousarray(base)).hexdigest(),
        **more,
    }
    (folder / "data.json").write_text(json.dumps(manifest, indent=2) + "\n")


def read(folder):
    """The manifest, the base and the queries of each set."""
    manifest = json.loads((folder / "data.json").read_text())

    def rows(name):
        # Mapped: processes that read the same vectors share the memory.
        mapped = np.memmap(folder / f"{name}.f32", np.float32, "r")
        return np.asarray(mapped).reshape(-1, manifest["dimension"])

    return manifest, rows("base"), {name: rows(name) for name in SETS}
