"""How fast PDFs are read, against pdftotext, in turns; and the memory of one of five hundred pages.

    apt install poppler-utils                            # pdftotext, pdfunite
    cargo bench --bench worker --no-run                  # prints where the worker is
    python tests/peers/printed_speed.py WORKER [ROUNDS]

Both give the text alone: nothing is embedded. ibid finds articles, headings and the box of each character besides.
"""

import json
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

PRINTED = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "printed"


def pdftotext(path):
    begun = time.monotonic()
    subprocess.run(["pdftotext", "-layout", path, "-"], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - begun


def ibid(worker, path):
    begun = time.monotonic()
    figures = json.loads(subprocess.run([worker, "read", path], check=True, capture_output=True).stdout)
    return time.monotonic() - begun, figures


def main(worker, rounds=5):
    with tempfile.TemporaryDirectory() as scratch:
        long = str(pathlib.Path(scratch) / "report-500.pdf")
        subprocess.run(["pdfunite", *[str(PRINTED / "report-50.pdf")] * 10, long], check=True)
        for path in [long, *(str(PRINTED / name) for name in ["news-unigb.pdf", "news-browser.pdf", "paper.pdf"])]:
            ours, theirs, figures = [], [], {}
            for _ in range(int(rounds)):
                seconds, figures = ibid(worker, path)
                ours.append(seconds)
                theirs.append(pdftotext(path))
            pages = figures["pages"]
            speed = [pages / statistics.median(times) for times in (ours, theirs)]
            print(f"{pathlib.Path(path).name}: {pages} pages, ibid {speed[0]:.0f} pages/s ({figures['memory_mib']} MiB), "
                  f"pdftotext {speed[1]:.0f} pages/s")
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
        print(f"most memory of any process: {peak} MiB")


if __name__ == "__main__":
    main(*sys.argv[1:])
