"""The asyncio client of Keywire, a push gateway.

It comes back by itself after every interruption and resumes where it was: each message arrives
once, or a :class:`Gap` says that some may be lost. It speaks ``keywire.v1`` of docs/protocol.md.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import inspect
import json
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import urlencode, urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
    WebSocketException,
)
from websockets.http11 import Response
from websockets.typing import Subprotocol

__all__ = ["Event", "Gap", "Keywire", "Message", "Refused", "Welcome"]

logger = logging.getLogger("keywire")

#: Seconds; whatever a server, or a proxy before it, asks for.
_LONGEST_WAIT = 86_400.0


@dataclass(frozen=True)
class Welcome:
    """A connection is open. ``recovered`` is None where no cursor was brought."""

    cursor: str
    recovered: bool | None
    lost: tuple[str, ...]


@dataclass(frozen=True)
class Message:
    """What the backend published, without its ``recipients``."""

    cursor: str
    data: Any


@dataclass(frozen=True)
class Gap:
    """Messages of ``sources`` (``channel``, ``stream``) may be lost: fetch your state anew."""

    cursor: str
    sources: tuple[str, ...]


Event: TypeAlias = Welcome | Message | Gap
_Key: TypeAlias = str | None
_Item: TypeAlias = tuple[str | None, Event | None]  # the cursor behind it, and what the caller is given


class Refused(Exception):
    """Coming back is of no use with this key, or request. ``code``: HTTP status or close code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


class _Connect(connect):
    """Follows no redirect, as browsers do not: the key would go where it was never meant to."""

    def process_redirect(self, exc: Exception) -> Exception:
        if isinstance(exc, ValueError):  # websockets 14 has no error of its own for what is no HTTP
            return InvalidHandshake(str(exc))
        return exc


