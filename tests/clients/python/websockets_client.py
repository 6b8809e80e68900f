import asyncio

from told import AFTER, KEY, URL, cursor_of, say
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus


async def listen():
    headers = {"Authorization": f"Bearer {KEY}", "Last-Event-ID": AFTER}
    url = URL.replace("http", "ws") + "/websocket"
    async for socket in connect(url, subprotocols=["keywire.v1"], additional_headers=headers):
        say(**{"is": "open"})
        try:
            async for frame in socket:
                headers["Last-Event-ID"] = cursor_of(frame)
                say(**{"is": "frame", "text": frame})
        except ConnectionClosed:
            pass
        say(**{"is": "closed", "code": socket.close_code})
        if socket.close_code == 4403:
            return


try:
    asyncio.run(listen())
except InvalidStatus as refusal:  # 403 and 429 end the loop
    say(**{"is": "refused", "status": refusal.response.status_code})
