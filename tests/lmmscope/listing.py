"""A server that answers every GET alike: what /v1/models says, for example."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer


@contextmanager
def serving(status: int, body: bytes) -> Generator[tuple[str, list[str]]]:
    """Its address, and the paths that it was asked for."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):  # the name that http.server looks for
            asked.append(self.path)
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    asked: list[str] = []
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()