class Keywire:
    """Events in order, by ``async for``; ``async with`` closes the connection at its end.

    :param url: ``wss:``, ``ws:``, ``https:`` or ``http:``, with or without the path ``/websocket``
    :param key: the secret, or a function (async too) that is asked for it before each attempt
    :param cursor: where to begin: a ``cursor`` of an earlier event
    :param loads: reads JSON, ``functools.partial(json.loads, parse_float=Decimal)`` for instance
    :param min_delay: seconds; the wait before coming back is random below it, doubled per failure
    :param max_delay: seconds; the bound of that doubling
    :param ping_interval: seconds of silence after which it asks, and then gives up
    :param options: more arguments of ``websockets.connect``, such as ``ssl``
    """

    def __init__(
        self,
        url: str,
        key: str | Callable[[], _Key | Awaitable[_Key]],
        *,
        cursor: str | None = None,
        loads: Callable[[str], Any] = json.loads,
        min_delay: float = 0.5,
        max_delay: float = 20,
        ping_interval: float = 15,
        **options: Any,
    ) -> None:
        if urlsplit(url).scheme not in ("ws", "wss", "http", "https"):
            raise ValueError("url must begin with wss:, ws:, https: or http:")
        #: Where the client is: behind the last event that the caller was given.
        self.cursor = cursor
        self._url, self._key, self._loads = url, key, loads
        self._min_delay, self._max_delay = min_delay, max_delay
        self._ping_interval, self._options = ping_interval, options
        self._socket: ClientConnection | None = None
        self._opening: asyncio.Task[None] | None = None  # it outlives a wait that is cut short
        self._items: deque[_Item] = deque()
        self._closings = 0
        self._failures = 0
        self._not_before = 0.0  # by the loop's clock
        self._quiet_at = 0.0  # when silence has lasted for ping_interval, by the loop's clock
        self._has_asked = False
        self._used_key: _Key = None
        self._refused: Refused | None = None  # the key used last was, and no welcome came since

    async def __aenter__(self) -> Keywire:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __aiter__(self) -> Keywire:
        return self

    async def close(self) -> None:
        """Closes the connection and ends the ``async for`` that waits for an event.

        A later one connects again and resumes.
        """
        self._closings += 1
        opening, self._opening = self._opening, None
        if opening is not None:
            opening.cancel()
            await asyncio.wait((opening,))
            if not opening.cancelled():
                opening.exception()  # asked, so that asyncio does not complain of it
        socket, self._socket = self._socket, None
        self._items.clear()
        if socket is not None:
            await socket.close()

    async def __anext__(self) -> Event:
        """The next event. It may be cancelled, by a timeout for instance, and loses nothing.

        :raises Refused: where coming back is of no use
        :raises StopAsyncIteration: where ``close()`` is called meanwhile
        """
        closings = self._closings
        while closings == self._closings:
            while self._items:
                self.cursor, event = self._items.popleft()
                if event is not None:
                    return event
            try:
                if self._socket is None:
                    await self._opened()
                else:
                    await self._hear(self._socket)
            except Exception as error:
                if closings == self._closings:
                    self._handle(error)
        raise StopAsyncIteration

    def _handle(self, error: Exception) -> None:
        if isinstance(error, InvalidStatus):
            self._handle_refusal(error.response)
        elif isinstance(error, ConnectionClosed):
            frame = error.rcvd
            self._handle_close(frame.code if frame else 1006, frame.reason if frame else "")
        elif isinstance(error, (OSError, WebSocketException, EOFError)):
            self._come_back(f"{type(error).__name__}: {error}")
        else:
            raise error

    async def _opened(self) -> None:
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
        opening = self._opening
        await asyncio.wait((opening,))  # a caller that is cancelled leaves it alone
        if opening is self._opening:
            self._opening = None
            if opening.cancelled():  # by what the key function asks, not by close()
                return self._come_back("the key function was cancelled")
        if not opening.cancelled():
            opening.result()

    async def _open(self) -> None:
        await asyncio.sleep(self._not_before - asyncio.get_running_loop().time())
        try:
            key = self._key() if callable(self._key) else self._key
            key = await key if inspect.isawaitable(key) else key
        except Exception as error:  # whatever it asks may be away for a while
            return self._come_back(f"the key function failed: {type(error).__name__}")
        if self._refused is not None and key in (None, self._used_key):
            raise self._refused
        if key is None:
            raise Refused(0, "no key")
        self._used_key = key
        encoded = base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")
        options = {"open_timeout": 20, "close_timeout": 1, "max_size": 2**26, **self._options}
        self._socket = await _Connect(
            self._address(),
            subprotocols=[Subprotocol("keywire.v1"), Subprotocol(f"key.{encoded}")],
            compression=None,  # the gateway has none
            ping_interval=None,  # the text `ping` keeps the cursor fresh, too
            **options,
        )
        self._heard()

    def _heard(self) -> None:
        self._has_asked = False
        self._quiet_at = asyncio.get_running_loop().time() + self._ping_interval

    def _address(self) -> str:
        scheme, host, path, query, _ = urlsplit(self._url)
        path = path.rstrip("/").removesuffix("/websocket") + "/websocket"
        after = urlencode({"after": self.cursor}) if self.cursor is not None else ""
        query = "&".join(part for part in (query, after) if part)
        return urlunsplit((scheme.replace("http", "ws"), host, path, query, ""))

    async def _hear(self, socket: ClientConnection) -> None:
        try:
            async with asyncio.timeout_at(self._quiet_at):
                frame = await socket.recv()
        except TimeoutError:
            if self._has_asked:
                socket.transport.abort()
                return self._come_back("the server is silent")
            self._heard()
            self._has_asked = True
            return await socket.send("ping")
        self._heard()
        text = frame if isinstance(frame, str) else frame.decode(errors="replace")
        for line in text.split("\n"):  # not splitlines: JSON may hold other line separators
            try:
                event = self._loads(line)
            except Exception as error:  # what `loads` raises is the caller's choice
                logger.error("Skipped an event that cannot be read: %s", type(error).__name__)
                continue
            if isinstance(event, dict) and event.get("type") == "reconnect":
                return await self._leave(socket, event.get("retryMs", 0) / 1_000)
            if isinstance(event, dict):
                self._items.extend(self._read(event))

    def _read(self, event: dict[str, Any]) -> Iterator[_Item]:
        kind: object = event.get("type")
        cursor: str = event.get("cursor") or self.cursor or ""
        if kind == "welcome":
            self._failures, self._refused = 0, None
            lost = tuple(event.get("lost", ()))
            if event.get("recovered") is False:  # first, so that no cursor kept hides it
                yield self.cursor, Gap(self.cursor or "", lost)
            yield cursor, Welcome(cursor, event.get("recovered"), lost)
        elif kind == "message":
            yield cursor, Message(cursor, event["message"])
        elif kind == "gap":
            yield cursor, Gap(cursor, (event["source"],))
        elif kind == "pong":
            yield cursor, None

    async def _leave(self, socket: ClientConnection, delay: float) -> None:
        self._socket = None
        self._not_before = asyncio.get_running_loop().time() + delay
        logger.info("The node stops: back on another in %.1f s", delay)
        await socket.close()

    def _handle_close(self, code: int, reason: str) -> None:
        if code == 1009:
            raise Refused(code, reason) from None
        if code == 4403:
            return self._refuse(Refused(code, reason))
        if code == 4429:
            self._failures = 30
        self._come_back(f"closed with {code} {reason}".rstrip())

    def _handle_refusal(self, response: Response) -> None:
        status, headers = response.status_code, response.headers
        if headers.get("Content-Type", "").startswith("application/problem+json"):
            detail = _detail(bytes(response.body or b""))
            if status == 403:
                return self._refuse(Refused(status, detail))
            if status in (400, 405, 426):
                raise Refused(status, detail) from None
        wait = headers.get("Retry-After", "")
        seconds = float(wait) if wait.isdecimal() else 0
        self._come_back(f"answered {status}", min(seconds, _LONGEST_WAIT))

    def _refuse(self, refused: Refused) -> None:
        self._socket = None
        if not callable(self._key) or self._refused is not None:
            raise refused from None
        self._refused, self._not_before = refused, 0.0  # the function may have another key

    def _come_back(self, reason: str, at_least: float = 0) -> None:
        self._socket = None
        bound = min(self._max_delay, self._min_delay * 2.0 ** min(self._failures, 30))
        self._failures += 1
        delay = at_least + random.uniform(0, bound)
        self._not_before = asyncio.get_running_loop().time() + delay
        logger.warning("Not connected (%s): back in %.1f s", reason, delay)


def _detail(body: bytes) -> str:
    with contextlib.suppress(ValueError, RecursionError):
        problem = json.loads(body)
        return str(problem.get("detail", "")) if isinstance(problem, dict) else ""
    return ""
