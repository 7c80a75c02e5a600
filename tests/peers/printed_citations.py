"""Checks citations of PDFs with PDFium: the text under a citation's boxes is its quote.

    pip install pypdfium2
    python tests/peers/printed_citations.py target/release/ibid [QUESTIONS]

Reads the PDFs of tests/fixtures/printed, asks each for sentences of its gold file, a hundred in all unless told
otherwise, and cuts the text under the boxes of each citation out of the PDF.
"""

import collections
import json
import pathlib
import random
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import pypdfium2

PRINTED = pathlib.Path(__file__).resolve().parent.parent / "fixtures" / "printed"
# PDFium does not turn its boxes with the page.
UPSIDE_DOWN = {"news-turned.pdf"}


def characters(text):
    return collections.Counter(c for c in text if not c.isspace() and c not in "-\u2010\u0002\ufffe|")


def letters(path, number, known={}):
    """Each character of a page with its middle, from the page's top left corner."""
    if (path, number) not in known:
        page = pypdfium2.PdfDocument(PRINTED / path)[number - 1]
        width, height = page.get_size()
        text, found = page.get_textpage(), []
        for at in range(text.count_chars()):
            left, bottom, right, top = text.get_charbox(at, loose=True)
            x, y = (left + right) / 2, height - (bottom + top) / 2
            if path in UPSIDE_DOWN:
                x, y = width - x, height - y
            found.append((text.get_text_range(at, 1), x, y))
        known[path, number] = found
    return known[path, number]


def under(path, boxes):
    def inside(box, x, y):
        return box["x0"] - 0.3 <= x <= box["x1"] + 0.3 and box["y0"] - 0.3 <= y <= box["y1"] + 0.3

    return "".join(c for box in boxes for c, x, y in letters(path, box["page"]) if inside(box, x, y))


def questions(count):
    sentences = set()
    for gold in sorted(PRINTED.glob("*.gold.txt")):
        for line in gold.read_text().splitlines():
            if re.match(r"\d+ p ", line):
                found = re.findall(r"[^。.！？]{12,}[。.！？]", line.split(" ", 2)[2])
                sentences.update((gold.name.replace(".gold.txt", ".pdf"), sentence.strip()) for sentence in found)
    return random.Random(7).sample(sorted(sentences), min(count, len(sentences)))


def ask(address, path, question):
    body = json.dumps({"question": question, "filter": {"source": [path]}}).encode()
    request = urllib.request.Request(f"http://{address}/v1/ask", body, {"content-type": "application/json"})
    return json.load(urllib.request.urlopen(request, timeout=60))


def main(ibid, count=100):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with tempfile.TemporaryDirectory() as data:
        serving = subprocess.Popen([ibid, "serve", "--quiet", "--data", data, "--corpus", PRINTED, "--listen", address],
                                   stderr=subprocess.DEVNULL)
        try:
            for _ in range(600):
                try:
                    urllib.request.urlopen(f"http://{address}/readyz", timeout=5)
                    break
                except OSError:
                    time.sleep(0.5)
            right, wrong, cited = 0, 0, set()
            for path, question in questions(int(count)):
                for citation in ask(address, path, question)["citations"]:
                    source = citation["source"]
                    if "page" not in source:
                        continue
                    cited.add(source["path"])
                    same = characters(under(source["path"], source["boxes"])) == characters(citation["quote"])
                    first = source["page"] == source["boxes"][0]["page"]
                    right, wrong = right + (same and first), wrong + (not (same and first))
                    if not (same and first):
                        print(f"{source['path']} page {source['page']}: `{citation['quote']}`")
            print(f"{right} citations hold their quotes, {wrong} do not, from {len(cited)} files")
        finally:
            serving.terminate()
            serving.wait()
    return wrong


if __name__ == "__main__":
    sys.exit(1 if main(*sys.argv[1:]) else 0)
