"""A great many mixed requests: memory and descriptors stay as they are.

    python tests/faults/soak.py IBID [REQUESTS]     # 1,000,000 unless told otherwise

Of ten requests seven ask, two search, and one adds, replaces or removes one of 2,000 articles. Eight clients
send the next when the last was answered. The first fifth fills caches, and graphs are built behind it.
"""

import asyncio
import json
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from service import Service, article

ARTICLES, CLIENTS = 2000, 8


def request(dice: random.Random, ids: dict[int, str]) -> tuple[int | None, bytes]:
    """A request, and the article that it writes, if it does."""
    number, kind = dice.randrange(ARTICLES), dice.random()
    method, written = "POST", None
    question = json.dumps({"question": f"L{number} 号灯塔今年的读数是多少？"}).encode()
    path, body = ("/v1/ask", question) if kind < 0.7 else ("/v1/search", question)
    if kind >= 0.9:
        path, body, written = "/v1/articles", json.dumps(article(f"L{number}", dice.randrange(10_000))).encode(), number
    if kind >= 0.97 and number in ids:
        method, path, body = "DELETE", f"/v1/articles/{ids[number]}?purge=true", b""
    head = f"{method} {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return written, head.encode() + body


async def client(service: Service, seed: int, count: int, statuses: dict[int, int]) -> None:
    dice, ids = random.Random(seed), {}
    reader, writer = await asyncio.open_connection(service.host, int(service.port))
    for _ in range(count):
        number, sent = request(dice, ids)
        writer.write(sent)
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = next((int(line.split(":")[1]) for line in head.split("\r\n") if line.startswith("content-length:")), 0)
        body = await reader.readexactly(length)
        status = int(head.split(" ", 2)[1])
        statuses[status] = statuses.get(status, 0) + 1
        if number is not None and status == 200:
            ids[number] = json.loads(body)["articles"][0]["id"]
    writer.close()


async def some(service: Service, seed: int, count: int, statuses: dict[int, int]) -> int:
    """The memory that it took meanwhile: the median, for each write takes some and gives it back."""
    seen: list[int] = []

    async def watch() -> None:
        while True:
            seen.append(service.memory())
            await asyncio.sleep(1)

    watcher = asyncio.create_task(watch())
    await asyncio.gather(*(client(service, seed * CLIENTS + one, count // CLIENTS, statuses) for one in range(CLIENTS)))
    watcher.cancel()
    return int(statistics.median(seen))


def main(ibid: str, requests: int) -> None:
    with tempfile.TemporaryDirectory() as folder, Service(ibid, Path(folder) / "data") as service:
        for start in range(0, ARTICLES, 500):
            assert service.call("POST", "/v1/articles", [article(f"L{n}", n) for n in range(start, start + 500)])[0] == 200
        statuses: dict[int, int] = {}
        memory, descriptors = [], []
        for part in range(10):
            begun = time.monotonic()
            memory.append(asyncio.run(some(service, part, requests // 10, statuses)) >> 20)
            descriptors.append(service.descriptors())
            rate = requests / 10 / (time.monotonic() - begun)
            print(f"{(part + 1) * requests // 10}: {rate:.0f}/s, memory {memory[-1]} MiB, descriptors {descriptors[-1]}, statuses {statuses}", flush=True)
        assert set(statuses) <= {200, 204, 404, 429}, statuses
        assert max(memory[2:]) <= 1.15 * memory[1], f"memory grows: {memory}"
        assert max(descriptors[2:]) <= descriptors[1] + 16, f"descriptors are not given back: {descriptors}"


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000)
