import time

import websocket
from told import AFTER, KEY, URL, backoff, cursor_of, say

cursor, failures, is_over = AFTER, 0, False


def headers():
    return [f"Authorization: Bearer {KEY}", f"Last-Event-ID: {cursor}"]


def on_open(_):
    global failures
    failures = 0
    say(**{"is": "open"})


def on_message(_, frame):
    global cursor
    cursor = cursor_of(frame)
    say(**{"is": "frame", "text": frame})


def on_error(_, error):
    global is_over
    status = getattr(error, "status_code", None)
    is_over = status == 403
    say(**({"is": "refused", "status": status} if status else {"is": "error", "message": str(error)}))


def on_close(_, code, __):
    global is_over
    is_over = is_over or code == 4403
    say(**{"is": "closed", "code": code})


app = websocket.WebSocketApp(
    URL.replace("http", "ws") + "/websocket",
    header=headers,
    subprotocols=["keywire.v1"],
    on_open=on_open,
    on_message=on_message,
    on_error=on_error,
    on_close=on_close,
)
while not is_over:
    app.run_forever()  # its reconnect= does not tell the close code
    time.sleep(backoff(failures))
    failures += 1
