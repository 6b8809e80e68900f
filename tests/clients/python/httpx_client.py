import time

import httpx
from httpx_sse import connect_sse
from told import AFTER, KEY, URL, backoff, say

cursor, retry, failures = AFTER, None, 0
timeout = httpx.Timeout(5, read=40)  # above the heartbeat's 15 seconds

with httpx.Client(timeout=timeout) as client:
    while True:
        headers = {"Authorization": f"Bearer {KEY}", "Last-Event-ID": cursor}
        try:
            with connect_sse(client, "GET", f"{URL}/events", headers=headers) as source:
                status = source.response.status_code
                if status != 200:
                    say(**{"is": "refused", "status": status})
                    if status == 403:
                        break
                    raise httpx.TransportError(f"refused with {status}")
                say(**{"is": "open"})
                for event in source.iter_sse():
                    failures, cursor, retry = 0, event.id or cursor, event.retry or retry
                    if event.event != "heartbeat":
                        text = {"id": event.id, "name": event.event, "text": event.data}
                        say(**{"is": "event", **text})
                say(**{"is": "closed"})
        except httpx.TransportError as error:
            say(**{"is": "closed", "message": str(error)})
        time.sleep(retry / 1000 if retry else backoff(failures))
        failures += 1
