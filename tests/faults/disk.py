"""A disk that loses its power: what is surely on it, and what may be, after the calls of a trace.

It keeps what was synced; of the rest nothing, all, what came first, or any part, sectors apart from each other.
Names are kept in the order in which they were changed, a new file's at the latest with its own first sync (ext4,
xfs and btrfs do so). Memory maps that are written to are not seen: SQLite's `-shm` is one, and is made anew.
"""

import os
import random
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from strace import Call, bytes_of, path_of

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
        else:
            assert call.name == "fcntl", f"{call.name} changes a file, and is not played back"

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
