"""The corners of the Python client: what its caller may do, and what may stand before the gateway.

Its one argument is the URL of a gateway, whose messages may say `loads` to be read in vain. It ends
with an assertion where the client breaks what its README says.
"""

import asyncio
import decimal
import functools
import gc
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from keywire import Keywire, Message, Refused, Welcome

URL = sys.argv[1]
corners: list[Callable[[], Awaitable[None]]] = []


@asynccontextmanager
async def front(*answers: bytes) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Something before the gateway: it gives each request the next answer, the last one for ever."""
    requests: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answers[min(len(requests), len(answers)) - 1])
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", requests


def http(status: str, headers: dict[str, str] | None = None, body: bytes = b"") -> bytes:
    head = {"Content-Length": str(len(body)), **(headers or {})}
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in head.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def publish(text: str) -> None:
    """Publishes over the gateway's API, by hand: the library has no HTTP client."""
    host = URL.removeprefix("http://")
    reader, writer = await asyncio.open_connection(*host.split(":"))
    body = text.encode()
    writer.write(
        f"POST /api/publish HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
    )
    assert b" 202 " in await reader.readline()
    writer.close()
    await writer.wait_closed()


async def welcome(keywire: Keywire) -> None:
    while not isinstance(await anext(keywire), Welcome):
        pass


@corners.append
async def comes_back_after_every_answer_that_is_not_of_a_gateway() -> None:
    async with front(
        http("302 Found", {"Location": "https://login.example/"}),
        http("403 Forbidden", {"Content-Type": "text/html"}, b"<html>"),
        http("407 Proxy Authentication Required"),
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"",
    ) as (url, requests):
        async with Keywire(url, "demo", min_delay=0.01, max_delay=0.01) as keywire:
            listening = asyncio.create_task(anext(keywire))
            while len(requests) < 7:
                assert not listening.done(), listening.exception()
                await asyncio.sleep(0.01)
            listening.cancel()


@corners.append
async def a_refusal_that_cannot_be_read_is_one_all_the_same() -> None:
    for body in (b"<html>", b"[]", b'{"detail":', b"\xff"):
        forbidden = http("403 Forbidden", {"Content-Type": "application/problem+json"}, body)
        async with front(forbidden) as (url, _), Keywire(url, "demo") as keywire:
            try:
                await anext(keywire)
                raise AssertionError("it was let in")
            except Refused as refused:
                assert (refused.code, refused.reason) == (403, ""), refused


@corners.append
async def waits_a_day_at_most_whatever_it_is_asked() -> None:
    late = http("503 Service Unavailable", {"Retry-After": "9" * 5_000})
    async with front(late) as (url, _), Keywire(url, "demo", min_delay=0.01) as keywire:
        listening = asyncio.create_task(anext(keywire))
        while keywire._not_before == 0:
            assert not listening.done(), listening.exception()
            await asyncio.sleep(0.01)
        assert keywire._not_before - asyncio.get_running_loop().time() < 100_000
        listening.cancel()


@corners.append
async def takes_the_key_to_no_other_place() -> None:
    async with front(http("404 Not Found")) as (other, stolen):
        moved = http("302 Found", {"Location": f"{other}/websocket"})
        async with front(moved) as (url, requests):
            async with Keywire(url, "demo", min_delay=0.01, max_delay=0.01) as keywire:
                listening = asyncio.create_task(anext(keywire))
                while len(requests) < 3:
                    await asyncio.sleep(0.01)
                listening.cancel()
        assert stolen == [], stolen


@corners.append
async def close_ends_a_loop_that_waits_for_an_event() -> None:
    async with Keywire(URL, "demo") as keywire:

        async def listen() -> list[Any]:
            return [event async for event in keywire]

        for _ in range(2):  # a later loop connects again
            listening = asyncio.create_task(listen())
            while keywire._socket is None:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            await keywire.close()
            async with asyncio.timeout(5):
                await listening


@corners.append
async def close_ends_a_loop_that_waits_for_the_connection() -> None:
    async def hang() -> str:
        await asyncio.sleep(60)
        return "demo"

    async with Keywire(URL, hang) as keywire:

        async def listen() -> list[Any]:
            return [event async for event in keywire]

        listening = asyncio.create_task(listen())
        while keywire._opening is None:
            await asyncio.sleep(0.01)
        await keywire.close()
        async with asyncio.timeout(5):
            assert await listening == []


@corners.append
async def a_key_function_that_is_cancelled_is_asked_again() -> None:
    asked: list[int] = []

    async def key() -> str:
        asked.append(1)
        if len(asked) == 1:
            raise asyncio.CancelledError
        return "demo"

    async with Keywire(URL, key, min_delay=0.01) as keywire, asyncio.timeout(10):
        await welcome(keywire)
    assert len(asked) == 2


@corners.append
async def skips_what_loads_cannot_read_whatever_it_raises() -> None:
    def reads(text: str) -> Any:
        if '"loads"' in text:
            raise KeyError("of the caller")
        return functools.partial(json.loads, parse_float=decimal.Decimal)(text)

    async with Keywire(URL, "demo", loads=reads) as keywire, asyncio.timeout(10):
        await welcome(keywire)
        await publish('{"recipients":"*","a":1e9999999999999999999}')
        await publish('{"recipients":"*","a":"loads"}')
        await publish('{"recipients":"*","a":"last"}')
        event = await anext(keywire)
        assert isinstance(event, Message) and event.data == {"a": "last"}, event


@corners.append
async def leaves_no_task_behind_where_it_is_cut_short_at_any_moment() -> None:
    before = asyncio.all_tasks()
    for n in range(40):
        async with Keywire(URL, "demo") as keywire:
            try:
                async with asyncio.timeout(n / 2_000):
                    while True:
                        await anext(keywire)
            except TimeoutError:
                pass
    gc.collect()
    await asyncio.sleep(0.1)
    left = asyncio.all_tasks() - before
    assert left == set(), left


async def main() -> None:
    for corner in corners:
        print(corner.__name__.replace("_", " "), flush=True)
        async with asyncio.timeout(30):
            await corner()


asyncio.run(main())
