"""Killed at random moments while several collections, jobs, keys and copies change at once: each is whole.

    python tests/faults/kills_collections.py IBID [ROUNDS] [SEED]     # 20 rounds unless told otherwise; 1000 for a night

One client writes into the first library and one into each of two collections; another makes, renames and removes
further collections; keys are made and removed by command; copies are taken. Everything is killed with -9. Then the
service starts on what is left: each article, each collection and each key is as it was acknowledged, or as it was asked
for; each copy that was finished can be put back; the deep check finds nothing.
"""

import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from kills import Model, change, settled, verify
from service import Service, check

PLACES = ["", "/collections/news", "/collections/old"]
SPARE = [f"spare-{n}" for n in range(4)]


class Place:
    """One library of a service: its routes begin with a prefix, and its key goes with each request."""

    def __init__(self, service: Service, prefix: str) -> None:
        self.service, self.prefix = service, prefix

    def call(self, method: str, path: str, body: object = None) -> tuple[int, object, dict[str, str]]:
        return self.service.call(method, self.prefix + path, body)

    def ask(self, question: str) -> dict:
        status, answer, _ = self.call("POST", "/v1/ask", {"question": question})
        assert status == 200, (self.prefix, status, answer)
        return answer


class Names:
    """Which further collections there may be: for each name the states that it may be in."""

    def __init__(self) -> None:
        self.may = {name: {False} for name in SPARE}

    def change(self, service: Service, dice: random.Random, stop: threading.Event) -> None:
        while not stop.is_set():
            name, other, act = dice.choice(SPARE), dice.choice(SPARE), dice.random()
            try:
                if act < 0.4:
                    self.may[name].add(True)
                    if service.call("POST", "/v1/collections", {"name": name})[0] == 201:
                        self.may[name] = {True}
                elif act < 0.7:
                    self.may[name].add(False)
                    if service.call("DELETE", f"/v1/collections/{name}")[0] == 204:
                        self.may[name] = {False}
                elif name != other:
                    before = {one: set(self.may[one]) for one in (name, other)}
                    self.may[name].add(False)
                    self.may[other].add(True)
                    status = service.call("PATCH", f"/v1/collections/{name}", {"name": other})[0]
                    if status == 200:
                        self.may[name], self.may[other] = {False}, {True}
                    elif status in (404, 409):
                        self.may.update(before)
            except OSError:
                return

    def verify(self, service: Service) -> None:
        listed = {one["name"]: one["state"] for one in service.call("GET", "/v1/collections")[1]["collections"]}
        assert all(state == "ready" for state in listed.values()), listed
        for name in SPARE:
            assert (name in listed) in self.may[name], f"{name}: {name in listed}, and must be one of {self.may[name]}"
            self.may[name] = {name in listed}
            wanted = 200 if name in listed else 404
            status = service.call("GET", f"/collections/{name}/v1/articles")[0]
            assert status == wanted, (name, status)


class Keys:
    """Keys by name: the words of those that were made, and whether each may be taken."""

    def __init__(self, ibid: str, file: Path) -> None:
        self.ibid, self.file = ibid, file
        self.words: dict[str, str] = {}
        self.removed: dict[str, str] = {}
        self.master = self.command("new", "master", "--scope", "read", "--scope", "write", "--scope", "admin")

    def command(self, *arguments: str) -> str:
        environment = os.environ | {"IBID__SERVER__KEYS": str(self.file)}
        done = subprocess.run([self.ibid, "key", *arguments], capture_output=True, text=True, env=environment)
        return done.stdout.strip() if done.returncode == 0 else ""

    def change(self, dice: random.Random, stop: threading.Event) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            name = f"k{dice.randrange(10**9)}-{number}"
            words = self.command("new", name, "--scope", f"read{dice.choice(['', '@news'])}")
            self.words[name] = words
            if dice.random() < 0.5:
                gone = dice.choice(list(self.words))
                words = self.words.pop(gone)
                self.command("remove", gone)
                self.removed[gone] = words

    def verify(self, service: Service) -> None:
        for known, wanted in [(self.words, 200), (self.removed, 401)]:
            for name, words in list(known.items())[-8:]:
                service.key = words
                status = service.call("GET", "/collections/news/v1/articles")[0]
                assert status == wanted, (name, status, wanted)
        service.key = self.master


def copies(ibid: str, data: Path, folder: Path, stop: threading.Event) -> None:
    """Takes copies until it is told to stop; what the last one was called when it was killed does not matter."""
    number = len(list(folder.iterdir()))
    while not stop.is_set():
        number += 1
        subprocess.run([ibid, "backup", "--data", str(data), str(folder / f"copy-{number}")], capture_output=True)


def put_back(ibid: str, folder: Path) -> int:
    """Puts the last finished copy back, and looks at it deeply."""
    done = sorted((one for one in folder.iterdir() if not one.name.endswith(".part")), key=lambda one: one.stat().st_mtime)
    for one in done[-1:]:
        target = folder.parent / f"restored-{one.name}"
        restored = subprocess.run([ibid, "restore", "--data", str(target), str(one)], capture_output=True, text=True)
        assert restored.returncode == 0, restored.stderr
        check(ibid, target)
    return len(done)


def main(ibid: str, rounds: int, seed: int) -> None:
    dice = random.Random(seed)
    models, names, finished = [Model() for _ in PLACES], Names(), 0
    with tempfile.TemporaryDirectory() as folder:
        data, copied = Path(folder) / "data", Path(folder) / "copies"
        copied.mkdir()
        keys = Keys(ibid, Path(folder) / "keys")
        for number in range(rounds):
            service = Service(ibid, data, {"IBID__SERVER__KEYS": str(keys.file), "IBID__SEARCH__EXACT_BELOW": "20"}, keys.master)
            if number == 0:
                for prefix in PLACES[1:]:
                    assert service.call("POST", "/v1/collections", {"name": prefix.rsplit("/", 1)[1]})[0] == 201
            for prefix, model in zip(PLACES, models):
                settled(Place(service, prefix))
                verify(Place(service, prefix), model)
            names.verify(service)
            keys.verify(service)
            stop = threading.Event()
            seeds = [random.Random(dice.random()) for _ in range(len(PLACES) + 2)]
            work = [(change, (Place(service, prefix), model, one, stop)) for prefix, model, one in zip(PLACES, models, seeds)]
            work += [(names.change, (service, seeds[-2], stop)), (keys.change, (seeds[-1], stop))]
            if number % 5 == 2:
                work.append((copies, (ibid, data, copied, stop)))
            threads = [threading.Thread(target=target, args=arguments) for target, arguments in work]
            for thread in threads:
                thread.start()
            time.sleep(dice.uniform(0.1, 1.5))
            service.kill()
            stop.set()
            for thread in threads:
                thread.join()
            if number % 10 == 9:
                check(ibid, data)
                finished = put_back(ibid, copied)
        citations = sum(len(model.citations) for model in models)
        print(f"kills of collections: {rounds} rounds with seed {seed}, {citations} citations kept, {finished} copies, nothing acknowledged was lost")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 20, int(sys.argv[3]) if len(sys.argv) > 3 else 20261128)
