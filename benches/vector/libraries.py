"""Vector indexes from PyPI, driven line by line: libraries.py LIBRARY FOLDER.

Speaks the protocol that docs/performance.md describes: one JSON object a line in, one a line out. FOLDER is what
vectors.py describes. All libraries get the same vectors, M = 16 and efConstruction = 200, and inner product, which for unit
vectors is cosine.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

import vectors

K = 10
M = 16
EF_CONSTRUCTION = 200


class Hnswlib:
    def __init__(self):
        import hnswlib
        from importlib.metadata import version

        self.module = hnswlib
        self.about = {"version": version("hnswlib"), "build": "compiled by its setup.py for this machine"}

    def build(self, base, threads):
        self.index = self.module.Index("ip", base.shape[1])
        self.index.init_index(len(base), M=M, ef_construction=EF_CONSTRUCTION)
        self.index.add_items(base, np.arange(len(base)), num_threads=threads)

    def tune(self, ef, _):
        self.index.set_ef(ef)

    def search(self, queries):
        return self.index.knn_query(queries, K, num_threads=1)[0]


class Faiss:
    def __init__(self):
        import faiss

        self.module = faiss
        self.about = {"version": faiss.__version__, "build": "its wheel, " + faiss.get_compile_options().strip()}

    def graph(self, width):
        return self.module.IndexHNSWFlat(width, M, self.module.METRIC_INNER_PRODUCT)

    def build(self, base, threads):
        self.module.omp_set_num_threads(threads)
        self.index = self.graph(base.shape[1])
        self.fill(base)
        self.module.omp_set_num_threads(1)

    def fill(self, base):
        self.index.hnsw.efConstruction = EF_CONSTRUCTION
        self.index.add(base)

    def tune(self, ef, _):
        self.parameters = self.module.SearchParametersHNSW(efSearch=ef)

    def search(self, queries):
        return self.index.search(queries, K, params=self.parameters)[1]


class FaissCodes(Faiss):
    """Bytes in the graph, the vectors beside it to score the best candidates again."""

    def graph(self, width):
        faiss = self.module
        return faiss.IndexHNSWSQ(width, faiss.ScalarQuantizer.QT_8bit, M, faiss.METRIC_INNER_PRODUCT)

    def fill(self, base):
        self.codes = self.index
        self.codes.hnsw.efConstruction = EF_CONSTRUCTION
        self.index = self.module.IndexRefineFlat(self.codes)
        self.index.train(base)
        self.index.add(base)

    def tune(self, ef, options):
        super().tune(ef, options)
        self.parameters = self.module.IndexRefineSearchParameters(
            k_factor=options["k_factor"], base_index_params=self.parameters
        )


class Usearch:
    def __init__(self, dtype):
        from importlib.metadata import version
        from usearch.index import Index

        self.make = lambda width: Index(
            ndim=width,
            metric="ip" if dtype == "f32" else "cos",
            dtype=dtype,
            connectivity=M,
            expansion_add=EF_CONSTRUCTION,
        )
        self.about = {"version": version("usearch"), "build": "its wheel, " + self.make(384).hardware_acceleration}

    def build(self, base, threads):
        self.index = self.make(base.shape[1])
        self.index.add(np.arange(len(base), dtype=np.uint64), base, threads=threads)

    def tune(self, ef, _):
        self.index.expansion_search = ef

    def search(self, queries):
        return self.index.search(queries, K, threads=1).keys


LIBRARIES = {
    "hnswlib": Hnswlib,
    "faiss": Faiss,
    "faiss-sq8": FaissCodes,
    "usearch-f32": lambda: Usearch("f32"),
    "usearch-i8": lambda: Usearch("i8"),
}


def resident():
    """Bytes of memory that the process holds, files aside."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:")), 0)


def run(search, queries, how):
    """The answers, and the times of each query if they were asked for."""
    if how == "batch":
        return search(queries), None
    ids = np.empty((len(queries), K), np.uint32)
    if how == "single":
        for row, query in enumerate(queries):
            ids[row] = search(query[None])
        return ids, None
    times = np.empty(len(queries), np.uint32)
    for row, query in enumerate(queries):
        begin = time.thread_time_ns()
        found = search(query[None])
        times[row] = time.thread_time_ns() - begin
        ids[row] = found
    return ids, times


def main():
    library = LIBRARIES[sys.argv[1]]()
    _, base, queries = vectors.read(Path(sys.argv[2]))
    print(json.dumps(library.about), flush=True)
    before = None
    for line in sys.stdin:
        command = json.loads(line)
        if command["do"] == "build":
            library.index = None
            before = before or resident()
            wall, cpu = time.perf_counter(), time.process_time()
            library.build(base, command["threads"])
            reply = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
            reply["resident"] = resident() - before
        else:
            asked = queries[command["queries"]]
            library.tune(command["ef"], command)
            library.search(asked[:1])
            wall, cpu = time.perf_counter(), time.process_time()
            ids, times = run(library.search, asked, command["mode"])
            reply = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
            np.asarray(ids).astype(np.uint32).tofile(command["into"] + ".ids")
            if times is not None:
                times.tofile(command["into"] + ".ns")
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
