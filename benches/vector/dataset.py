"""Makes the vectors that the benchmark searches: dataset.py CHUNKS FOLDER [--threads N].

CHUNKS is what `vector-chunks` wrote. Its texts are embedded by all-MiniLM-L6-v2, and the true neighbors of the
queries are found by comparing with every vector. Work is saved as it goes: a run that is stopped is continued by the
next one. FOLDER becomes what vectors.py describes.
"""

import argparse
import hashlib
import json
import time
from collections import Counter
from pathlib import Path

import numpy as np

import minilm
from vectors import write

BASE = 100_000
CODE = 1_000
NL = 500
WIDTH = 384
BATCH = 32
# Batches between two savings of the work.
SAVE = 40


def pick(chunks, tokens):
    """Token lists of base, code queries and NL queries, distinct in what the model sees of them."""
    base, code, nl, seen = [], [], [], set()
    languages = Counter()
    asked = Counter()
    with open(chunks, encoding="utf-8") as lines:
        while len(base) < BASE:
            pieces = [json.loads(line) for _, line in zip(range(4096), lines)]
            if not pieces:
                raise SystemExit(f"{chunks} holds too few distinct chunks: {len(base)} of {BASE}")
            coded = tokens.encode_batch([piece["code"] for piece in pieces])
            for piece, whole in zip(pieces, coded):
                ids = whole.ids
                language = piece["language"]
                # As many questions of each of the six languages.
                question = len(code) == CODE and len(nl) < NL and asked[language] < -(-NL // 6)
                question = piece.get("question") if question else None
                if question:
                    ids = tokens.encode(piece["answer"]).ids
                key = hashlib.blake2b(np.array(ids, np.int32).tobytes(), digest_size=16).digest()
                if key in seen or len(base) == BASE:
                    continue
                seen.add(key)
                if len(code) < CODE:
                    code.append(ids)
                    continue
                base.append(ids)
                languages[language] += 1
                if question:
                    asked[language] += 1
                    nl.append(tokens.encode(question).ids)
    if len(nl) < NL:
        raise SystemExit(f"{chunks} holds too few documented chunks: {len(nl)} of {NL}")
    return base, code, nl, dict(sorted(languages.items()))


def embed(lists, folder, threads):
    """Vectors of all token lists, in their order; continues what an earlier run has left in the folder."""
    # Batches of one length waste nothing on padding.
    order = sorted(range(len(lists)), key=lambda at: (len(lists[at]), at))
    batches = [order[at : at + BATCH] for at in range(0, len(order), BATCH)]
    made_of = hashlib.blake2b(np.concatenate([np.array(ids, np.int32) for ids in lists]).tobytes()).hexdigest()
    progress = folder / "progress.json"
    partial = folder / "partial.f32"
    done = 0
    if progress.exists() and partial.exists():
        state = json.loads(progress.read_text())
        done = state["batches"] if state["made_of"] == made_of else 0
    vectors = np.memmap(partial, np.float32, "r+" if done else "w+", shape=(len(lists), WIDTH))
    encoder = minilm.Encoder("bf16", threads)
    begin, first = time.monotonic(), done
    while done < len(batches):
        some = batches[done : done + SAVE]
        for rows, result in zip(some, encoder.encode([[lists[at] for at in rows] for rows in some])):
            vectors[rows] = result
        done += len(some)
        vectors.flush()
        fresh = folder / "progress.new"
        fresh.write_text(json.dumps({"batches": done, "made_of": made_of}))
        fresh.replace(progress)
        rate = (done - first) * BATCH / (time.monotonic() - begin)
        print(f"embedded {min(done * BATCH, len(lists))} of {len(lists)}, {rate:.0f} a second", flush=True)
    del encoder

    sample = np.random.default_rng(1).choice(len(lists), 256, replace=False)
    exact = minilm.Encoder("f32", threads).encode([[lists[at]] for at in sample])
    cosines = (np.concatenate(exact) * vectors[sample]).sum(axis=1)
    return np.array(vectors), {"least": float(cosines.min()), "mean": float(cosines.mean())}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("chunks", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    folder = options.folder
    folder.mkdir(parents=True, exist_ok=True)

    base, code, nl, languages = pick(options.chunks, minilm.tokenizer())
    lists = base + code + nl
    print(f"{len(base)} chunks, {sum(map(len, base)) / len(base):.0f} tokens each: {languages}", flush=True)
    vectors, cosine = embed(lists, folder, options.threads)
    base, code, nl = np.split(vectors, [BASE, BASE + CODE])
    kind = "code chunks embedded by all-MiniLM-L6-v2, first 128 tokens, bf16"
    write(folder, base, {"code": code, "nl": nl}, kind, languages=languages, cosine_to_f32=cosine)
    (folder / "partial.f32").unlink()
    (folder / "progress.json").unlink()


if __name__ == "__main__":
    main()
