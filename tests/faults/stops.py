"""Told to stop under six kinds of load: it ends in its time, and what it acknowledged is there.

    python tests/faults/stops.py IBID [ROUNDS]     # one round of the six unless told otherwise

Questions, streamed answers, slow uploads, long jobs, watchers beside assistants, and exports beside copies: each kind
is at work when SIGTERM comes, and so is a client that writes. Clients get whole answers, a 503 or 429, or a closed
connection; nothing that was cut off looks whole. Then the service starts on what is left, which is looked at; and once
more under the jobs, where a second signal ends it at once.
"""

import http.client
import json
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from kills import Model, change, settled, verify
from service import Service, article, check

DRAIN, MARGIN = 2, 8  # seconds; the margin is for a busy machine, the work would take minutes
HELD = 400  # articles that are listed, exported and asked
SAMPLES = ["夜市的摊位费每晚收多少元？", "夜市的摊位费由谁收？"]


class Load:
    """Clients of one kind. Each exchange is told by how it ended; `under_way` counts those that have not."""

    def __init__(self, service: Service) -> None:
        self.service, self.stop = service, threading.Event()
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.faults: list[str] = []
        self.kept: dict[str, int] = {}
        self.threads: list[threading.Thread] = []

    def under_way(self) -> int:
        return len(self.begun) - len(self.ended)

    def send(self, method: str, path: str, body=None, kind: str = "application/json", last: str = "") -> object:
        """One exchange; the answer where it came whole. `last` is what stands in a whole one."""
        self.begun.append(path)
        connection = http.client.HTTPConnection(self.service.host, int(self.service.port), timeout=60)
        said = None
        try:
            sent = {"content-type": kind, "accept": "application/json, text/event-stream"}
            if not isinstance(body, (bytes, type(None))):
                sent["content-length"] = str(sum(len(part) for part, _ in body))
                body = slowly(body)
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            text = response.read().decode()
            if response.status in (200, 202):
                said = text
                how = "whole" if last in text else "cut off, and looks whole"
            else:
                how = str(response.status)
        except (OSError, http.client.HTTPException):
            how = "closed"
        finally:
            connection.close()
        if how not in ("whole", "503", "429", "closed"):
            self.faults.append(f"{method} {path}: {how}")
        self.ended.append(how)
        return said

    def start(self, clients: int, once) -> None:
        """So many clients that do `once(number)` again and again."""

        def client(number: int) -> None:
            while not self.stop.is_set():
                once(number)
                if self.ended[-1:] == ["closed"]:
                    time.sleep(0.05)

        self.threads += [threading.Thread(target=client, args=(number,)) for number in range(clients)]
        for thread in self.threads[-clients:]:
            thread.start()

    def end(self) -> None:
        self.stop.set()
        for thread in self.threads:
            thread.join()


def slowly(parts):
    for part, rest in parts:
        yield part
        time.sleep(rest)


def question(number: int, **more: object) -> bytes:
    return json.dumps({"question": f"L{number % HELD} 号灯塔今年的读数是多少？"} | more).encode()


def questions(load: Load) -> None:
    load.start(24, lambda n: load.send("POST", "/v1/ask", question(n), last='"citations"'))


def streams(load: Load) -> None:
    chat = json.dumps({"model": "ibid", "stream": True, "messages": [{"role": "user", "content": SAMPLES[0]}]}).encode()
    load.start(12, lambda n: load.send("POST", "/v1/ask", question(n, stream=True), last="event: answer"))
    load.start(12, lambda _: load.send("POST", "/v1/chat/completions", chat, last="[DONE]"))


