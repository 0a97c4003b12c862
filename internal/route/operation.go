package route

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// Operation registers a JSON operation of the API. I is a struct whose fields
// have `query` tags, and a field Body when a JSON body is read; its tags are
// checked before handle runs. O is the answer's JSON value; its method
// AnswerStatus, when *O has one, gives another status than the declared one.
func Operation[T, I, O any](rt *Router, s Spec, object Object[T], handle func(ctx context.Context, c Call[T], in *I) (*O, error)) {
	s = rt.withDefaults(s)
	handleHuma, made, err := build(rt, s, object.Param, func(ctx context.Context, in *I) (*output[O], error) {
		c, ok := ctx.Value(operationKey{}).(*operationContext)
		if !ok {
			return nil, fmt.Errorf("operation %s was called outside of its route", s.OperationID)
		}
		call, _ := c.call.(Call[T])
		out, err := handle(ctx, call, in)
		if err != nil {
			// huma must not see it: its own table of errors is not ours.
			c.err = err
			return nil, nil
		}
		answer := &output[O]{Status: s.Status, Body: *out}
		if own, ok := any(out).(interface{ AnswerStatus() int }); ok {
			answer.Status = own.AnswerStatus()
		}
		return answer, nil
	})
	s.Body = made.RequestBody != nil
	e := &entry{spec: s, what: object.What}
	e.serve = func(w *response, r *http.Request, q *request) error {
		r, call, err := prepare(rt, w, r, q, s, object)
		if err != nil {
			return err
		}
		c := &operationContext{op: made, status: s.Status, header: w.Header()}
		if c.body, err = normalizeJSON(call.Body); err != nil {
			return err
		}
		if c.query, err = normalizeQuery(r.URL.RawQuery); err != nil {
			return err
		}
		call.Body, c.call = nil, call
		err = bounded(r.Context(), s.Timeout, func(ctx context.Context) error {
			c.r = r.WithContext(ctx)
			handleHuma(c)
			return c.err
		})
		if err != nil {
			return err
		}
		if c.status == http.StatusNoContent {
			w.WriteHeader(c.status)
			return nil
		}
		return WriteBody(w, c.status, jsonType, c.answer.Bytes())
	}
	rt.register(e, errors.Join(err, check(s, object)))
}

// output is the answer as huma wants it.
type output[O any] struct {
	Status int
	Body   O
}

// build has huma make the handler of an operation.
func build[I, O any](rt *Router, s Spec, objectParam string, handler func(context.Context, *I) (*O, error)) (handle func(huma.Context), made *huma.Operation, err error) {
	made = &huma.Operation{}
	defer catch(s, &err)
	huma.Register(rt.api, rt.describe(s, objectParam), handler)
	return rt.adapter.handler, rt.adapter.operation, nil
}
