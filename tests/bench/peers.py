"""Peers of ibid's encoder and index: one task a call, its figures as one line of JSON, as `worker` has them.

Usage: peers.py onnx-model MODEL OUT            (writes OUT/f32.onnx and OUT/int8.onnx)
       peers.py onnx FILE.onnx MODEL TEXTS
       peers.py torch MODEL TEXTS f32|bf16
       peers.py usearch VECTORS DIMENSION ASKED bf16|i8 EFFORT…
       peers.py hnswlib VECTORS DIMENSION ASKED EFFORT…
"""

import json
import statistics
import sys
import time
from pathlib import Path

import numpy

THREADS = 2
QUESTION = "who runs the night market by the river in {} and why"
NEAREST = 10
CONNECTIONS, BUILD = 24, 200


def timed(rounds, task):
    """The middle of the times that a task takes, in seconds."""
    times = []
    for turn in range(rounds):
        begun = time.perf_counter()
        task(turn)
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


def encoder(model, texts, embed, batches=(4, 8, 16, 32)):
    """Passages a second with the batch that suits best, and a lone question's time; `embed` takes arrays."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(f"{model}/tokenizer.json")
    tokenizer.enable_truncation(256)
    tokenizer.enable_padding()
    # Texts of a length share a batch, so that little is padded.
    texts = sorted(json.loads(Path(texts).read_text()), key=lambda text: sum(tokenizer.encode(text).attention_mask))

    def batch(some):
        encoded = tokenizer.encode_batch(some)
        ids = numpy.array([one.ids for one in encoded], dtype=numpy.int64)
        mask = numpy.array([one.attention_mask for one in encoded], dtype=numpy.int64)
        states = embed(ids, mask)
        means = (states * mask[:, :, None]).sum(1) / mask.sum(1, keepdims=True)
        return means / numpy.linalg.norm(means, axis=1, keepdims=True)

    def all_of(size, rounds):
        return timed(rounds, lambda _: [batch(texts[at : at + size]) for at in range(0, len(texts), size)])

    batch(texts[:8])
    passages = all_of(min(batches, key=lambda size: all_of(size, 1)), 3)
    lone = timed(200, lambda turn: batch([QUESTION.format(turn)]))
    return {"passages_per_second": len(texts) / passages, "lone_ms": lone * 1e3}


def onnx_model(model, out):
    import torch
    from onnx import TensorProto
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.transformers.optimizer import optimize_model
    from transformers import AutoConfig, AutoModel

    config = AutoConfig.from_pretrained(model, attn_implementation="eager")
    bert = AutoModel.from_pretrained(model, config=config).eval()

    class Alone(torch.nn.Module):
        """Without what the library adds to a call."""

        def __init__(self):
            super().__init__()
            self.bert = bert

        def forward(self, ids, mask):
            return self.bert(input_ids=ids, attention_mask=mask).last_hidden_state

    example = (torch.ones(2, 16, dtype=torch.int64), torch.ones(2, 16, dtype=torch.int64))
    names = {"input_names": ["input_ids", "attention_mask"], "output_names": ["states"]}
    axes = {name: {0: "batch", 1: "length"} for name in ("input_ids", "attention_mask", "states")}
    plain = f"{out}/plain.onnx"
    torch.onnx.export(Alone(), example, plain, dynamic_axes=axes, opset_version=17, dynamo=False, **names)
    fused = optimize_model(plain, model_type="bert", num_heads=config.num_attention_heads, hidden_size=config.hidden_size)
    fused.save_model_to_file(f"{out}/f32.onnx")
    # Types are not inferred through fused steps.
    known = {"DefaultTensorType": TensorProto.FLOAT}
    quantize_dynamic(f"{out}/f32.onnx", f"{out}/int8.onnx", per_channel=True, weight_type=QuantType.QInt8, extra_options=known)
    return {"fused": fused.get_fused_operator_statistics()}


def onnx(file, model, texts):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    return encoder(model, texts, lambda ids, mask: session.run(None, {"input_ids": ids, "attention_mask": mask})[0])


def torch_model(model, texts, precision):
    import torch
    from transformers import AutoModel

    torch.set_num_threads(THREADS)
    kind = {"f32": torch.float32, "bf16": torch.bfloat16}[precision]
    bert = AutoModel.from_pretrained(model, dtype=kind).eval()

    def embed(ids, mask):
        with torch.inference_mode():
            states = bert(input_ids=torch.from_numpy(ids), attention_mask=torch.from_numpy(mask)).last_hidden_state
            return states.float().numpy()

    return encoder(model, texts, embed)


def index(vectors, dimension, asked, efforts, build, search):
    """Builds an index of all rows but the last ones, which then ask, one thread, in one call each."""
    rows = numpy.fromfile(vectors, dtype=numpy.float32).reshape(-1, dimension)
    base, questions = rows[:-asked], rows[-asked:]
    truth = [set(numpy.argpartition(-(base @ question), NEAREST)[:NEAREST].tolist()) for question in questions]
    seconds = timed(1, lambda _: build(base))
    curve = []
    for effort in efforts:
        found = search(questions, effort)
        hits = sum(len(truth[at] & set(ids)) for at, ids in enumerate(found.tolist()))
        taken = timed(3, lambda _: search(questions, effort))
        curve.append({"effort": effort, "recall@10": hits / (NEAREST * asked), "per_second": asked / taken})
    return {"rows": len(base), "build_seconds": seconds, "curve": curve}


def usearch(vectors, dimension, asked, kind, *efforts):
    from usearch.index import Index

    graph = Index(ndim=int(dimension), metric="ip", dtype=kind, connectivity=CONNECTIONS, expansion_add=BUILD)

    def search(questions, effort):
        graph.expansion_search = effort
        return graph.search(questions, NEAREST, threads=1).keys

    def build(base):
        graph.add(numpy.arange(len(base)), base, threads=THREADS)

    return index(vectors, int(dimension), int(asked), map(int, efforts), build, search)


def hnswlib(vectors, dimension, asked, *efforts):
    import hnswlib as library

    graph = library.Index(space="ip", dim=int(dimension))

    def search(questions, effort):
        graph.set_ef(effort)
        return graph.knn_query(questions, NEAREST, num_threads=1)[0]

    def build(base):
        graph.init_index(max_elements=len(base), M=CONNECTIONS, ef_construction=BUILD)
        graph.add_items(base, num_threads=THREADS)

    return index(vectors, int(dimension), int(asked), map(int, efforts), build, search)


if __name__ == "__main__":
    tasks = {"onnx-model": onnx_model, "onnx": onnx, "torch": torch_model, "usearch": usearch, "hnswlib": hnswlib}
    print(json.dumps(tasks[sys.argv[1]](*sys.argv[2:])))