def uploads(load: Load) -> None:
    """Bodies that come in parts: a list with room between its articles, lines with empty ones, a form of files."""
    numbers = iter(range(10**9))

    def once(client: int) -> None:
        keys = [f"U{client}-{next(numbers)}-{n}" for n in range(3)]
        articles = [json.dumps(article(key, n)).encode() for n, key in enumerate(keys)]
        kind, room = [("application/json", b" "), ("application/x-ndjson", b"\n"), ("multipart/form-data; boundary=x", b"")][client % 3]
        rest = 0.25 if client % 2 else 0.01
        if client % 3 == 0:
            texts = [b"[" + articles[0], b"," + articles[1], b"," + articles[2] + b"]"]
        elif client % 3 == 1:
            texts = [one + b"\n" for one in articles]
        else:
            head = '--x\r\ncontent-disposition: form-data; name="file"; filename="{}.jsonl"\r\n\r\n'
            renamed = [one.replace(b'"key"', b'"id"') for one in articles]
            texts = [head.format(key).encode() + one + b"\r\n" for key, one in zip(keys, renamed)] + [b"--x--\r\n"]
        parts = [(text + room * (1 << 20), rest) for text in texts]
        if load.send("POST", "/v1/articles", parts, kind, last='"articles"'):
            load.kept.update({key: n for n, key in enumerate(keys)})

    load.start(9, once)


def long_text(key: str) -> bytes:
    """What takes minutes to embed."""
    lines = [f"{key} 号仓库的第 {n} 行记着 {n * 7} 吨粮食，由第 {n} 队看守到天亮。" for n in range(30_000)]
    return json.dumps({"key": key, "title": f"{key} 号仓库", "text": "\n".join(lines)}).encode()


def jobs(load: Load) -> None:
    """A long job that is read, others behind it, and a long change whose client waits."""
    load.send("POST", "/v1/articles?wait=false", long_text("J0"), last="job_")
    load.start(1, lambda n: load.send("POST", "/v1/articles", long_text(f"J{n + 1}"), last='"articles"'))
    load.start(4, lambda n: load.send("POST", "/v1/ask", question(n), last='"citations"'))


def watchers(load: Load) -> None:
    """Watchers of a job that does not end, and assistants."""
    said = load.send("POST", "/v1/articles?wait=false", long_text("W0"), last="job_")
    path = f"/v1/jobs/{json.loads(said)['id']}/events"
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "ask", "arguments": {"question": SAMPLES[1]}}}
    load.start(60, lambda _: load.send("GET", path, last="data:"))
    load.start(6, lambda _: load.send("POST", "/mcp", json.dumps(call).encode(), last='"id":1'))


def exports(load: Load) -> None:
    """Lists of everything, bibliographies, answers as Markdown."""
    ids = [one["id"] for one in load.service.call("GET", "/v1/articles?limit=20")[1]["articles"]]
    load.start(8, lambda _: load.send("GET", "/v1/articles?limit=1000", last='"total"'))
    load.start(8, lambda n: load.send("GET", f"/v1/articles/{ids[n % len(ids)]}/citation?style=gb7714"))
    load.start(8, lambda n: load.send("POST", "/v1/ask?format=markdown", question(n), last="# "))


def copying(ibid: str, data: Path, copies: Path, stop: threading.Event) -> None:
    number = len(list(copies.iterdir()))
    while not stop.is_set():
        number += 1
        subprocess.run([ibid, "backup", "--data", str(data), str(copies / f"{number:04}")], capture_output=True)


def put_back(ibid: str, copies: Path) -> None:
    """The last finished copy is whole."""
    done = sorted(one for one in copies.iterdir() if not one.name.endswith(".part"))
    assert done, "no copy was finished"
    target = copies.parent / f"restored-{done[-1].name}"
    restored = subprocess.run([ibid, "restore", "--data", str(target), str(done[-1])], capture_output=True, text=True)
    assert restored.returncode == 0, restored.stderr
    check(ibid, target)


KINDS = [questions, streams, uploads, jobs, watchers, exports]


def stopped(service: Service, load: Load, signals: int) -> float:
    """Seconds that it took to end, with the right code."""
    begun = time.monotonic()
    while load.under_way() < 2:
        assert time.monotonic() - begun < 30, "nothing is under way"
        time.sleep(0.01)
    begun = time.monotonic()
    for number in range(signals):
        time.sleep(0.3 * number)
        service.process.send_signal(signal.SIGTERM)
    code = service.process.wait(timeout=120)
    took = time.monotonic() - begun
    wanted = 0 if signals == 1 else -signal.SIGABRT
    assert code == wanted, f"it ended with {code}, not {wanted}: {service.process.stderr.read()}"
    return took


