"""Prints, a line of JSON each, what the Python client gives and how it ends.

Its one argument is a JSON object: url, keys (one for each time that it is asked; the last one for
ever), and the client's options. With `every` each event is waited for that many seconds at most,
again and again. With `floods` it sends more than a client may, behind as many welcomes.
"""

import asyncio
import dataclasses
import json
import sys
import time
from typing import Any

from websockets.exceptions import ConnectionClosed

from keywire import Keywire, Refused, Welcome


def say(kind: str, **members: Any) -> None:
    print(json.dumps({"kind": kind, "at": time.time(), **members}), flush=True)


async def flood(keywire: Keywire) -> None:
    try:
        for _ in range(5_000):
            await keywire._socket.send("too much")
    except ConnectionClosed:
        pass


async def main(
    url: str,
    keys: list[str | None],
    every: float | None = None,
    floods: int = 0,
    **options: Any,
) -> None:
    def key() -> str | None:
        say("asked")
        return keys.pop(0) if len(keys) > 1 else keys[0]

    async with Keywire(url, key if len(keys) > 1 else str(keys[0]), **options) as keywire:
        while True:
            try:
                async with asyncio.timeout(every):
                    event = await anext(keywire)
            except TimeoutError:
                continue
            say(type(event).__name__, **dataclasses.asdict(event))
            if floods > 0 and isinstance(event, Welcome):
                floods -= 1
                await flood(keywire)


try:
    asyncio.run(main(**json.loads(sys.argv[1])))
except Refused as refused:
    say("Refused", code=refused.code, reason=refused.reason)
