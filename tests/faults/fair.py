"""Others' questions beside a hostile writer and a hostile reader: how much longer they take.

    python tests/faults/fair.py IBID [ROUNDS] [KIND…]     # 3 rounds of every kind unless told otherwise

One client asks one question after the other, alone and beside each kind of hostile client, who has a key of its own.
These run on the same machine, in a process of lower priority: what counts is the ratio in one run. The p99 beside a
hostile client is at most three times that alone; where it is not, this fails.
"""

import http.client
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from service import Service, article

FLOOR = 3.0
HELD = 200
SECONDS = 8  # of each measurement


def question(number: int, **more: object) -> bytes:
    return json.dumps({"question": f"L{number % HELD} 号灯塔今年的读数是多少？"} | more).encode()


def prose(key: str, lines: int) -> bytes:
    text = "\n".join(f"{key} 号仓库的第 {n} 行记着 {n * 7} 吨粮食，由第 {n} 队看守到天亮。" for n in range(lines))
    return json.dumps({"key": key, "title": f"{key} 号仓库", "text": text}).encode()


def job(n: int, turn: int):
    """One source of tens of megabytes: the first is read as long as this goes on."""
    return ("POST", "/v1/articles?wait=false", prose(f"J{turn}", 250_000)) if turn == 0 else ("GET", "/v1/jobs", None)


def puts(n: int, turn: int):
    return "POST", "/v1/articles", prose(f"P{n}", 100 + turn % 7)


def large_puts(n: int, turn: int):
    """Just below what counts as much."""
    return "POST", "/v1/articles", prose(f"G{n}", 2500 + turn % 7)


def questions(n: int, turn: int):
    return "POST", "/v1/ask", question(n + turn * 7)


def filters(n: int, turn: int):
    names = [f"nobody {n} {turn} {one}" for one in range(999)]
    filtered = {"author": names, "source": names, "language": names[:99] + ["zh"], "published_from": "1990-01-01"}
    return "POST", "/v1/search", question(n + turn, filter=filtered, limit=100)


def lists(n: int, turn: int):
    return ("GET", "/v1/articles?limit=1000", None) if n % 2 else ("POST", "/v1/ask?format=markdown", question(n, limit=100))


def assistants(n: int, turn: int):
    call = {"name": "search", "arguments": {"query": f"L{n + turn} 号灯塔"}}
    return "POST", "/mcp", json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}).encode()


def hours(n: int, turn: int):
    """The most that one request may ask of the models: documents to be ranked, texts to be embedded."""
    texts = [f"第 {one} 号仓库存着 {one * 7} 吨粮食，由第 {n} 队看守到天亮。" for one in range(100)]
    if n % 2:
        return "POST", "/v1/rerank", json.dumps({"query": f"第 {turn} 号", "documents": texts}).encode()
    return "POST", "/v1/embeddings", json.dumps({"input": texts}).encode()


KINDS = {
    "writer": [(job, 1), (puts, 4)],
    "large puts": [(large_puts, 8)],
    "questions": [(questions, 32)],
    "assistants": [(assistants, 32)],
    "reader": [(questions, 8), (filters, 6), (lists, 6), (assistants, 4)],
    "models": [(hours, 8)],
}


def client(port: int, key: str, making, number: int) -> None:
    sent = {"content-type": "application/json", "accept": "application/json, text/event-stream", "authorization": f"Bearer {key}"}
    turn = 0
    while True:
        method, path, body = making(number, turn)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        try:
            connection.request(method, path, body, sent)
            status = connection.getresponse().read() and 200
            if making is job and turn > 0:
                time.sleep(1)
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
        turn += 1


def hostile(port: int, key: str, kind: str) -> None:
    os.nice(10)
    for making, clients in KINDS[kind]:
        for number in range(clients):
            threading.Thread(target=client, args=(port, key, making, number), daemon=True).start()
    time.sleep(3600)


def asked(service: Service, seconds: float) -> list[float]:
    """Milliseconds of each question."""
    took, end = [], time.monotonic() + seconds
    while time.monotonic() < end or len(took) < 20:
        begun = time.perf_counter()
        status, answer, _ = service.call("POST", "/v1/ask", {"question": f"L{len(took) * 13 % HELD} 号灯塔今年的读数是多少？"}, timeout=120)
        took.append((time.perf_counter() - begun) * 1e3)
        assert status == 200, (status, answer)
    return took


def beside(service: Service, key: str, kind: str) -> list[float]:
    process = multiprocessing.Process(target=hostile, args=(int(service.port), key, kind), daemon=True)
    process.start()
    time.sleep(2)
    took = asked(service, SECONDS)
    process.kill()
    process.join()
    for one in service.call("GET", "/v1/jobs")[1]["jobs"]:
        if one["state"] in ("waiting", "running"):
            service.call("DELETE", f"/v1/jobs/{one['id']}")
    # What was asked for last has been given up.
    time.sleep(1)
    return took


def p(took: list[float], share: int) -> float:
    return statistics.quantiles(took, n=100)[share - 1]


def main(ibid: str, rounds: int, kinds: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        keys = Path(folder) / "keys"
        environment = {"IBID__SERVER__KEYS": str(keys), "IBID__SERVER__MAX_BODY_BYTES": "8000000"}

        def made(name: str) -> str:
            command = [ibid, "key", "new", name, "--scope", "read", "--scope", "write"]
            return subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | environment).stdout.strip()

        ours, theirs = made("ours"), made("theirs")
        with Service(ibid, Path(folder) / "data", environment, ours) as service:
            for first in range(0, HELD, 50):
                assert service.call("POST", "/v1/articles", [article(f"L{n}", n) for n in range(first, first + 50)], timeout=600)[0] == 200
            asked(service, 2)
            took: dict[str, list[float]] = {kind: [] for kind in ["alone", *kinds]}
            ratios: dict[str, list[float]] = {kind: [] for kind in kinds}
            for _ in range(rounds):
                for kind in kinds:
                    before = asked(service, SECONDS / 2)
                    here = beside(service, theirs, kind)
                    alone = before + asked(service, SECONDS / 2)
                    took["alone"] += alone
                    took[kind] += here
                    ratios[kind].append(p(here, 99) / p(alone, 99))
                    print(f"… {kind}: {len(here)} questions, {ratios[kind][-1]:.2f} times the p99 of {len(alone)} alone", flush=True)
            for kind, all_of_them in took.items():
                ratio = f", {p(all_of_them, 99) / p(took['alone'], 99):.2f} times that alone, each round " + str([round(one, 2) for one in ratios[kind]]) if kind != "alone" else ""
                print(f"{kind}: {len(all_of_them)} questions, p50 {p(all_of_them, 50):.1f}, p99 {p(all_of_them, 99):.1f} ms{ratio}")
            slow = [kind for kind in kinds if p(took[kind], 99) > FLOOR * p(took["alone"], 99)]
    assert not slow, f"more than {FLOOR} times as long beside: {', '.join(slow)}"
    print(f"fair: within {FLOOR} times")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3, sys.argv[3:] or list(KINDS))
