"""The vectors that the tests of minilm compare with, by numpy: BERT as its paper has it, and nothing of the crate.

    python reference.py FOLDER ROOT > fixtures/reference.jsonl    # all-MiniLM-L6-v2 on pieces of the repository at ROOT
    python reference.py small                                     # the model that the tests make, on one text

Needs numpy and tokenizers.
"""

import json
import math
import pathlib
import struct
import sys

import numpy as np
from tokenizers import Tokenizer

MAX_TOKENS = 256
erf = np.vectorize(math.erf)


def tensors_of(data):
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    body = data[8 + length :]
    read = lambda entry: np.frombuffer(body[slice(*entry["data_offsets"])], "<f4").reshape(entry["shape"])
    return {name: read(entry) for name, entry in header.items() if entry["dtype"] == "F32"}


def norm(x, tensors, name, eps):
    mean = x.mean(-1, keepdims=True)
    variance = ((x - mean) ** 2).mean(-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + eps) * tensors[name + ".weight"] + tensors[name + ".bias"]


def linear(x, tensors, name):
    return x @ tensors[name + ".weight"].T + tensors[name + ".bias"]


def vector_of(tokens, tensors, config):
    count, eps, heads = len(tokens), config["layer_norm_eps"], config["num_attention_heads"]
    x = tensors["embeddings.word_embeddings.weight"][tokens]
    x = x + tensors["embeddings.position_embeddings.weight"][:count]
    x = x + tensors["embeddings.token_type_embeddings.weight"][0]
    x = norm(x, tensors, "embeddings.LayerNorm", eps)
    for layer in range(config["num_hidden_layers"]):
        base = f"encoder.layer.{layer}."
        split = lambda part: linear(x, tensors, base + "attention.self." + part).reshape(count, heads, -1).swapaxes(0, 1)
        query, key, value = split("query"), split("key"), split("value")
        scores = query @ key.swapaxes(1, 2) / math.sqrt(query.shape[-1])
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        attended = (weights @ value).swapaxes(0, 1).reshape(count, -1)
        x = norm(linear(attended, tensors, base + "attention.output.dense") + x, tensors, base + "attention.output.LayerNorm", eps)
        wide = linear(x, tensors, base + "intermediate.dense")
        wide = wide * 0.5 * (1 + erf(wide / math.sqrt(2)))
        x = norm(linear(wide, tensors, base + "output.dense") + x, tensors, base + "output.LayerNorm", eps)
    mean = x.mean(0)
    return mean / np.linalg.norm(mean)


def pieces_of(root):
    """Questions, and pieces of our own source of many lengths."""
    yield from ["where is a file parsed", "How often is a request retried?", "parse_header", "größe 検索 naïve", "", "()"]
    for number, path in enumerate(sorted(pathlib.Path(root).glob("crates/*/src/*.rs"))[:26]):
        lines = path.read_text().splitlines()
        begin = len(lines) // 3
        yield "\n".join(lines[begin : begin + 1 + number * 2])


def real(folder, texts):
    folder = pathlib.Path(folder)
    config = json.loads((folder / "config.json").read_text())
    tensors = tensors_of((folder / "model.safetensors").read_bytes())
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.no_padding()
    for text in texts:
        vector = vector_of(tokenizer.encode(text).ids, tensors, config)
        codes = np.round(vector * 127 / np.abs(vector).max()).astype(np.int8)
        yield {"text": text, "vector": codes.tobytes().hex()}


def small():
    hidden, wide, words, positions, layers = 8, 12, 16, 32, 2
    shapes = {
        "embeddings.word_embeddings.weight": [words, hidden],
        "embeddings.position_embeddings.weight": [positions, hidden],
        "embeddings.token_type_embeddings.weight": [2, hidden],
    }
    norms, linears = ["embeddings.LayerNorm"], {}
    for layer in range(layers):
        base = f"encoder.layer.{layer}."
        norms += [base + "attention.output.LayerNorm", base + "output.LayerNorm"]
        for part in ["attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"]:
            linears[base + part] = (hidden, hidden)
        linears[base + "intermediate.dense"] = (wide, hidden)
        linears[base + "output.dense"] = (hidden, wide)
    for name in norms:
        shapes[name + ".weight"] = shapes[name + ".bias"] = [hidden]
    for name, (to, of) in linears.items():
        shapes[name + ".weight"], shapes[name + ".bias"] = [to, of], [to]
    tensors, state = {}, 7
    for name, shape in sorted(shapes.items()):
        values = []
        for _ in range(math.prod(shape)):
            state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
            values.append((state >> 40) / 2**24 - 0.5)
        tensors[name] = np.array(values, "<f4").reshape(shape)
    # [CLS] parse ##r of the file [SEP]
    config = {"layer_norm_eps": 1e-12, "num_attention_heads": 2, "num_hidden_layers": layers}
    print(vector_of([2, 4, 5, 15, 10, 7, 3], tensors, config))


if __name__ == "__main__":
    if sys.argv[1] == "small":
        small()
    else:
        for line in real(sys.argv[1], pieces_of(sys.argv[2])):
            print(json.dumps(line, ensure_ascii=False))
