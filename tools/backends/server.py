"""A chat model on an OpenAI-compatible server: SGLang, vLLM, transformers, a hosted one.

Knows the chat's documents and when to ask without a schema; how calls are made is
`tools.backends.endpoint`'s. It knows nothing of caches and money (`tools.backends.metered`), nor of
what a reply should say.
"""

from __future__ import annotations

import asyncio
import json
import time
from http import HTTPStatus

from tools.backends.chat import ChatReply, ChatRequest
from tools.backends.config import ServerConfig
from tools.backends.endpoint import Endpoint, Refused
from tools.backends.exchange import Answer
from tools.backends.patience import Patience, Pause
from tools.backends.wire import payload_of, reply_in

PATH = "/v1/chat/completions"
UNUSABLE = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)
"""How servers say that they do not know a parameter."""


class ServerChat(Endpoint):
    """A ChatModel over HTTP. Belongs to one event loop; leaving it closes its connections."""

    def __init__(self, config: ServerConfig, pause: Pause = asyncio.sleep) -> None:
        super().__init__(config, pause)
        self._refused_schemas: set[str] = set()

    @property
    def name(self) -> str:
        """The model's name on the server."""
        return self._config.model

    @property
    def identity(self) -> str:
        """The server, its model, and how pictures are sent; replicas are the same server."""
        shown = {"base_url", "model", "longest_side", "multi_images"}
        return self._config.model_dump_json(include=shown)

    async def reply(self, request: ChatRequest) -> ChatReply:
        """The server's reply; without a schema, if it refuses the one that is asked for."""
        started, patience = time.perf_counter(), self._patience()
        schema = json.dumps(request.reply_schema, sort_keys=True)
        structured = request.reply_schema is not None and schema not in self._refused_schemas
        try:
            reply = await self._asked(request, patience, structured)
        except Refused as refusal:
            if not structured or refusal.status not in UNUSABLE:
                raise
            reply = await self._asked(request, patience, structured=False)
            # Only now is it known that the schema was to blame.
            self._refused_schemas.add(schema)
        return reply.model_copy(update={"seconds": time.perf_counter() - started})

    async def _asked(self, request: ChatRequest, patience: Patience, structured: bool) -> ChatReply:
        payload = payload_of(request, self._config, structured=structured)
        return await self._called(PATH, payload, self._reply, patience)

    def _reply(self, answer: Answer) -> ChatReply:
        reply = reply_in(answer.body, answer.server)
        hidden = self._key.hidden
        return reply.model_copy(update={"text": hidden(reply.text), "model": hidden(reply.model)})
