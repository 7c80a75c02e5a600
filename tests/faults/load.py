"""Open-loop load: requests come when they come, whether earlier ones are answered or not.

    python tests/faults/load.py IBID [SECONDS]     # 20 seconds a step unless told otherwise

Nine of ten requests ask or search, one writes. First the capacity: as much as 16 clients get that wait
for their answers. Then half of it, nine tenths, twice and three times. The client runs on the same machine:
it takes its share of the cores, and the figures are ratios of one run.
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


class Load:
    def __init__(self, service: Service, articles: int):
        self.service, self.articles, self.dice = service, articles, random.Random(7)
        self.statuses: dict[int, int] = {}
        self.took: list[float] = []
        self.shed: list[float] = []

    def request(self) -> bytes:
        dice, number = self.dice.random(), self.dice.randrange(self.articles)
        question = json.dumps({"question": f"L{number} 号灯塔今年的读数是多少？"}).encode()
        path, body = ("/v1/ask", question) if dice < 0.7 else ("/v1/search", question)
        if dice >= 0.9:
            path, body = "/v1/articles", json.dumps(article(f"W{number}", self.dice.randrange(10_000))).encode()
        head = f"POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        return head.encode() + body

    async def one(self, due: float) -> None:
        """Time counts from when the request was due: one that waits in the client has waited too."""
        try:
            reader, writer = await asyncio.open_connection(self.service.host, int(self.service.port))
            writer.write(self.request())
            answer = await reader.read()
            writer.close()
            status = int(answer.split(b" ", 2)[1])
        except (OSError, IndexError, ValueError):
            status = 0
        took = time.perf_counter() - due
        self.statuses[status] = self.statuses.get(status, 0) + 1
        (self.took if status == 200 else self.shed).append(took * 1000)

    async def closed(self, clients: int, seconds: float) -> float:
        """Answers a second that `clients` get who wait for each."""
        end = time.perf_counter() + seconds

        async def client() -> None:
            while time.perf_counter() < end:
                await self.one(time.perf_counter())

        await asyncio.gather(*(client() for _ in range(clients)))
        return self.statuses.get(200, 0) / seconds

    async def open(self, rate: float, seconds: float) -> float:
        """Good answers a second at `rate` requests a second."""
        begun, tasks = time.perf_counter(), []
        for number in range(int(rate * seconds)):
            due = begun + number / rate
            await asyncio.sleep(max(0, due - time.perf_counter()))
            tasks.append(asyncio.create_task(self.one(due)))
        await asyncio.gather(*tasks)
        return self.statuses.get(200, 0) / (time.perf_counter() - begun)


def percentiles(took: list[float]) -> str:
    if len(took) < 2:
        return "–"
    cut = statistics.quantiles(took, n=100)
    return f"p50 {cut[49]:.1f}, p99 {cut[98]:.1f} ms"


def main(ibid: str, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as folder, Service(ibid, Path(folder) / "data") as service:
        articles = 2000
        assert service.call("POST", "/v1/articles", [article(f"L{n}", n * 11) for n in range(articles)])[0] == 200
        asyncio.run(Load(service, articles).closed(4, 3))
        full = Load(service, articles)
        capacity = asyncio.run(full.closed(16, seconds))
        print(f"capacity, 16 clients that wait: {capacity:.0f}/s, {percentiles(full.took)}, memory {service.memory() >> 20} MiB")
        for share in (0.5, 0.9, 2.0, 3.0):
            load = Load(service, articles)
            good = asyncio.run(load.open(capacity * share, seconds))
            print(
                f"{share:.0%} of capacity: {good:.0f}/s good ({good / capacity:.0%}), {percentiles(load.took)}; statuses {load.statuses}, "
                f"refusals {percentiles(load.shed)}, memory {service.memory() >> 20} MiB"
            )
        after = Load(service, articles)
        asyncio.run(after.closed(1, 3))
        print(f"afterwards, one client: {percentiles(after.took)}")
        assert service.stop() == 0


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 20)
