"""Prints what the key `demo` hears: `python example.py http://localhost:8088`."""

import asyncio
import sys

from keywire import Gap, Keywire, Message, Refused


async def main(url: str) -> None:
    async with Keywire(url, "demo") as keywire:
        async for event in keywire:
            match event:
                case Message(data=data):
                    print(data, flush=True)
                case Gap(sources=sources):
                    print("fetch your state anew:", *sources, flush=True)


try:
    asyncio.run(main(sys.argv[1]))
except Refused as refused:
    sys.exit(f"Refused with {refused}")
except KeyboardInterrupt:
    pass
