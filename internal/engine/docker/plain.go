package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/usefloww/flowwd/internal/engine"
)

// maxAnswer bounds the answer of an image that knows only the contract, in
// bytes.
const maxAnswer = 16 << 20

// plain asks an image that knows only the contract: it reports the end of the
// run by a call to the server before it answers.
func (x *exchange) plain(r request, limits engine.Limits, sink func([]engine.LogLine)) (engine.Result, error) {
	a, ok, err := x.ask(r)
	if err != nil {
		err = x.outcome(err) // nothing goes on that could report
	}
	took := x.took()
	reported := x.run.take()
	// An image may end the run whose request was cut, and report that it failed.
	cut := reported != nil && reported.failed && errors.Is(context.Cause(x.ctx), errTimeout)
	if err != nil && (reported == nil || cut || x.outside.Err() != nil) {
		return engine.Result{}, err
	}
	if reported != nil {
		(&logger{x: x, limits: limits, sink: sink}).add(reported.lines)
		took = min(took, max(0, reported.took))
	}
	fail := func(reason engine.Reason, message, stack string) (engine.Result, error) {
		return engine.Result{}, &engine.Failure{Reason: reason, Message: bounded(message), Stack: bounded(stack), Duration: took}
	}
	message, stack := a.complaint()
	switch {
	case reported != nil && reported.failed:
		return fail(engine.Threw, reported.message, reported.stack)
	case err != nil:
		// The server has said that it knows the end: running again would do all
		// of it twice.
	case !ok:
		return fail(engine.Threw, orText(message, "the runtime in the image failed without a message"), stack)
	case a.TriggersExecuted != nil && *a.TriggersExecuted == 0:
		return fail(engine.NoHandler, "the code registers no such trigger", "")
	}
	return engine.Result{Duration: took}, nil
}

// ask makes a request and reads the answer; false when it says that the code
// failed.
func (x *exchange) ask(r request) (answer, bool, error) {
	response, err := x.post(r)
	if err != nil {
		return answer{}, false, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return answer{}, false, err
	}
	if len(text) > maxAnswer {
		return answer{}, false, fmt.Errorf("%w: its answer has more than %d bytes", errBroken, maxAnswer)
	}
	if response.StatusCode == http.StatusRequestEntityTooLarge {
		return answer{}, false, &engine.Failure{Reason: engine.Crashed, Duration: x.took(), Message: fmt.Sprintf(
			"the runtime in the image takes no request of %d bytes, which the code and its event have together; make them smaller, or the image's bound larger", response.Request.ContentLength)}
	}
	var a answer
	if err := json.Unmarshal(text, &a); err != nil {
		return a, false, fmt.Errorf("%w: POST /execute answers with the status %d and no JSON: %.100q", errBroken, response.StatusCode, text)
	}
	return a, response.StatusCode == http.StatusOK && a.fine(), nil
}

func orText(text, fallback string) string {
	if text == "" {
		return fallback
	}
	return text
}
