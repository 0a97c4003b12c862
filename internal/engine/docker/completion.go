package docker

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
)

// parseCompletion reads a report. Its error is an object with a message, or a
// text; its logs are a text, or lines. A line without a time that can be read is
// of now: it must not cost the others.
func parseCompletion(body []byte, now time.Time) (*completion, error) {
	var wire struct {
		Status     string          `json:"status"`
		Error      json.RawMessage `json:"error"`
		Logs       json.RawMessage `json:"logs"`
		DurationMs float64         `json:"duration_ms"`
	}
	if err := json.Unmarshal(body, &wire); err != nil {
		return nil, fmt.Errorf("the report is no JSON object: %w", err)
	}
	c := &completion{took: time.Duration(max(0, min(wire.DurationMs, 1e9)) * float64(time.Millisecond))}
	c.message, c.stack = answer{Error: wire.Error}.complaint()
	c.failed = c.message != "" || wire.Status == "failed"
	if c.failed && c.message == "" {
		c.message = "the code failed without a message"
	}
	c.lines = linesOf(wire.Logs, now)
	return c, nil
}

func linesOf(logs json.RawMessage, now time.Time) []logWire {
	at := float64(now.UnixMicro()) / 1000
	var text string
	if json.Unmarshal(logs, &text) == nil && text != "" {
		return []logWire{{Time: at, Level: string(engine.LevelLog), Message: text}}
	}
	var wire []struct {
		Timestamp any    `json:"timestamp"`
		Level     string `json:"level"`
		Message   string `json:"message"`
		// Time is in milliseconds, as our own image has it.
		Time float64 `json:"time"`
	}
	if json.Unmarshal(logs, &wire) != nil {
		return nil
	}
	lines := make([]logWire, len(wire))
	for i, w := range wire {
		lines[i] = logWire{Time: at, Level: w.Level, Message: w.Message}
		if w.Time > 0 {
			lines[i].Time = w.Time
		}
		if text, ok := w.Timestamp.(string); ok {
			if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
				lines[i].Time = float64(t.UnixMicro()) / 1000
			}
		}
	}
	return lines
}
