package docker

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/usefloww/flowwd/internal/engine"
	"github.com/usefloww/flowwd/internal/workflow"
)

// errBroken is an answer that the protocol does not have.
var errBroken = errors.New("the runtime in the image breaks the rules of the server")

const (
	// killedStatus is that of a container that was ended by SIGKILL: the code
	// cannot send it to the first process of its own container.
	killedStatus = 128 + 9
	// exitPatience is how long the daemon may take to say that a container has
	// ended whose connection is gone.
	exitPatience = 3 * time.Second
	// lineSlack is how long a line may be beside what it carries, in bytes, and
	// escaped what JSON may make of one byte.
	lineSlack = 128 << 10
	escaped   = 6
)

// stream asks our own image and calls take for each line of the answer. The
// program is sent where it is not known.
func (x *exchange) stream(r request, program workflow.Hash, longest int, take func(eventLine) error) error {
	code := r.UserCode
	if x.in.knows(program) {
		r.UserCode = nil
	}
	answer, err := x.post(r)
	if err == nil && answer.StatusCode == http.StatusConflict && r.UserCode == nil {
		_ = answer.Body.Close()
		r.UserCode = code
		answer, err = x.post(r)
	}
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 1<<10)) // for the message alone
		return fmt.Errorf("%w: it answers with the status %d: %s", errBroken, answer.StatusCode, text)
	}
	x.in.learn(program)
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, escaped*longest+lineSlack)
	for lines.Scan() {
		var line eventLine
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return fmt.Errorf("%w: a line is no JSON: %.100q", errBroken, lines.Bytes())
		}
		if err := take(line); err != nil {
			return err
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("%w: a line is longer than what it may carry", errBroken)
	}
	return lines.Err()
}

func (x *exchange) post(r request) (*http.Response, error) {
	body, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("write a request: %w", err)
	}
	request, err := http.NewRequestWithContext(x.ctx, http.MethodPost, "http://runtime/execute", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if x.in.streams {
		request.Header.Set("Accept", "application/x-ndjson")
	}
	return x.in.link.client.Do(request)
}

// outcome says what an error of an exchange means, and sees to it that the run
// is over in the container.
func (x *exchange) outcome(err error) error {
	if err == nil {
		return nil
	}
	if failure, ok := errors.AsType[*engine.Failure](err); ok {
		return failure
	}
	cause := context.Cause(x.ctx)
	switch {
	case errors.Is(cause, errTimeout):
		x.endRun()
		return &engine.Failure{Reason: engine.Timeout, Message: fmt.Sprintf("it did not end within %v", x.timeout), Duration: x.took()}
	case errors.Is(cause, errStopping):
		x.endRun()
		return &engine.Interrupted{Message: "the server was stopped while the code ran"}
	case x.outside.Err() != nil:
		x.endRun()
		return &engine.Failure{Reason: engine.Cancelled, Message: "it was cancelled", Duration: x.took()}
	case errors.Is(err, errBroken):
		// A container that is at its end says all sorts of things.
		if x.ended(exitPatience / 10) {
			return x.lost()
		}
		x.endRun()
		return &engine.Failure{Reason: engine.Crashed, Message: err.Error(), Duration: x.took()}
	case x.diesNow():
		return x.lost()
	}
	x.in.kill() // what is left of the run must not go on beside the next attempt
	return &engine.Interrupted{Message: "the connection to the container that ran the code was lost"}
}

// ended waits for a moment for the container's end.
func (x *exchange) ended(patience time.Duration) bool {
	select {
	case <-x.in.gone:
		return true
	case <-time.After(patience):
		return false
	}
}

// diesNow reports whether the container's end is what cut a connection: it is
// known a moment later, or the container answers and has only hung up.
func (x *exchange) diesNow() bool {
	for end := x.e.config.Now().Add(exitPatience); x.e.config.Now().Before(end); {
		if x.ended(exitPatience / 10) {
			return true
		}
		if _, err := x.in.askHealth(context.WithoutCancel(x.outside)); err == nil {
			return false
		}
	}
	return x.ended(0)
}

// lost says why the container ended while the code ran.
func (x *exchange) lost() error {
	exit := x.in.exit
	switch {
	case x.in.wasKilled():
		return &engine.Interrupted{Message: "the container that ran the code was ended, as another run in it would not end"}
	case exit.unknown:
		return &engine.Interrupted{Message: "the docker daemon ended while the code ran"}
	case exit.status == killedStatus && !exit.outOfMemory:
		return &engine.Interrupted{Message: "the container that ran the code was killed from outside"}
	}
	what, reason := fmt.Sprintf("the container that ran the code ended with the status %d", exit.status), engine.Crashed
	if exit.outOfMemory {
		what, reason = fmt.Sprintf("the container that ran the code needed more memory than its %d MB", x.e.config.Memory>>20), engine.OutOfMemory
	}
	if exit.runs > 1 {
		x.e.separate(x.in.key, exit.runs)
		return &engine.Interrupted{Message: fmt.Sprintf("%s; %d runs were in it, and each runs alone next", what, exit.runs)}
	}
	return &engine.Failure{Reason: reason, Message: what, Duration: x.took()}
}

// endRun returns when nothing of the run is left in the container. An image
// that can end no run is killed.
func (x *exchange) endRun() {
	if !x.in.alive() {
		return
	}
	if x.in.streams && x.run != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(x.outside), endTimeout)
		defer cancel()
		body, err := json.Marshal(map[string]string{"executionId": x.run.execution.String()})
		if err == nil {
			var status int
			if status, _, err = x.in.call(ctx, http.MethodPost, "/cancel", body, maxHealth); err == nil && status == http.StatusOK {
				return
			}
		}
		x.e.config.Logger.Warn("a run does not end; its container is killed", "execution", x.run.execution, "error", err)
	}
	x.in.kill()
}
