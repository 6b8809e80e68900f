// Package told is what the driver tells each program, and how a program tells the driver what its
// client met.
package told

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"strings"
	"time"
)

var (
	URL = os.Getenv("KEYWIRE_URL")
	Key = os.Getenv("KEYWIRE_KEY")
	// After is the cursor to begin at, empty where there is none.
	After = os.Getenv("KEYWIRE_AFTER")
)

// Say tells the driver one thing, in a line of JSON.
func Say(event map[string]any) {
	line, _ := json.Marshal(event)
	os.Stdout.Write(append(line, '\n'))
}

// CursorOf gives the newest cursor of a frame of keywire.v1: that of its last line.
func CursorOf(frame []byte) string {
	text := string(frame)
	var event struct{ Cursor string }
	_ = json.Unmarshal([]byte(text[strings.LastIndex(text, "\n")+1:]), &event)
	return event.Cursor
}

// Backoff sleeps as long as a client should after so many failures in a row (docs/protocol.md).
func Backoff(failures int) {
	bound := min(20*time.Second, 500*time.Millisecond<<min(failures, 6))
	time.Sleep(rand.N(bound))
}
