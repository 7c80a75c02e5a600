"""Compares the characters that ibid reads from PDFs with those that PDFium reads.

    pip install pypdfium2
    python tests/peers/printed_characters.py target/release/ibid [PDF ...]

Of each PDF, those of tests/fixtures/printed unless told otherwise: the share of PDFium's characters that stand in an
article, its title, its authors or its `left_out`, and the share of ibid's that PDFium reads too (a title that comes from
the metadata counts once more). Spaces, hyphens that end lines and the marks between cells are not compared.
"""

import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import pypdfium2

from printed_citations import PRINTED, characters


def of_pdfium(path):
    pages = pypdfium2.PdfDocument(path)
    return characters("".join(page.get_textpage().get_text_range() for page in pages))


def get(address, path):
    with urllib.request.urlopen(f"http://{address}{path}", timeout=60) as response:
        return response.read().decode()


def of_ibid(ibid, path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with tempfile.TemporaryDirectory() as data:
        command = [ibid, "serve", "--quiet", "--data", data, "--corpus", path, "--listen", address]
        serving = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            for _ in range(600):
                try:
                    get(address, "/readyz")
                    break
                except OSError:
                    time.sleep(0.2)
            read, left_out = [], ""
            for listed in json.loads(get(address, "/v1/articles?limit=500"))["articles"]:
                article = json.loads(get(address, f"/v1/articles/{listed['id']}"))
                text = json.loads(get(address, f"/v1/articles/{listed['id']}/text"))["text"]
                read += [text, article["title"], *article["authors"]]
                read.append(article.get("affiliation") or "")
                # Of the file, whichever article is asked.
                left_out = "".join(one["text"] for one in article["source"].get("left_out") or [])
            return characters("".join([*read, left_out]))
        finally:
            serving.terminate()
            serving.wait()


def main(ibid, *paths):
    for path in [pathlib.Path(path) for path in paths] or sorted(PRINTED.glob("*.pdf")):
        try:
            theirs = of_pdfium(path)
        except pypdfium2.PdfiumError as error:
            print(f"{path.name}: not read by PDFium ({error})")
            continue
        ours, both = of_ibid(ibid, path), 0
        both = (ours & theirs).total()
        shares = [both / max(1, counted.total()) for counted in (theirs, ours)]
        print(f"{path.name}: {theirs.total()} characters, {shares[0]:.4f} of PDFium's are read, {shares[1]:.4f} of ibid's are PDFium's")


if __name__ == "__main__":
    main(*sys.argv[1:])
