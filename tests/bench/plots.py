"""Plots of what bench.py measured, as SVG."""

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402


def saved(figure, path):
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)


def bars(path, what, values):
    figure, axes = pyplot.subplots(figsize=(7, 0.4 * len(values) + 1))
    names = [name for name, _ in values]
    axes.barh(names[::-1], [value for _, value in values][::-1], color=["#c33" if "ibid" in name else "#999" for name in names[::-1]])
    axes.bar_label(axes.containers[0], fmt="%.3g", padding=3)
    axes.set_xlabel(what)
    saved(figure, path)


def curves(path, contestants):
    """Questions a second by recall."""
    figure, axes = pyplot.subplots(figsize=(7, 4))
    for name, curve in contestants.items():
        points = [(point["recall@10"], point["per_second"]) for point in curve]
        axes.plot(*zip(*points), marker="o", label=name)
    axes.set(xlabel="recall@10", ylabel="questions a second, one thread", yscale="log")
    axes.legend()
    saved(figure, path)


def growth(path, kinds):
    """Time to build and to ask, by count."""
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 4))
    for name, runs in kinds.items():
        counts = [one["rows"] for one in runs]
        left.plot(counts, [one["build_seconds"] for one in runs], marker="o", label=name)
        right.plot(counts, [one["curve"][0]["p50_ms"] for one in runs], marker="o", label=name)
        right.plot(counts, [one["scan_ms"] for one in runs], marker="x", linestyle=":", label=f"{name}, scan")
    left.set(xlabel="vectors", ylabel="seconds to build", xscale="log", yscale="log")
    right.set(xlabel="vectors", ylabel="ms a question, p50", xscale="log", yscale="log")
    right.legend()
    saved(figure, path)
