package dummy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/usefloww/flowwd/internal/engine"
)

// run is one invocation.
type run struct {
	engine  *Engine
	call    engine.Invocation
	sink    func([]engine.LogLine)
	began   time.Time
	timeout <-chan time.Time
	lines   int
}

// steps runs one step after the other until one ends the run.
func (r *run) steps(ctx context.Context, steps []step) (json.RawMessage, error) {
	for _, s := range steps {
		if ctx.Err() != nil {
			return nil, cancelled()
		}
		value, ended, err := r.step(ctx, s)
		if ended || err != nil {
			return value, err
		}
	}
	return nil, nil
}

func (r *run) step(ctx context.Context, s step) (value json.RawMessage, ended bool, err error) {
	switch s.word {
	case "log":
		r.log(engine.LevelLog, r.expand(s.rest))
	case "log.debug", "log.info", "log.warn", "log.error":
		r.log(engine.Level(strings.TrimPrefix(s.word, "log.")), s.rest)
	case "flood":
		return nil, false, r.flood(ctx, s.rest)
	case "sleep":
		d, _ := time.ParseDuration(s.rest) // parse has checked it
		return nil, false, r.wait(ctx, d)
	case "hang":
		return nil, false, r.wait(ctx, 1<<62)
	default:
		value, err = r.end(s)
		return value, true, err
	}
	return nil, false, nil
}

// end is what a step that ends the run gives.
func (r *run) end(s step) (json.RawMessage, error) {
	switch s.word {
	case "return":
		return r.result(json.RawMessage(s.rest))
	case "huge":
		n, _ := strconv.Atoi(s.rest)
		return r.result(json.RawMessage(`"` + strings.Repeat("x", max(0, n-2)) + `"`))
	case "attempt":
		return r.result(json.RawMessage(strconv.Itoa(r.call.Attempt)))
	case "echo":
		return r.echo()
	case "fail":
		return nil, &engine.Failure{Reason: engine.Threw, Message: "Error: " + s.rest, Stack: "    at handler (behaviour:1:1)"}
	case "out-of-memory":
		return nil, &engine.Failure{Reason: engine.OutOfMemory, Message: "the code needs more memory than it may have"}
	case "crash":
		return nil, &engine.Failure{Reason: engine.Crashed, Message: "the process that ran the code crashed"}
	case "never-settles":
		return nil, &engine.Failure{Reason: engine.NeverEnds, Message: "the handler waits for a promise that nothing can settle any more"}
	case "interrupt":
		return nil, &engine.Interrupted{Message: "the process that ran the code was ended from outside"}
	default:
		return nil, errors.New("the dummy engine was told to fail")
	}
}

// expand puts the event's body in the place of $body.
func (r *run) expand(text string) string {
	return strings.ReplaceAll(text, "$body", string(r.call.Event.Body))
}

func (r *run) echo() (json.RawMessage, error) {
	out := map[string]any{"fields": r.call.Event.Fields, "attempt": r.call.Attempt, "executionId": r.call.ExecutionID}
	if r.call.Event.HasBody {
		out["body"] = string(r.call.Event.Body)
	}
	text, err := json.Marshal(out)
	if err != nil {
		return nil, &engine.Failure{Reason: engine.Threw, Message: "the event is no JSON: " + err.Error()}
	}
	return r.result(text)
}

func (r *run) result(value json.RawMessage) (json.RawMessage, error) {
	if len(value) > r.call.Limits.ResultBytes {
		return nil, &engine.Failure{
			Reason:  engine.BadResult,
			Message: fmt.Sprintf("the handler's result has %d bytes of JSON; at most %d are allowed", len(value), r.call.Limits.ResultBytes),
		}
	}
	return value, nil
}

// log passes on a line within the limits.
func (r *run) log(level engine.Level, text string) {
	limits := r.call.Limits
	switch {
	case r.lines > limits.LogLines:
		return
	case r.lines == limits.LogLines:
		level, text = engine.LevelWarn, fmt.Sprintf("the log is full: it has %d lines; what follows is dropped", limits.LogLines)
	case len(text) > limits.LogLineBytes:
		n := limits.LogLineBytes
		for n > 0 && !utf8.RuneStart(text[n]) {
			n--
		}
		text = text[:n]
	}
	r.lines++
	r.sink([]engine.LogLine{{Time: r.engine.now().UTC(), Level: level, Message: text}})
}

func (r *run) flood(ctx context.Context, rest string) error {
	count, text, _ := strings.Cut(rest, " ")
	n, err := strconv.Atoi(count)
	if err != nil {
		return &engine.Failure{Reason: engine.Threw, Message: "flood needs a number"}
	}
	for range n {
		if ctx.Err() != nil {
			return cancelled()
		}
		r.log(engine.LevelLog, text)
	}
	return nil
}

// wait waits until d is over or the run is ended.
func (r *run) wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-r.timeout:
		return &engine.Failure{Reason: engine.Timeout, Message: fmt.Sprintf("it did not end within %v", r.call.Limits.Timeout)}
	case <-ctx.Done():
		return cancelled()
	case <-r.engine.stopping:
		return &engine.Interrupted{Message: "the server was stopped while the code ran"}
	}
}

func cancelled() error { return &engine.Failure{Reason: engine.Cancelled, Message: "it was cancelled"} }