def look(service: Service, model: Model, kept: dict[str, int]) -> None:
    """What was acknowledged is there, and nothing by halves. Long jobs are ended: they would take minutes."""
    for job in service.call("GET", "/v1/jobs?limit=100")[1]["jobs"]:
        if job["state"] in ("waiting", "running"):
            service.call("DELETE", f"/v1/jobs/{job['id']}")
    settled(service)
    verify(service, model)
    listed = service.call("GET", "/v1/articles?limit=1000")[1]
    assert listed["total"] < 1000, listed["total"]
    ids = {one["title"]: one["id"] for one in listed["articles"]}
    assert not any(title.endswith("号仓库") for title in ids), "a half of what takes minutes is there"
    for key, number in kept.items():
        title = article(key, number)["title"]
        assert title in ids, f"{key} was acknowledged and is not there"
        text = service.call("GET", f"/v1/articles/{ids[title]}/text")[1]["text"]
        assert text == article(key, number)["text"], text
    # They would fill the lists of later rounds.
    kept.clear()
    for title in [title for title in ids if title.startswith("U")]:
        assert service.call("DELETE", f"/v1/articles/{ids[title]}?purge=true")[0] == 204


def once(ibid: str, data: Path, kind, model: Model, kept: dict[str, int], signals: int = 1) -> None:
    """Starts, looks at what is there, loads, stops; `kept` is what was acknowledged since."""
    drain = DRAIN if signals == 1 else 60
    environment = {"IBID__SERVER__DRAIN_SECONDS": str(drain), "IBID__SERVER__QUEUE": "200", "IBID__SERVER__MAX_BODY_BYTES": "8000000"}
    service = Service(ibid, data, environment)
    look(service, model, kept)
    load = Load(service)
    kind(load)
    changing = threading.Thread(target=changed, args=(service, model, load.stop))
    changing.start()
    copies = data.parent / "copies"
    copying_too = threading.Thread(target=copying, args=(ibid, data, copies, load.stop))
    if kind is exports:
        copying_too.start()
    time.sleep(1.5)
    took = stopped(service, load, signals)
    load.end()
    changing.join()
    if kind is exports:
        copying_too.join()
        put_back(ibid, copies)
    assert not load.faults, load.faults[:5]
    assert took < (DRAIN if signals == 1 else 0.3) + MARGIN, f"{kind.__name__}: it took {took:.1f} s to end, and may take {drain}"
    kept.update(load.kept)
    said = ", ".join(f"{count} {how}" for how, count in sorted(Counter(load.ended).items()))
    print(f"{kind.__name__}{'' if signals == 1 else ', two signals'}: ended in {took:.2f} s; exchanges: {said}", flush=True)


def changed(service: Service, model: Model, stop: threading.Event) -> None:
    try:
        change(service, model, random.Random(len(model.citations)), stop)
    except http.client.HTTPException:
        pass  # an answer that was cut off: what it would have said may have happened


def main(ibid: str, rounds: int) -> None:
    model, kept = Model(), {}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        (Path(folder) / "copies").mkdir()
        with Service(ibid, data) as service:
            for first in range(0, HELD, 50):
                assert service.call("POST", "/v1/articles", [article(f"L{n}", n) for n in range(first, first + 50)])[0] == 200
        for _ in range(rounds):
            for kind in KINDS:
                once(ibid, data, kind, model, kept)
            once(ibid, data, jobs, model, kept, signals=2)
        with Service(ibid, data) as service:
            look(service, model, kept)
        check(ibid, data)
        print(f"stops: {rounds} rounds of {len(KINDS)} kinds, {len(model.citations)} citations kept, nothing acknowledged was lost")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1)
