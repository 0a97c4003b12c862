package api

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
)

// preferDescription describes the header Prefer of RFC 7240.
const preferDescription = "With `Prefer: wait=10` the answer waits up to so many seconds, at most 30, and shows the execution as it is then. " +
	"The run goes on whether the caller waits or not."

// await returns the execution after the wait that was asked for; nil when none
// was.
func (d Deps) await(ctx context.Context, organization, of id.ID, prefer string) (*executionBody, error) {
	most := waitOf(prefer)
	if most == 0 {
		return nil, nil
	}
	e, err := d.Executions.Await(ctx, organization, of, most)
	if err != nil {
		return nil, err
	}
	body := showOneExecution(e)
	return &body, nil
}

// waitOf reads a preference such as "respond-async, wait=10"; 0 when it asks
// for no wait. What can't be read is no preference.
func waitOf(prefer string) time.Duration {
	for preference := range strings.SplitSeq(prefer, ",") {
		preference, _, _ = strings.Cut(preference, ";")
		name, text, _ := strings.Cut(preference, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "wait") {
			continue
		}
		seconds, err := strconv.ParseUint(strings.Trim(strings.TrimSpace(text), `"`), 10, 31)
		if err != nil {
			return 0
		}
		return min(time.Duration(seconds)*time.Second, execution.MaxAwait)
	}
	return 0
}
