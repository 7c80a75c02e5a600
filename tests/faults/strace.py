"""What strace wrote down of a process: its calls with all their bytes, in the order in which they ended."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# What can change a file or a name, what says which file a number is, and what answers a client.
CALLS = "openat,write,writev,pwrite64,pwritev,pwritev2,sendfile,copy_file_range,lseek,ftruncate,fallocate,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,dup,dup2,dup3,fcntl,close,sendto,sendmsg"


def options(log: Path) -> str:
    """How strace has to be called."""
    return f"-f -qq -y -xx -s 100000000 -o {log} -e trace={CALLS} -e signal=none"


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


def calls(trace: Path) -> Iterator[Call]:
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
