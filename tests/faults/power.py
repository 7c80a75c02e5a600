"""Power lost at random moments: what the disk may then hold is put together, and nothing acknowledged is missing.

    python tests/faults/power.py IBID [LOSSES] [SEED]     # needs strace; 40 losses unless told otherwise

A service that articles are added to, replaced in and removed from is traced: each write with its bytes, each
sync, each name that comes, changes or goes. A disk that loses its power keeps what was synced; of the rest it
keeps nothing, all, what came first, or any part, sectors of a page apart from each other. For each loss such a
data folder is laid out, and ibid is started on it.

Names are kept in the order in which they were changed, a new file's at the latest with its own first sync (ext4,
xfs and btrfs do so). Memory maps that are written to are not seen: SQLite's `-shm` is one, and is made anew.
"""

import http.client
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from kills import KEYS, Model, verify
from service import Service, article, check

CALLS = "openat,write,writev,pwrite64,lseek,ftruncate,fallocate,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,dup,dup2,dup3,fcntl,close,sendto,sendmsg"
ENVIRONMENT = {"IBID__SEARCH__EXACT_BELOW": "20"}
SECTOR = 512


@dataclass
class File:
    """What is surely on the disk, and what was written since the last sync."""

    durable: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)  # (place, bytes), or (length, None)
    length: int = 0

    def write(self, place: int, data: bytes) -> None:
        self.pending.append((place, data))
        self.length = max(self.length, place + len(data))

    def cut(self, length: int) -> None:
        self.pending.append((length, None))
        self.length = length

    def synced(self, until: int) -> None:
        for change in self.pending[:until]:
            apply(self.durable, change)
        del self.pending[:until]

    def after_loss(self, dice: random.Random) -> bytes:
        kept, how = bytearray(self.durable), dice.choice(["none", "all", "first", "any"])
        until = dice.randint(0, len(self.pending)) if how == "first" else len(self.pending)
        for place, data in self.pending[:until] if how != "none" else []:
            if how != "any":
                apply(kept, (place, data))
            elif data is None:
                if dice.random() < 0.5:
                    apply(kept, (place, None))
            else:
                for at in range(0, len(data), SECTOR):
                    if dice.random() < 0.5:
                        apply(kept, (place + at, data[at : at + SECTOR]))
        return bytes(kept)


def apply(content: bytearray, change: tuple[int, bytes | None]) -> None:
    place, data = change
    if data is None:
        del content[place:]
    end = place + len(data or b"")
    if len(content) < end:
        content.extend(bytes(end - len(content)))
    if data is not None:
        content[place:end] = data


