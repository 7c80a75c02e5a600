"""A full disk: questions go on, writing is refused in plain words, and works again when there is room.

    python tests/faults/disk_full.py IBID      # as root: it mounts a small file system
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from service import Service, article, check


def main(ibid: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "ibid-faults", folder], capture_output=True, text=True)
        if mounted.returncode != 0:
            print(f"disk full: NOT TESTED, nothing can be mounted here: {mounted.stderr.strip()}")
            return
        try:
            filled(ibid, Path(folder))
        finally:
            subprocess.run(["umount", "-l", folder], check=True)
    print("disk full: refused with 507 while full, asked throughout, written again with room, sound afterwards")


def filled(ibid: str, folder: Path) -> None:
    data, filler = folder / "data", folder / "filler"
    with Service(ibid, data) as service:
        kept = [article(f"L{n}", n * 11) for n in range(40)]
        assert service.call("POST", "/v1/articles", kept)[0] == 200
        question = "L7 号灯塔今年的读数是多少？"
        before = service.ask(question)["answer"]
        assert "77" in before[0]["text"], before
        with filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
        refused = 0
        for n in range(20):
            body = [article(f"F{n}-{m}", n) for m in range(20)]
            for path in ("/v1/articles", "/v1/articles?wait=false"):
                status, problem, headers = service.call("POST", path, body)
                if status == 507:
                    refused += 1
                    assert problem["error"]["code"] == "insufficient_storage" and "retry-after" in headers, problem
                else:
                    assert status in (200, 202), (status, problem)
            assert service.ask(question)["answer"] == before
            assert service.call("GET", "/readyz")[0] == 200
        assert refused >= 20, f"{refused} of 40 writes were refused on a full disk"
        filler.unlink()
        status, taken, _ = service.call("POST", "/v1/articles", article("after", 4242))
        assert status == 200, taken
        assert "4242" in service.ask("after 号灯塔今年的读数是多少？")["answer"][0]["text"]
        waited = time.monotonic()
        while any(job["state"] in ("waiting", "running") for job in service.call("GET", "/v1/jobs")[1]["jobs"]):
            assert time.monotonic() - waited < 60, "jobs that were kept do not go on with room"
            time.sleep(0.2)
        assert service.stop() == 0
    check(ibid, data)


if __name__ == "__main__":
    main(sys.argv[1])
