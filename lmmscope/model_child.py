"""The process that has the models of `lmmscope review`: it does what its parent asks, in a row.

`python -m lmmscope.model_child` reads a line of JSON for each thing that is asked, and writes one
for whatever there is to tell of it; `lmmscope.model_process` is the other end. When its input ends
it ends too, whatever it is doing: then nobody is there any more. Knows lines; models are
`lmmscope.bench_model`'s.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import traceback
from collections.abc import Callable
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any, TextIO

from pydantic import TypeAdapter

from lmmscope.bench_place import Place
from lmmscope.lane import Stopped
from review.bench import Question, Said, Trial
from sae_core.errors import UserError
from tools.failures import Failure

if TYPE_CHECKING:
    from lmmscope.bench_model import BenchModel

Message = dict[str, Any]
ASKED: TypeAdapter[Trial | Question] = TypeAdapter(Trial | Question)


class Telling:
    """Tells of one thing that was asked for, until somebody stops it."""

    def __init__(self, tell: Callable[[Message], None]) -> None:
        self._tell, self.stopped = tell, Event()

    def tell(self, **changes: Any) -> None:
        """Something changed."""
        self._tell({"told": changes})
        self.still()

    def hear(self, replies: tuple[Said, ...]) -> None:
        """What was said so far."""
        self.tell(state="working", note="", replies=[one.model_dump() for one in replies])

    def still(self) -> None:
        """Nothing changed yet."""
        if self.stopped.is_set():
            raise Stopped("stopped by hand")


class Child:
    """Does what is asked: texts in a thread of their own, since searches do not wait for trials."""

    def __init__(self, place: Place, out: TextIO) -> None:
        self._place, self._out, self._writing = place, out, Lock()
        self._lanes: dict[str, SimpleQueue[Message]] = {"models": SimpleQueue()}
        self._lanes["texts"] = SimpleQueue()
        self._going: dict[int, Telling] = {}

    def serve(self, lines: TextIO) -> None:
        """Until there are no more lines."""
        for queue in self._lanes.values():
            Thread(target=self._work, args=(queue,), daemon=True).start()
        for line in lines:
            message: Message = json.loads(line)
            number = message["number"]
            if message["do"] == "stop":
                if (telling := self._going.get(number)) is not None:
                    telling.stopped.set()
                continue
            self._going[number] = Telling(lambda told, n=number: self._write({"number": n, **told}))
            self._lanes["texts" if message["do"] == "meant" else "models"].put(message)

    def _work(self, queue: SimpleQueue[Message]) -> None:
        while True:
            message = queue.get()
            number = message["number"]
            self._write({"number": number, **self._answer(message, self._going[number])})
            del self._going[number]

    def _answer(self, message: Message, telling: Telling) -> Message:
        try:
            return {"done": self._done(message, telling)}
        except (Stopped, UserError, Failure) as error:
            return {"failed": str(error)}
        except Exception as error:  # noqa: BLE001
            # A bug: it is told in full where the server was started, and the model stays.
            traceback.print_exc()
            return {"failed": f"{type(error).__name__}: see where lmmscope review was started"}

    def _done(self, message: Message, telling: Telling) -> Any:
        match message["do"]:
            case "load":
                return self._place.load(telling.still)._asdict()
            case "index":
                return os.fspath(self._place.index(telling.still))
            case "work":
                return self._place.work(ASKED.validate_python(message["asked"]), telling)
            case "meant":
                found = self._place.meant(message["texts"])
                packed = found.vectors_ND.astype("<f4")
                vectors = base64.b64encode(packed.tobytes()).decode()
                return {"encoder": found.encoder, "shape": packed.shape, "vectors": vectors}
            case other:
                raise ValueError(f"nobody here does {other!r}")

    def _write(self, message: Message) -> None:
        with self._writing:
            self._out.write(json.dumps(message) + "\n")
            self._out.flush()


def serve(make: Callable[[Message], Place]) -> None:
    """Serve standard input and output; the first line says what `make` is to make a place of."""
    # Whatever a library prints is no message of ours.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    place = make(json.loads(sys.stdin.readline()))
    try:
        Child(place, out).serve(sys.stdin)
    finally:
        # At once: threads that work for nobody would be waited for.
        os._exit(0)


def place_of(opening: Message) -> BenchModel:
    """Of a profile, for a folder of runs."""
    from pathlib import Path

    from lmmscope.review_wiring import bench_model
    from lmmscope.settings import load_settings

    settings = load_settings(opening["profile"])
    return bench_model(settings.model_copy(update={"runs": Path(opening["runs"])}))


if __name__ == "__main__":
    serve(place_of)
