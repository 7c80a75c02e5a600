"""Questions while articles come in: how much longer they take.

    python tests/faults/ingest.py IBID [ARTICLES]     # 20,000 unless told otherwise

One client searches without a pause, alone and then beside a job that takes articles in. The client runs on
the same machine: what counts is the ratio. Then the process is killed in the middle of a second job.
"""

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

from service import Service, article, check


def searched(service: Service, going) -> list[float]:
    """Milliseconds of each search while `going()`."""
    took = []
    while going():
        begun = time.perf_counter()
        status, answer, _ = service.call("POST", "/v1/search", {"question": f"L{len(took) % 500} 号灯塔今年的读数是多少？"})
        took.append((time.perf_counter() - begun) * 1e3)
        assert status == 200, (status, answer)
    return took


def said(took: list[float]) -> str:
    return f"p50 {statistics.median(took):.1f}, p99 {statistics.quantiles(took, n=100)[98]:.1f} ms"


def count(service: Service) -> int:
    return service.call("GET", "/v1/collections")[1]["collections"][0]["articles"]


def sent(service: Service, key: str, articles: int) -> str:
    """The job that takes so many articles in."""
    status, answer, _ = service.call("POST", "/v1/articles?wait=false", [article(f"{key}{n}", n) for n in range(articles)])
    assert status == 202, (status, answer)
    return f"/v1/jobs/{answer['id']}"


def main(ibid: str, articles: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        with Service(ibid, data) as service:
            assert service.call("POST", "/v1/articles", [article(f"L{n}", n) for n in range(500)])[0] == 200
            before, end = count(service), time.monotonic() + 10
            alone = searched(service, lambda: time.monotonic() < end)
            begun, job = time.monotonic(), sent(service, "A", articles)
            beside = searched(service, lambda: service.call("GET", job)[1]["state"] in ("waiting", "running"))
            seconds = time.monotonic() - begun
            end = time.monotonic() + 10
            after = searched(service, lambda: time.monotonic() < end)
            print(f"alone {said(alone)}; beside {articles / seconds:.0f} articles a second {said(beside)}; after it {said(after)}")
            job = sent(service, "B", articles)
            time.sleep(seconds / 3)
            assert service.call("GET", job)[1]["state"] == "running", "the job has ended before the kill"
        with Service(ibid, data) as service:
            while service.call("GET", job)[1]["state"] in ("waiting", "running"):
                time.sleep(0.2)
            after = count(service)
            assert after == before + 2 * articles, f"{before} articles, and {after} after {2 * articles} more"
        check(ibid, data)
        print(f"killed during another {articles}: it went on, and none is there twice")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 20_000)
