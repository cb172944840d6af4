"""Run a shell command that serves on the default port, until it is healthy and has answered one request."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request

ENDPOINT = "http://127.0.0.1:4650"
PATIENCE = 300  # seconds: the command may install packages before it serves


def wait_for_health(server: subprocess.Popen[bytes]) -> None:
    """Exits with the server's log where it ends, or is not healthy in time."""
    for _ in range(2 * PATIENCE):
        try:
            urllib.request.urlopen(f"{ENDPOINT}/_mock/health", timeout=1).close()
            return
        except OSError:
            if server.poll() is not None:
                sys.exit("the command ended")
            time.sleep(0.5)
    sys.exit(f"it is not healthy after {PATIENCE} seconds")


def check_answer() -> None:
    """One response of the pretend model, through the front door."""
    body = json.dumps({"model": "gpt-4.1-nano", "input": "This is a test"}).encode()
    headers = {"content-type": "application/json", "api-key": "mock-key"}
    request = urllib.request.Request(f"{ENDPOINT}/openai/v1/responses", body, headers)
    with urllib.request.urlopen(request, timeout=10) as response:
        assert json.load(response)["status"] == "completed"


server = subprocess.Popen(sys.argv[1], shell=True, start_new_session=True)
try:
    wait_for_health(server)
    check_answer()
    print("it is healthy and answers")
finally:
    os.killpg(server.pid, signal.SIGTERM)
    server.wait()
