"""An explainer behind HTTP that gives each question a reply of the form that it asks for.

Started as an engine is, with `--host` and `--port`, it stands in for SGLang and vLLM: standard
library only, so that it is there at once.
"""

from __future__ import annotations

import json
import sys
import threading
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SIGN, CAR = "lettering on a sign", "a red car"
OTHERS = "a red car, a tree"
"""What is said where no form is asked for."""


def _reply(content: str | list) -> str:
    text = content if isinstance(content, str) else " ".join(p.get("text", "") for p in content)
    # Some pictures show lettering, the same ones whenever they are asked about.
    seen = SIGN if zlib.crc32(json.dumps(content).encode()) % 4 == 0 else CAR
    lettering = SIGN.split()[0]
    forms = {
        "[EXPLANATION]:": f"[EXPLANATION]: {seen}",
        "[HYPOTHESIS]": f"[HYPOTHESIS] {CAR}\n[HYPOTHESIS] a tree",
        "[ANSWER]": f"[ANSWER] {lettering if lettering in text else 'red car'}",
        "1 for yes or 0 for no": "1",
        "Which one class": "text" if lettering in text else "object",
    }
    return next((reply for form, reply in forms.items() if form in text), OTHERS)


class Handler(BaseHTTPRequestHandler):
    """The three addresses that are asked."""

    def do_GET(self):  # the name that http.server looks for
        self._send({"data": [{"id": "/models/large"}]})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        message = {"role": "assistant", "content": _reply(body["messages"][-1]["content"])}
        choice = {"message": message, "finish_reason": "stop"}
        self._send({"model": body["model"], "choices": [choice]})

    def _send(self, document: dict) -> None:
        data = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@contextmanager
def explainer() -> Generator[str]:
    """Its address, as long as it answers."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def _given(option: str) -> str:
    return sys.argv[sys.argv.index(option) + 1]


if __name__ == "__main__":
    ThreadingHTTPServer((_given("--host"), int(_given("--port"))), Handler).serve_forever()
