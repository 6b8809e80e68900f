package main

import (
	"clients/told"
	"context"
	"net/http"

	"github.com/coder/websocket"
)

func main() {
	cursor, failures := told.After, 0
	for ; ; failures++ {
		header := http.Header{"Authorization": {"Bearer " + told.Key}, "Last-Event-ID": {cursor}}
		options := &websocket.DialOptions{Subprotocols: []string{"keywire.v1"}, HTTPHeader: header}
		socket, response, err := websocket.Dial(context.Background(), told.URL+"/websocket", options)
		if err != nil {
			if response == nil {
				told.Say(map[string]any{"is": "error", "message": err.Error()})
			} else {
				told.Say(map[string]any{"is": "refused", "status": response.StatusCode})
				if response.StatusCode == 403 {
					return
				}
			}
			told.Backoff(failures)
			continue
		}
		socket.SetReadLimit(1 << 20) // 32 KiB by default
		failures = 0
		told.Say(map[string]any{"is": "open"})
		for {
			_, frame, err := socket.Read(context.Background())
			if err != nil {
				code := int(websocket.CloseStatus(err))
				told.Say(map[string]any{"is": "closed", "code": max(code, 0)})
				if code == 4403 {
					return
				}
				break
			}
			cursor = told.CursorOf(frame)
			told.Say(map[string]any{"is": "frame", "text": string(frame)})
		}
		told.Backoff(failures)
	}
}
