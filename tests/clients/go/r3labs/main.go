package main

import (
	"clients/told"
	"fmt"
	"net/http"

	"github.com/r3labs/sse/v2"
	"gopkg.in/cenkalti/backoff.v1"
)

func main() {
	client := sse.NewClient(told.URL+"/events", sse.ClientMaxBufferSize(1<<20)) // 64 KiB by default
	client.Headers = map[string]string{"Authorization": "Bearer " + told.Key}
	client.LastEventID.Store([]byte(told.After))
	client.ReconnectStrategy = &backoff.StopBackOff{} // its own ends for good at a clean end
	status := 0
	client.ResponseValidator = func(_ *sse.Client, response *http.Response) error {
		status = response.StatusCode
		if status == 200 {
			return nil
		}
		response.Body.Close()
		told.Say(map[string]any{"is": "refused", "status": status})
		return fmt.Errorf("refused with %d", status)
	}
	client.OnConnect(func(*sse.Client) { told.Say(map[string]any{"is": "open"}) })
	failures := 0
	hear := func(event *sse.Event) {
		failures = 0
		name := string(event.Event)
		if name == "heartbeat" || len(event.Data) == 0 {
			return
		}
		if name == "" {
			name = "message"
		}
		told.Say(map[string]any{
			"is": "event", "name": name, "id": string(event.ID), "text": string(event.Data),
		})
	}
	for ; status != 403; failures++ {
		if err := client.SubscribeRaw(hear); err == nil {
			told.Say(map[string]any{"is": "closed"})
		}
		told.Backoff(failures)
	}
}
