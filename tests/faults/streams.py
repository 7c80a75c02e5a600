"""200 streams at a time, a third of which break off in the middle: nothing stays behind them.

    python tests/faults/streams.py IBID [STREAMS]     # 6,000 in all unless told otherwise
"""

import asyncio
import json
import random
import sys
import tempfile
import time
from pathlib import Path

from service import Service, article

AT_ONCE, ARTICLES, DROPPED = 200, 200, 0.3


async def stream(service: Service, dice: random.Random, ended: dict[str, int]) -> None:
    """One streamed answer, read to its end or dropped after its first bytes."""
    body = json.dumps({"question": f"L{dice.randrange(ARTICLES)} 号灯塔今年的读数是多少？", "stream": True}).encode()
    head = f"POST /v1/ask HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    reader, writer = await asyncio.open_connection(service.host, int(service.port))
    writer.write(head.encode() + body)
    drop = dice.random() < DROPPED
    answer = await (reader.read(64) if drop else reader.read())
    status = answer.split(b" ", 2)[1].decode()
    how = "dropped" if drop else status if status != "200" else "whole" if b"event: answer" in answer else "cut off"
    ended[how] = ended.get(how, 0) + 1
    if drop:
        writer.transport.abort()
    writer.close()


async def all_of(service: Service, streams: int) -> dict[str, int]:
    ended: dict[str, int] = {}
    dice = random.Random(20261126)

    async def some() -> None:
        for _ in range(streams // AT_ONCE):
            await stream(service, dice, ended)

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))
    return ended


def main(ibid: str, streams: int) -> None:
    with tempfile.TemporaryDirectory() as folder, Service(ibid, Path(folder) / "data") as service:
        assert service.call("POST", "/v1/articles", [article(f"L{n}", n) for n in range(ARTICLES)])[0] == 200
        before = service.descriptors()
        ended = asyncio.run(all_of(service, streams))
        assert ended.get("whole", 0) > 0 and set(ended) <= {"whole", "dropped", "429"}, ended
        begun = time.monotonic()
        while service.descriptors() > before + 2:
            assert time.monotonic() - begun < 60, f"{service.descriptors()} descriptors after a minute, {before} before"
            time.sleep(0.1)
        # Whoever answers is free again.
        begun = time.monotonic()
        for number in range(50):
            assert service.ask(f"L{number} 号灯塔今年的读数是多少？")["answerable"]
        print(f"streams: {ended}; then {before} descriptors as before, and 50 answers in {time.monotonic() - begun:.2f} s")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 6000)