def bytes_of(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def path_of(text: str) -> str:
    return bytes_of(text).decode().removesuffix(" (deleted)")


@dataclass
class Call:
    name: str
    arguments: str
    result: int
    path: str | None
    begun: int


def calls(trace: Path):
    """Each call, where it ended; those that were interrupted by others are put together."""
    begun: dict[str, tuple[int, str]] = {}
    for place, line in enumerate(trace.open(errors="replace")):
        process, _, rest = line.rstrip("\n").partition(" ")
        rest, start = rest.strip(), place
        if rest.endswith("<unfinished ...>"):
            begun[process] = (place, rest.removesuffix("<unfinished ...>"))
            yield Call("begun", process, 0, None, place)
            continue
        if rest.startswith("<... "):
            if process not in begun:
                continue
            start, head = begun.pop(process)
            rest = head + rest.split("resumed>", 1)[1]
        found = re.match(r"(\w+)\((.*)\)\s+= (-?\d+)(?:<([^>]*)>)?", rest)
        if found:
            path = path_of(found[4]) if found[4] and found[4].startswith("\\x") else None
            yield Call(found[1], found[2], int(found[3]), path, start)


class Disk:
    """What the traced service did to its data folder, so far."""

    def __init__(self, root: str):
        self.root, self.files, self.names = root, {}, {}
        # Changes of names that are not surely on the disk: (path, file or None).
        self.pending: list[tuple[str, File | None]] = []
        self.durable: dict[str, File] = {}
        self.descriptors: dict[int, tuple[File, int, bool]] = {}
        self.folders: set[str] = {root}
        # How much was pending where a sync began: what came while it ran may have been missed.
        self.begun: dict[int, dict[int, int]] = {}
        self.answered: set[str] = set()

    def ours(self, path: str | None) -> bool:
        return path is not None and path.startswith(self.root)

    def name(self, path: str, file: File | None) -> None:
        self.pending.append((path, file))
        if file is None:
            self.names.pop(path, None)
        else:
            self.names[path] = file

    def names_synced(self, count: int) -> None:
        for path, file in self.pending[:count]:
            if file is None:
                self.durable.pop(path, None)
            else:
                self.durable[path] = file
        del self.pending[:count]

    def take(self, call: Call) -> None:
        if call.name == "begun":
            self.begun[call.begun] = {id(file): len(file.pending) for file in self.names.values()}
            return
        counts = self.begun.pop(call.begun, None)
        strings = [bytes_of(text) for text in re.findall(r'"((?:\\x[0-9a-f]{2})*)"', call.arguments)]
        descriptor = re.match(r"(\d+)<", call.arguments)
        number = int(descriptor[1]) if descriptor else -1
        if call.result < 0:
            return
        if call.name in ("write", "writev", "sendto", "sendmsg") and number not in self.descriptors:
            found = re.search(rb"x-request-id: (op-\d+)\r", b"".join(strings))
            if found:
                self.answered.add(found[1].decode())
            return
        self.on_file(call, number, strings, counts)

    def on_file(self, call: Call, number: int, strings: list[bytes], counts: dict[int, int] | None) -> None:
        name = call.name
        if name == "openat":
            self.descriptors.pop(call.result, None)
            if self.ours(call.path) and "O_DIRECTORY" not in call.arguments and call.path not in self.folders:
                file = self.names.get(call.path)
                if file is None:
                    file = File()
                    self.name(call.path, file)
                elif "O_TRUNC" in call.arguments:
                    file.cut(0)
                self.descriptors[call.result] = (file, 0, "O_APPEND" in call.arguments)
        elif name == "close":
            self.descriptors.pop(number, None)
        elif name in ("dup", "dup2", "dup3") or (name == "fcntl" and "F_DUPFD" in call.arguments):
            if number in self.descriptors:
                self.descriptors[call.result] = self.descriptors[number]
        elif name in ("mkdir", "mkdirat") and self.ours(strings[0].decode()):
            self.folders.add(strings[0].decode())
        elif name.startswith("rename") and self.ours(strings[0].decode()):
            file = self.names.get(strings[0].decode())
            assert file is not None, f"a folder was renamed: {strings[0]!r}"
            self.name(strings[0].decode(), None)
            self.name(strings[1].decode(), file)
        elif name in ("unlink", "unlinkat") and strings and strings[0].decode() in self.names:
            self.name(strings[0].decode(), None)
        elif name in ("fsync", "fdatasync"):
            self.sync(number, call, counts)
        elif number in self.descriptors:
            self.change(call, number, strings)

    def sync(self, number: int, call: Call, counts: dict[int, int] | None) -> None:
        folder = re.search(r"<((?:\\x[0-9a-f]{2})+)>", call.arguments)
        if number in self.descriptors:
            file = self.descriptors[number][0]
            file.synced(len(file.pending) if counts is None else counts.get(id(file), 0))
            made = [at for at, (_, named) in enumerate(self.pending) if named is file]
            self.names_synced(made[-1] + 1 if made else 0)
        elif folder and path_of(folder[1]) in self.folders:
            self.names_synced(len(self.pending))

    def change(self, call: Call, number: int, strings: list[bytes]) -> None:
        file, place, append = self.descriptors[number]
        if call.name == "pwrite64":
            file.write(int(call.arguments.rsplit(", ", 1)[1]), strings[0][: call.result])
        elif call.name in ("write", "writev"):
            data = b"".join(strings)[: call.result]
            place = file.length if append else place
            file.write(place, data)
            self.descriptors[number] = (file, place + len(data), append)
        elif call.name == "lseek":
            self.descriptors[number] = (file, call.result, append)
        elif call.name == "ftruncate":
            file.cut(int(call.arguments.rsplit(", ", 1)[1]))

    def lose(self, target: Path, dice: random.Random) -> None:
        """Lays out at `target` what may be left."""
        shutil.rmtree(target, ignore_errors=True)
        for folder in self.folders:
            (target / os.path.relpath(folder, self.root)).mkdir(parents=True, exist_ok=True)
        left = dict(self.durable)
        for path, file in self.pending[: dice.randint(0, len(self.pending))]:
            left.pop(path, None) if file is None else left.update({path: file})
        for path, file in left.items():
            place = target / os.path.relpath(path, self.root)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.after_loss(dice))


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
    options = f"-f -qq -y -xx -s 100000000 -o {base / 'trace'} -e trace={CALLS} -e signal=none"
    wrapper.write_text(f'#!/bin/sh\nexec strace {options} {ibid} "$@"\n')
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
