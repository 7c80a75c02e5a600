"""The clock is wrong, and jumps: what is kept, in which order it came, and how long things took do not depend on it.

    python tests/faults/clock.py IBID     # needs libfaketime (Debian: faketime)
"""

import glob
import random
import sys
import tempfile
import threading
from datetime import datetime, timedelta
from pathlib import Path

from kills import KEYS, Model, verify
from service import Service, article, check

SHIFTS = ["+0d", "-1d", "+3650d", "-3650d", "+0d"]


def jump(clock: Path, stop: threading.Event) -> None:
    """Another time ten times a second."""
    dice = random.Random(9)
    while not stop.wait(0.1):
        # Renamed into place: a file that is half written is no time.
        fresh = clock.with_suffix(".new")
        fresh.write_text(dice.choice(["-1d", "+0d", "+3650d", "-30s", "+1h"]) + "\n")
        fresh.rename(clock)


def change(service: Service, model: Model, dice: random.Random) -> None:
    for number in range(40):
        key = dice.choice(KEYS)
        if key in model.ids and dice.random() < 0.3:
            status, *_ = service.call("DELETE", f"/v1/articles/{model.ids[key]}")
            assert status in (204, 404), status
            model.acknowledged(key, None)
        else:
            status, answer, _ = service.call("POST", "/v1/articles", article(key, number))
            assert status == 200, answer
            model.ids[key] = answer["articles"][0]["id"]
            model.acknowledged(key, number)


def main(ibid: str) -> None:
    library = next(iter(glob.glob("/usr/lib/*/faketime/libfaketime.so.1")), None)
    if library is None:
        print("clock: NOT TESTED, there is no libfaketime")
        return
    dice, model = random.Random(5), Model()
    ahead = str((datetime.now() + timedelta(days=3650)).year)
    with tempfile.TemporaryDirectory() as folder:
        data, clock = Path(folder) / "data", Path(folder) / "clock"
        environment = {"LD_PRELOAD": library, "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_NO_CACHE": "1", "FAKETIME_TIMESTAMP_FILE": str(clock)}
        years = set()
        for number, shift in enumerate([*SHIFTS, "jumps"]):
            clock.write_text("+0d\n" if shift == "jumps" else shift + "\n")
            stop = threading.Event()
            jumper = threading.Thread(target=jump, args=(clock, stop))
            service = Service(ibid, data, environment)
            if shift == "jumps":
                jumper.start()
            verify(service, model)
            change(service, model, dice)
            verify(service, model)
            took = service.ask(f"{KEYS[0]} 号灯塔今年的读数是多少？")["timings_ms"]
            assert all(0 <= one < 10_000 for one in took.values()), took
            years.add(service.call("GET", "/healthz")[2]["date"].split()[3])
            assert service.stop() == 0
            stop.set()
            if number == len(SHIFTS):
                jumper.join()
            check(ibid, data)
        # A decade ahead is enough to tell: hyper keeps a date that it has once shown until the clock has passed it.
        assert ahead in years, f"the clock was not wrong: {years}"
    print(f"clock: wrong by {', '.join(SHIFTS)} and jumping, in the years {', '.join(sorted(years))}: all is kept and in order")


if __name__ == "__main__":
    main(sys.argv[1])
