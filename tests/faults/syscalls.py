"""Each write and each sync of an ingest fails once, in turn: nothing half is kept, nothing kept is lost.

    python tests/faults/syscalls.py IBID [MOST]     # needs strace; MOST failures of each kind (default 12)
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from service import article, check

# What SQLite, the index of words and the graph write with.
KINDS = [
    ("fdatasync", "EIO"), ("fsync", "EIO"), ("pwrite64", "ENOSPC"), ("pwrite64", "EIO"), ("write", "ENOSPC"),
    ("ftruncate", "EIO"), ("rename", "EIO"), ("openat", "EMFILE"),
]
# A graph, for few articles.
ENVIRONMENT = {"IBID__SEARCH__EXACT_BELOW": "10"}


def run(command: list[str]) -> subprocess.CompletedProcess:
    return subprocess.run(command, capture_output=True, text=True, env=os.environ | ENVIRONMENT)


def numbers(ibid: str, data: Path) -> dict[str, set[str]]:
    """What is kept of each source: the readings that its articles say."""
    found: dict[str, set[str]] = {}
    for source in ("a", "b"):
        for n in range(8):
            done = run([ibid, "ask", "--json", "--data", str(data), f"{source}{n} 号灯塔今年的读数是多少？"])
            answer = json.loads(done.stdout)["answer"]
            said = re.search(r"读数是 (\d+)", answer[0]["text"]) if answer else None
            found.setdefault(source, set()).add(said.group(1) if said else "nothing")
    return found


def write(corpus: Path, number: int) -> None:
    for source in ("a", "b"):
        lines = (json.dumps({"id": one["key"]} | one, ensure_ascii=False) for one in (article(f"{source}{n}", number) for n in range(8)))
        (corpus / f"{source}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main(ibid: str, most: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        before, corpus = base / "before", base / "corpus"
        corpus.mkdir()
        write(corpus, 111)
        assert run([ibid, "ingest", "--data", str(before), str(corpus)]).returncode == 0
        assert numbers(ibid, before) == {"a": {"111"}, "b": {"111"}}
        write(corpus, 222)
        tried = failed = 0
        for call, error in KINDS:
            count = calls(ibid, base, before, corpus, call)
            step = max(1, count // most)
            for place in range(1, count + 1, step):
                data = copied(before, base / "data")
                inject = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={place}"]
                done = run([*inject, ibid, "ingest", "--data", str(data), str(corpus)])
                tried += 1
                failed += done.returncode != 0
                at = f"{call} {place} of {count} with {error}: {done.returncode} {done.stderr.strip()[-300:]}"
                assert done.returncode >= 0, f"killed by a signal at {at}"
                assert "panicked" not in done.stderr, at
                check(ibid, data, ENVIRONMENT)
                kept = numbers(ibid, data)
                assert all(said in ({"111"}, {"222"}) for said in kept.values()), f"{kept} after {at}"
                assert done.returncode != 0 or kept == {"a": {"222"}, "b": {"222"}}, f"acknowledged and not kept: {kept} after {at}"
        print(f"syscalls: {tried} failed in turn, {failed} ingests said so, none left half a source or lost what it acknowledged")


def copied(before: Path, data: Path) -> Path:
    shutil.rmtree(data, ignore_errors=True)
    return Path(shutil.copytree(before, data))


def calls(ibid: str, base: Path, before: Path, corpus: Path, call: str) -> int:
    """How often an undisturbed ingest makes `call`."""
    log = base / "calls"
    run(["strace", "-f", "-qq", "-o", str(log), "-e", f"trace={call}", ibid, "ingest", "--data", str(copied(before, base / "data")), str(corpus)])
    return sum(f"{call}(" in line for line in log.read_text(errors="replace").splitlines())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 12)
