import asyncio

import aiohttp
from told import AFTER, KEY, URL, backoff, cursor_of, say


async def listen():
    cursor, failures = AFTER, 0
    async with aiohttp.ClientSession() as session:
        while True:
            headers = {"Authorization": f"Bearer {KEY}", "Last-Event-ID": cursor}
            try:
                async with session.ws_connect(
                    f"{URL}/websocket", protocols=["keywire.v1"], headers=headers
                ) as socket:
                    failures = 0
                    say(**{"is": "open"})
                    async for message in socket:
                        cursor = cursor_of(message.data)
                        say(**{"is": "frame", "text": message.data})
                    say(**{"is": "closed", "code": socket.close_code})
                    if socket.close_code == 4403:
                        return
            except aiohttp.WSServerHandshakeError as refusal:
                say(**{"is": "refused", "status": refusal.status})
                if refusal.status == 403:
                    return
            except aiohttp.ClientError as error:
                say(**{"is": "error", "message": str(error)})
            await asyncio.sleep(backoff(failures))
            failures += 1


asyncio.run(listen())
