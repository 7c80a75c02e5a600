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

from service import Service, article, check

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
    """What is kept of each source: the readings that its articles say, and that one of them is found."""
    found: dict[str, set[str]] = {"a": set(), "b": set()}
    with Service(ibid, data, ENVIRONMENT) as service:
        for one in service.call("GET", "/v1/articles?limit=100")[1]["articles"]:
            text = service.call("GET", f"/v1/articles/{one['id']}/text")[1]["text"]
            found[one["title"][0]].add(re.search(r"读数是 (\d+)", text).group(1))
        for source, said in found.items():
            answer = service.ask(f"{source}3 号灯塔今年的读数是多少？")["answer"]
            assert any(number in str(answer) for number in said), f"{source}3 is kept and not found: {answer}"
    return found


def write(corpus: Path, number: int) -> None:
    for source in ("a", "b"):
        lines = (json.dumps({"id": one["key"]} | one, ensure_ascii=False) for one in (article(f"{source}{n}", number) for n in range(8)))
        (corpus / f"{source}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main(ibid: str, most: int) -> None:
    if run(["strace", "-f", "-qq", "-o", "/dev/null", "true"]).returncode != 0:
        print("syscalls: NOT TESTED, no process can be traced here")
        return
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
                # What the standard library writes. ("Or panicked" is what the index of words says of any failure.)
                assert "panicked at" not in done.stderr, at
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
