package docker

import (
	"encoding/json"
	"math"
	"testing"
	"time"
)

// FuzzCompletion holds that what a container reports is read or refused, with
// lines whose times can be told.
func FuzzCompletion(f *testing.F) {
	for _, seed := range []string{
		`{"status":"completed","duration_ms":12.5,"logs":"a"}`, `{"status":"failed","error":{"message":"m","stack":"s"},"logs":[{"timestamp":"2026-01-01T00:00:00Z","level":"info","message":"m"}]}`,
		`{"duration_ms":-1e300,"logs":[{"time":1e300},{"timestamp":1},null]}`, `{"error":["a"],"logs":{}}`, `null`, `[]`,
	} {
		f.Add([]byte(seed))
	}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, body []byte) {
		c, err := parseCompletion(body, now)
		if err != nil {
			return
		}
		if c.took < 0 || c.took > 1e6*time.Second || c.failed != (c.message != "") {
			t.Fatalf("%s: %+v", body, c)
		}
		if len(c.lines) > len(body) {
			t.Fatalf("%d lines in %d bytes", len(c.lines), len(body))
		}
		for _, line := range c.lines {
			if math.IsNaN(line.Time) || math.IsInf(line.Time, 0) {
				t.Fatalf("%s: a line is of %v", body, line.Time)
			}
		}
	})
}

// FuzzComplaint holds that whatever a container says went wrong, somebody can be
// told.
func FuzzComplaint(f *testing.F) {
	for _, seed := range []string{`{"error":"a"}`, `{"error":{"message":1}}`, `{"message":"m","error":null}`, `{"log":[{"time":-1}],"done":{"result":"{"}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var a answer
		if json.Unmarshal(body, &a) == nil {
			message, stack := a.complaint()
			if stack != "" && message == "" {
				t.Fatalf("%s: a place without a message", body)
			}
			if len(bounded(message)) > len(bounded(string(body)))+3*len(body) {
				t.Fatalf("%s became %q", body, message)
			}
		}
		var line eventLine
		if json.Unmarshal(body, &line) == nil {
			for _, l := range line.Log {
				_ = levelOf(l.Level)
			}
		}
	})
}
