package route

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// Operation registers a JSON operation of the API. I is a struct whose fields
// have `query` tags, and a field Body when a JSON body is read; its tags are
// checked before handle runs. O is the answer's JSON value.
func Operation[T, I, O any](rt *Router, s Spec, object Object[T], handle func(ctx context.Context, c Call[T], in *I) (*O, error)) {
	s = rt.withDefaults(s)
	op := rt.describe(s, object.Param)
	built, method, err := build(rt, op, func(ctx context.Context, in *I) (*output[O], error) {
		c, ok := ctx.Value(operationKey{}).(*operationContext)
		if !ok {
			return nil, fmt.Errorf("operation %s was called outside of its route", s.OperationID)
		}
		call, _ := c.call.(Call[T])
		out, err := handle(ctx, call, in)
		if err != nil || out == nil {
			c.err = err
			return nil, nil
		}
		return &output[O]{Body: *out}, nil
	})
	s.Body = method.RequestBody != nil
	e := &entry{spec: s, what: object.What}
	e.serve = func(w *response, r *http.Request, q *request) error {
		call, err := prepare(rt, w, r, q, s, object)
		if err != nil {
			return err
		}
		c := &operationContext{op: method, call: call, status: s.Status, header: w.Header()}
		if c.body, err = normalizeJSON(call.Body); err != nil {
			return err
		}
		if c.query, err = normalizeQuery(r.URL.RawQuery); err != nil {
			return err
		}
		call.Body = nil
		err = bounded(r.Context(), s.Timeout, func(ctx context.Context) error {
			c.r = r.WithContext(ctx)
			built(c)
			return c.err
		})
		if err != nil {
			return err
		}
		return writeBody(w, c.status, c.answer.Bytes())
	}
	if err == nil {
		err = check(s, object)
	}
	rt.register(e, err)
}

// output is the answer as huma wants it.
type output[O any] struct{ Body O }

// build has huma make the handler of an operation. huma panics when the types
// are wrong.
func build[I, O any](rt *Router, op huma.Operation, handler func(context.Context, *I) (*O, error)) (built func(huma.Context), method *huma.Operation, err error) {
	defer func() {
		if v := recover(); v != nil {
			method, err = &huma.Operation{}, fmt.Errorf("route %s %s: %v", op.Method, op.Path, v)
		}
	}()
	huma.Register(rt.api, op, handler)
	registered := rt.adapter.method
	return rt.adapter.built, &registered, nil
}

// sentence gives a library's text the form of the others.
func sentence(text string) string {
	if text == "" {
		return "The request is not valid"
	}
	b := []byte(text)
	return string(append(bytes.ToUpper(b[:1]), b[1:]...))
}
