"""An event loop in a thread of its own, for whoever calls from a program or a notebook.

A notebook has a loop running already, and models and connections belong to the one in which they
were first asked: so all work goes into this one, and callers wait for it in their own way. Knows
threads and coroutines; nothing of what they do.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine, Generator
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Thread
from types import FrameType
from typing import Any, TypeVar

from sae_core.errors import UserError

T = TypeVar("T")


class Loop:
    """The loop; its thread ends with it, or with the process."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="lmmscope", daemon=True)
        self._thread.start()

    def begin(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start some work."""
        if self._loop.is_closed():
            work.close()
            raise UserError("This scope is closed. Make a new one")
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def wait(self, work: Coroutine[Any, Any, T], stop: Callable[[], object] | None = None) -> T:
        """Do some work; the first Ctrl-C asks it to stop where that can be asked, the next ends it.

        `stop` is called in the loop.
        """
        asked = False

        def pressed(_number: int, _frame: FrameType | None) -> None:
            nonlocal asked
            if stop is None or asked:
                raise KeyboardInterrupt
            asked = True
            self._loop.call_soon_threadsafe(stop)

        with _on_ctrl_c(pressed):
            going = self.begin(work)
            try:
                return going.result()
            except KeyboardInterrupt:
                going.cancel()
                raise

    def close(self) -> None:
        """End the thread; what goes on is cut off."""
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(_cut_off(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@contextmanager
def _on_ctrl_c(pressed: Callable[[int, FrameType | None], None]) -> Generator[None]:
    """Set before any work begins: an exception could arise where nobody waits for it yet."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread hears of it
        return
    before = signal.signal(signal.SIGINT, pressed)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


async def _cut_off() -> None:
    """As `asyncio.run` ends: nothing is left pending, and no thread behind."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for one in others:
        one.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()
    await asyncio.get_running_loop().shutdown_default_executor()
