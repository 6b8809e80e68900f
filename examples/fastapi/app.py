"""Prices, cached in the memory of each process: the one that changes a price tells all others.

Redis holds the prices. Each process keeps a copy, and hears of changes by the Python client.
"""

import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, HTTPException
from keywire import Gap, Keywire, Message, Refused
from redis.asyncio import Redis

GATEWAY = os.environ.get("KEYWIRE_URL", "http://localhost:8088")
redis = Redis.from_url(os.environ.get("REDIS_URL", "redis://localhost:6379"), decode_responses=True)
prices: dict[str, float] = {}


async def load() -> None:
    stored = await redis.hgetall("prices")
    prices.update({item: float(price) for item, price in stored.items()})


async def listen(cursor: str) -> None:
    try:
        async with Keywire(GATEWAY, "demo", cursor=cursor) as keywire:
            async for event in keywire:
                match event:
                    case Message(data={"type": "price", "item": item, "price": price}):
                        prices[item] = price
                    case Gap():
                        await load()
    except Refused as refused:
        logging.error("No longer told of prices, so each is asked for: %s", refused)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    # The id of the stream's last entry is a cursor. It is asked for before the state is read, so
    # nothing falls between. In an empty stream 0-0 is one: all that comes.
    last = await redis.xrevrange("my_stream", count=1)
    await load()
    app.state.listening = asyncio.create_task(listen(last[0][0] if last else "0-0"))
    yield
    app.state.listening.cancel()
    await redis.aclose()


app = FastAPI(lifespan=lifespan)


@app.get("/prices/{item}")
async def get_price(item: str) -> float:
    if app.state.listening.done():
        await load()
    if item not in prices:
        raise HTTPException(404, f"{item} has no price")
    return prices[item]


@app.put("/prices/{item}", status_code=202)
async def put_price(item: str, price: float) -> None:
    envelope = {"recipients": ["demo"], "type": "price", "item": item, "price": price}
    async with redis.pipeline(transaction=True) as both:  # the price and the message, or neither
        both.hset("prices", item, str(price))
        both.xadd("my_stream", {"message": json.dumps(envelope)}, maxlen=100_000)
        await both.execute()
