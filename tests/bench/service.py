"""Whole questions over HTTP to a running ibid, and where their time goes."""

import http.client
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

WARM = 50


def measured(asked):
    """Ingests all texts and asks all questions, one after the other, in every round."""
    import tasks

    questions = json.loads(asked.questions.read_text())
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder, "corpus")
        corpus.mkdir()
        parts(asked.texts, corpus)
        begun = time.perf_counter()
        said = subprocess.run([asked.ibid, "ingest", "--data", f"{folder}/data", corpus], check=True, capture_output=True, text=True)
        seconds = time.perf_counter() - begun
        log = open(f"{folder}/log", "w+", encoding="utf-8")
        environment = {**os.environ, "IBID__LOG__FORMAT": "json", "IBID__LOG__FILTER": "error,ibid::stages=debug"}
        command = [asked.ibid, "serve", "--listen", "127.0.0.1:0", "--data", f"{folder}/data"]
        service = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
        try:
            address = service.stdout.readline().strip().removeprefix("http://")
            rounds = [ask(address, questions) for _ in range(asked.rounds)]
        finally:
            service.terminate()
            service.wait(30)
        log.seek(0)
        stages = {}
        for line in log:
            fields = json.loads(line).get("fields", {}) if line.startswith("{") else {}
            if "stage" in fields:
                stages.setdefault(fields["stage"], []).append(fields["micros"] / 1e3)
    rows = [[stage, *spread(times)] for stage, times in stages.items()]
    rows.append(["the whole answer, HTTP included", *spread([time for times in rounds for time in times])])
    ingested = said.stderr.strip().splitlines()[-1]
    return tasks.table(["stage", "p50 ms", "p90 ms", "p99 ms"], rows) + f"\n{ingested}; with its graphs after {seconds:.0f} s.\n"


def parts(texts, folder, lines=20_000):
    """One file is read whole, so that a large one comes in parts."""
    with open(texts, encoding="utf-8") as file:
        for number, line in enumerate(file):
            if number % lines == 0:
                part = open(folder / f"{number:08}.jsonl", "w", encoding="utf-8")
            part.write(line)
    part.close()


def ask(address, questions):
    """Milliseconds of each question, but for the first few."""
    connection = http.client.HTTPConnection(address)
    times = []
    for question in questions:
        body = json.dumps({"question": question})
        begun = time.perf_counter()
        connection.request("POST", "/v1/ask", body, {"content-type": "application/json"})
        response = connection.getresponse()
        response.read()
        times.append((time.perf_counter() - begun) * 1e3)
        assert response.status == 200, response.status
    return times[WARM:]


def spread(times):
    cuts = statistics.quantiles(times, n=100)
    return [f"{cuts[at - 1]:.2f}" for at in (50, 90, 99)]
