"""Ten thousand idle connections, slow heads, slow bodies and clients that do not read: others are served as before.

    python tests/faults/connections.py IBID [CONNECTIONS]     # 10,000 unless told otherwise
"""

import resource
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path

from service import Service, article

SETTINGS = {"IBID__SERVER__HEAD_SECONDS": "20", "IBID__SERVER__BODY_SECONDS": "5", "IBID__SERVER__WRITE_SECONDS": "5"}
QUESTION = "L7 号灯塔今年的读数是多少？"


def latency(service: Service, questions: int = 100) -> tuple[float, float]:
    """Median and 99th percentile of a question, in milliseconds."""
    took = []
    for _ in range(questions):
        begun = time.perf_counter()
        assert service.ask(QUESTION)["answerable"]
        took.append((time.perf_counter() - begun) * 1000)
    return statistics.median(took), statistics.quantiles(took, n=100)[98]


def opened(service: Service, count: int, sent: bytes) -> list[socket.socket]:
    found = []
    for _ in range(count):
        connection = socket.create_connection((service.host, int(service.port)), timeout=10)
        connection.sendall(sent)
        found.append(connection)
    return found


def closed(connections: list[socket.socket], within: float) -> int:
    """How many of them the service closes in time."""
    end, count = time.monotonic() + within, 0
    for connection in connections:
        connection.settimeout(max(0.01, end - time.monotonic()))
        try:
            while connection.recv(1 << 16):
                pass
            count += 1
        except TimeoutError:
            pass
        except OSError:
            count += 1
        connection.close()
    return count


def main(ibid: str, count: int) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    count = min(count, most - 500)
    with tempfile.TemporaryDirectory() as folder, Service(ibid, Path(folder) / "data", SETTINGS) as service:
        assert service.call("POST", "/v1/articles", [article(f"L{n}", n * 11) for n in range(400)])[0] == 200
        latency(service)
        quiet, files = latency(service), service.descriptors()
        print(f"alone: p50 {quiet[0]:.1f} ms, p99 {quiet[1]:.1f} ms")
        head = b"POST /v1/ask HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 60000\r\n\r\n{"
        # An answer of about half a megabyte each, ten times on one connection, and never read.
        unread = b"GET /v1/articles?limit=1000 HTTP/1.1\r\nhost: localhost\r\n\r\n" * 10
        for name, number, sent, within in [
            ("idle", count, b"", 40), ("half a head", 1000, b"GET / HTTP/1.1\r\nx: ", 40),
            ("half a body", 1000, head, 20), ("not reading", 50, unread, 40),
        ]:
            # What earlier ones took is not given back to the system at once, and is used again.
            memory = service.memory()
            connections = opened(service, number, sent)
            # What was sent whole is worked off; what is left are connections that wait.
            time.sleep(3)
            took = latency(service)
            each = (service.memory() - memory) / number / 1024
            gone = closed(connections, within)
            print(f"{number} connections, {name}: p50 {took[0]:.1f} ms, p99 {took[1]:.1f} ms, {each:.1f} KiB each, {gone} closed in time")
            assert took[0] <= 3 * quiet[0] + 5, f"{name}: questions suffer"
            assert gone == number, f"{name}: {number - gone} connections are held"
            assert each < 20 or name == "not reading", f"{name}: {each} KiB for each connection"
        begun = time.monotonic()
        while service.descriptors() > files + 4:
            assert time.monotonic() - begun < 30, f"{service.descriptors()} descriptors, {files} before"
            time.sleep(0.1)
        assert service.stop() == 0


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10_000)
