package main

import (
	"clients/told"
	"errors"
	"net/http"
	"strings"

	"github.com/gorilla/websocket"
)

func main() {
	cursor, failures := told.After, 0
	url := strings.Replace(told.URL, "http", "ws", 1) + "/websocket"
	for ; ; failures++ {
		header := http.Header{"Authorization": {"Bearer " + told.Key}, "Last-Event-ID": {cursor}}
		dialer := websocket.Dialer{Subprotocols: []string{"keywire.v1"}}
		socket, response, err := dialer.Dial(url, header)
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
		failures = 0
		told.Say(map[string]any{"is": "open"})
		for {
			_, frame, err := socket.ReadMessage()
			if err != nil {
				var closed *websocket.CloseError
				code := 0
				if errors.As(err, &closed) {
					code = closed.Code
				}
				told.Say(map[string]any{"is": "closed", "code": code})
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
