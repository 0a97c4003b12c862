package store

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/usefloww/flowwd/internal/workflow"
)

// retryRow is a workflow.Retry as it stands in a column.
type retryRow struct {
	Attempts   int   `json:"attempts"`
	Fixed      bool  `json:"fixed,omitempty"`
	DelayMS    int64 `json:"delayMs"`
	MaxDelayMS int64 `json:"maxDelayMs"`
	Jitter     bool  `json:"jitter,omitempty"`
}

// retryText returns nil when nothing follows a failed attempt.
func retryText(r workflow.Retry) *string {
	if r == (workflow.Retry{}) {
		return nil
	}
	text, err := json.Marshal(retryRow{
		Attempts: r.Attempts, Fixed: r.Fixed, DelayMS: r.Delay.Milliseconds(), MaxDelayMS: r.MaxDelay.Milliseconds(), Jitter: r.Jitter,
	})
	if err != nil {
		return nil // numbers and bools always have a text
	}
	column := string(text)
	return &column
}

type retryColumn workflow.Retry

// Scan reads what retryText writes.
func (c *retryColumn) Scan(src any) error {
	*c = retryColumn{}
	if src == nil {
		return nil
	}
	var text string
	if err := (*textColumn)(&text).Scan(src); err != nil {
		return err
	}
	var row retryRow
	if err := json.Unmarshal([]byte(text), &row); err != nil {
		return fmt.Errorf("read a stored retry: %w", err)
	}
	*c = retryColumn{
		Attempts: row.Attempts, Fixed: row.Fixed, Jitter: row.Jitter,
		Delay: time.Duration(row.DelayMS) * time.Millisecond, MaxDelay: time.Duration(row.MaxDelayMS) * time.Millisecond,
	}
	return nil
}

const respondHandler = "handler"

func respondText(handler bool) string {
	if handler {
		return respondHandler
	}
	return ""
}

type respondColumn bool

// Scan reads what respondText writes.
func (c *respondColumn) Scan(src any) error {
	var text string
	err := (*textColumn)(&text).Scan(src)
	*c = text == respondHandler
	return err
}
