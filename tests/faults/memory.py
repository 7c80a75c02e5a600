"""The system gives no more memory: the process may end, and nothing that it acknowledged is lost.

    python tests/faults/memory.py IBID

In each round a service that runs is left a little more memory than it has, less than what follows needs: ever
larger articles come, questions between. Then it is started again without the limit, and looked at. Half of the
limits are the process's own: what it asks for is refused. The others are a control group's (as root, where these
can be made): what it uses is too much, and the system kills it.
"""

import atexit
import http.client
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from service import Service, article, check

MIB = 1 << 20
ROOM = [1, 4, 16, 48]
SENTENCES = [200, 2_000, 20_000, 60_000, 120_000]
GROUPS = {1: ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), 2: ("/sys/fs/cgroup", "memory.max")}


def data_size(service: Service) -> int:
    """Bytes of the process that the limit counts."""
    lines = Path(f"/proc/{service.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData"))


def own_limit(service: Service, room: int) -> None:
    limit = data_size(service) + room
    resource.prlimit(service.process.pid, resource.RLIMIT_DATA, (limit, limit))


def group_limit() -> Callable[[Service, int], None] | None:
    """Puts a service into a control group whose memory is limited; None where none can be made."""
    for root, file in GROUPS.values():
        group = Path(root) / f"ibid-{os.getpid()}"
        try:
            group.mkdir()
            atexit.register(group.rmdir)
            (group / file).write_text(str(1 << 40))
        except OSError:
            continue

        def limit(service: Service, room: int, group: Path = group, file: str = file) -> None:
            # What it has already is counted where it was before.
            (group / file).write_text(str(room))
            (group / "cgroup.procs").write_text(str(service.process.pid))

        return limit
    return None


def large(key: str, sentences: int) -> dict:
    """An article of many sentences, the last of them one that can be asked for."""
    asked = article(key, sentences)
    filled = "".join(f"第 {number} 天的风从 {number % 360} 度吹来，浪高记在第 {number} 页。" for number in range(sentences))
    return asked | {"text": filled + asked["text"]}


def fill(service: Service, number: int, acknowledged: dict[str, int]) -> int:
    """Adds ever larger articles until the process ends; how many were refused."""
    refused = 0
    for sentences in SENTENCES:
        key = f"M{number}{sentences}"
        try:
            status, answer, _ = service.call("POST", "/v1/articles", large(key, sentences))
            service.call("POST", "/v1/ask", {"question": f"{key} 号灯塔今年的读数是多少？"})
        except (OSError, http.client.HTTPException):
            break
        if status == 200:
            acknowledged[key] = sentences
        else:
            assert status in (413, 500, 503, 507), (status, answer)
            refused += 1
    return refused


def verify(service: Service, acknowledged: dict[str, int]) -> None:
    listed = {one["title"]: one["id"] for one in service.call("GET", "/v1/articles?limit=1000")[1]["articles"]}
    for key, sentences in acknowledged.items():
        text = service.call("GET", f"/v1/articles/{listed[f'{key} 号灯塔']}/text")[1]["text"]
        assert text == large(key, sentences)["text"], f"{key} is not whole"


def main(ibid: str) -> None:
    limits = [limit for limit in (own_limit, group_limit()) if limit]
    if len(limits) == 1:
        print("memory: no control group can be made: killed for memory NOT TESTED")
    acknowledged: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        for kind, limit in enumerate(limits):
            ended = refused = 0
            for number, room in enumerate(ROOM):
                with Service(ibid, data) as service:
                    verify(service, acknowledged)
                    limit(service, room * MIB)
                    refused += fill(service, kind * len(ROOM) + number, acknowledged)
                    # A process that was killed is gone a moment later.
                    time.sleep(0.2)
                    ended += service.process.poll() is not None
            # Once for all rounds, each of which begins with all articles read again: it embeds everything anew.
            check(ibid, data)
            if ended + refused == 0:
                # Some systems have control groups, and let nobody limit them.
                assert kind == 1, "there was memory enough: this tests nothing"
                print("memory: the control group's limit does not hold: killed for memory NOT TESTED")
                continue
            print(f"memory, {['its own limit', 'a control group'][kind]}: {ended} of {len(ROOM)} services ended, {refused} articles refused")
        with Service(ibid, data) as service:
            verify(service, acknowledged)
    print(f"memory: all {len(acknowledged)} articles that were acknowledged are whole")


if __name__ == "__main__":
    main(sys.argv[1])
