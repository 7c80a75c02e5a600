"""Power lost at random moments: what the disk may then hold is put together, and nothing acknowledged is missing.

    python tests/faults/power.py IBID [LOSSES] [SEED]     # needs strace; 40 losses unless told otherwise

A service that articles are added to, replaced in and removed from is traced: each write with its bytes, each
sync, each name that comes, changes or goes (`strace.py`). For each loss a data folder is laid out as a disk may
hold it then (`disk.py`), and ibid is started on it.
"""

import http.client
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from disk import Disk
from kills import KEYS, Model, verify
from service import Service, article, check
from strace import Call, calls, options

ENVIRONMENT = {"IBID__SEARCH__EXACT_BELOW": "20"}


def change(service: Service, dice: random.Random, count: int) -> list[tuple[str, int | None]]:
    """Adds, replaces and removes, one after the other; what each left of which key."""
    done, ids = [], {}
    for number in range(count):
        key = dice.choice(KEYS)
        remove = key in ids and dice.random() < 0.3
        method, path = ("DELETE", f"/v1/articles/{ids[key]}") if remove else ("POST", "/v1/articles")
        connection = http.client.HTTPConnection(service.host, int(service.port), timeout=60)
        headers = {"content-type": "application/json", "x-request-id": f"op-{number}"}
        connection.request(method, path, None if remove else json.dumps(article(key, number)), headers)
        response = connection.getresponse()
        answer = response.read()
        connection.close()
        assert response.status in (200, 204), (response.status, answer)
        if remove:
            del ids[key]
        else:
            ids[key] = json.loads(answer)["articles"][0]["id"]
        done.append((key, None if remove else number))
    return done


def record(ibid: str, base: Path, dice: random.Random) -> tuple[list[Call], list[tuple[str, int | None]]]:
    wrapper = base / "traced"
    wrapper.write_text(f'#!/bin/sh\nexec strace {options(base / "trace")} {ibid} "$@"\n')
    wrapper.chmod(0o755)
    service = Service(str(wrapper), base / "data", ENVIRONMENT)
    done = change(service, dice, 60)
    children = subprocess.run(["pgrep", "-P", str(service.process.pid)], capture_output=True, text=True).stdout.split()
    os.kill(int(children[0]), signal.SIGTERM)
    service.process.wait(timeout=60)
    return list(calls(base / "trace")), done


def main(ibid: str, losses: int, seed: int) -> None:
    if subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "true"], capture_output=True).returncode != 0:
        print("power: NOT TESTED, no process can be traced here")
        return
    dice = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder).resolve()
        trace, done = record(os.path.abspath(ibid), base, dice)
        moments = sorted(dice.sample(range(len(trace)), losses))
        disk, at = Disk(str(base / "data")), 0
        for moment in moments:
            for call in trace[at:moment]:
                disk.take(call)
            at = moment
            acknowledged = len(disk.answered)
            assert disk.answered == {f"op-{number}" for number in range(acknowledged)}
            model = Model()
            for key, number in done[:acknowledged]:
                model.acknowledged(key, number)
            for key, number in done[acknowledged : acknowledged + 1]:
                model.asked_for(key, number)
            disk.lose(base / "left", dice)
            with Service(ibid, base / "left", ENVIRONMENT) as service:
                verify(service, model)
            check(ibid, base / "left", ENVIRONMENT)
        for call in trace[at:]:
            disk.take(call)
        assert len(disk.answered) == len(done), "the trace does not hold each answer"
    print(f"power: lost {losses} times among {len(trace)} calls with seed {seed}, nothing acknowledged was missing")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 40, int(sys.argv[3]) if len(sys.argv) > 3 else 20261125)
