"""A running `ibid serve`, asked by plain HTTP; and what a library must be after anything happened to it."""

import http.client
import json
import os
import signal
import subprocess
import time
import urllib.parse
from pathlib import Path


class Service:
    """Started on a free port, ready when made."""

    def __init__(self, ibid: str, data: Path, environment: dict[str, str] | None = None, key: str = ""):
        self.key = key
        command = [ibid, "serve", "--listen", "127.0.0.1:0", "--data", str(data)]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"IBID__LOG__FILTER": "error"} | (environment or {})
        )
        line = self.process.stdout.readline().strip()
        if not line:
            raise AssertionError(f"ibid did not start: {self.process.stderr.read()}")
        self.host, self.port = line.removeprefix("http://").split(":")
        begun = time.monotonic()
        while self.call("GET", "/readyz")[0] != 200:
            assert time.monotonic() - begun < 30, "ibid is not ready after 30 s"
            time.sleep(0.01)

    def call(self, method: str, path: str, body: object = None, timeout: float = 60) -> tuple[int, object, dict[str, str]]:
        """Status, body and headers; a connection that breaks off raises."""
        connection = http.client.HTTPConnection(self.host, int(self.port), timeout=timeout)
        try:
            data = None if body is None else json.dumps(body).encode()
            sent = ({"content-type": "application/json"} if data else {}) | ({"authorization": f"Bearer {self.key}"} if self.key else {})
            connection.request(method, urllib.parse.quote(path, safe="/?=&"), data, sent)
            response = connection.getresponse()
            text = response.read().decode()
            headers = {name.lower(): value for name, value in response.getheaders()}
        finally:
            connection.close()
        try:
            return response.status, json.loads(text), headers
        except ValueError:
            return response.status, text, headers

    def ask(self, question: str) -> dict:
        status, answer, _ = self.call("POST", "/v1/ask", {"question": question})
        assert status == 200, (status, answer)
        return answer

    def memory(self) -> int:
        """Resident bytes."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Asked to stop; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)

    def __enter__(self) -> "Service":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def check(ibid: str, data: Path, environment: dict[str, str] | None = None) -> None:
    """A deep check finds nothing."""
    command = [ibid, "check", "--deep", "--data", str(data)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | (environment or {}))
    assert done.returncode == 0 and "damaged" not in done.stderr, done.stderr


def article(key: str, number: int) -> dict:
    """An article that says one number, and can be asked for it."""
    text = f"{key} 号灯塔今年的读数是 {number}，由守塔人在清晨抄下，记在蓝色的本子里。"
    return {"key": key, "title": f"{key} 号灯塔", "text": text}
