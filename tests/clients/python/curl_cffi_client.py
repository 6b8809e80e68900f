import re
import time

from curl_cffi import CurlError
from curl_cffi.requests import Session, WebSocketClosed, WebSocketTimeout
from told import AFTER, KEY, URL, backoff, cursor_of, say

cursor, failures = AFTER, 0
url = URL.replace("http", "ws") + "/websocket"

with Session() as session:
    while True:
        headers = {"Authorization": f"Bearer {KEY}", "Last-Event-ID": cursor}
        headers["Sec-WebSocket-Protocol"] = "keywire.v1"
        try:
            socket = session.ws_connect(url, headers=headers)
            failures = 0
            say(**{"is": "open"})
            while True:
                try:
                    frame = socket.recv_str(timeout=10)
                except WebSocketTimeout:
                    socket.send_str("ping")  # it answers no ping of the server's
                    continue
                cursor = cursor_of(frame)
                say(**{"is": "frame", "text": frame})
        except WebSocketClosed as closed:
            say(**{"is": "closed", "code": int(closed.code)})
            if closed.code == 4403:
                break
        except CurlError as error:
            # The status of a refusal stands in the text alone.
            status = re.search(r"\b(403|429|503)\b", str(error))
            if status:
                say(**{"is": "refused", "status": int(status[1])})
            else:
                say(**{"is": "error", "message": str(error)})
            if status and status[1] == "403":
                break
        time.sleep(backoff(failures))
        failures += 1
