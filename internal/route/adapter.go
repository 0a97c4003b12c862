package route

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usefloww/flowwd/internal/fault"
)

// newAPI returns the part of huma that binds, checks and describes operations.
// Its errors become faults in refuse, so that huma's global error constructors
// stay as they are.
func newAPI(config Config, a *adapter) huma.API {
	c := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &huma.Info{Title: config.Title, Version: config.Version},
			Components: &huma.Components{
				SecuritySchemes: map[string]*huma.SecurityScheme{
					securityScheme: {Type: "http", Scheme: "bearer", Description: "An API key, which begins with floww_sa_"},
				},
			},
		},
		// Answers are of the first type; the second is what huma gives its own
		// errors, which refuse replaces.
		Formats:       map[string]huma.Format{jsonType: huma.DefaultJSONFormat, "application/problem+json": huma.DefaultJSONFormat},
		DefaultFormat: jsonType,
		Transformers:  []huma.Transformer{refuse},
	}
	// Clients of several generations send members that this server has no use
	// for.
	c.AllowAdditionalPropertiesByDefault = true
	return huma.NewAPI(c, a)
}

const (
	jsonType       = "application/json"
	securityScheme = "bearer"
)

// adapter keeps what huma makes of the operation that is being registered.
type adapter struct {
	handler   func(huma.Context)
	operation *huma.Operation
}

// Handle is part of huma.Adapter.
func (a *adapter) Handle(op *huma.Operation, handler func(huma.Context)) {
	a.operation, a.handler = op, handler
}

// ServeHTTP is part of huma.Adapter; requests come from the Router alone.
func (a *adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }

// operationContext is a request on its way through huma. The answer is kept
// until the handler is done, so that none is ever half written.
type operationContext struct {
	op     *huma.Operation
	r      *http.Request
	query  url.Values
	body   []byte
	call   any
	status int
	answer bytes.Buffer
	header http.Header
	// err is why the request fails; the answer is void then.
	err error
}

type operationKey struct{}

func (c *operationContext) Operation() *huma.Operation { return c.op }

func (c *operationContext) Context() context.Context {
	return context.WithValue(c.r.Context(), operationKey{}, c)
}

func (c *operationContext) TLS() *tls.ConnectionState { return c.r.TLS }

func (c *operationContext) Version() huma.ProtoVersion {
	return huma.ProtoVersion{Proto: c.r.Proto, ProtoMajor: c.r.ProtoMajor, ProtoMinor: c.r.ProtoMinor}
}

func (c *operationContext) Method() string     { return c.r.Method }
func (c *operationContext) Host() string       { return c.r.Host }
func (c *operationContext) RemoteAddr() string { return c.r.RemoteAddr }
func (c *operationContext) URL() url.URL       { return *c.r.URL }

// Param returns nothing: objects come typed with the call.
func (c *operationContext) Param(string) string { return "" }

func (c *operationContext) Query(name string) string { return c.query.Get(name) }

// Header hides the types that the client names: bodies and answers are JSON,
// whatever it says.
func (c *operationContext) Header(name string) string {
	switch http.CanonicalHeaderKey(name) {
	case "Content-Type", "Accept":
		return jsonType
	}
	return c.r.Header.Get(name)
}

func (c *operationContext) EachHeader(each func(name, value string)) {
	for name, values := range c.r.Header {
		for _, value := range values {
			each(name, value)
		}
	}
}

// BodyReader hands the body over, so that a large one does not stay in memory
// while the handler works.
func (c *operationContext) BodyReader() io.Reader {
	body := bytes.NewReader(c.body)
	c.body = nil
	return body
}

func (c *operationContext) GetMultipartForm() (*multipart.Form, error) {
	return nil, errors.New("operations take JSON")
}

// SetReadDeadline does nothing: the body is in memory.
func (c *operationContext) SetReadDeadline(time.Time) error { return nil }

func (c *operationContext) SetStatus(code int) { c.status = code }
func (c *operationContext) Status() int        { return c.status }

func (c *operationContext) SetHeader(name, value string)    { c.header.Set(name, value) }
func (c *operationContext) AppendHeader(name, value string) { c.header.Add(name, value) }
func (c *operationContext) BodyWriter() io.Writer           { return &c.answer }

// refuse sees every value that huma is about to write and keeps its errors,
// which are all about the request.
func refuse(ctx huma.Context, _ string, v any) (any, error) {
	model, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	f := fault.New(fault.Invalid, "The request is not valid")
	for _, e := range model.Errors {
		if e != nil {
			f.Fields = append(f.Fields, fault.Field{Location: e.Location, Message: e.Message})
		}
	}
	switch len(f.Fields) {
	case 0:
		f.Message = sentence(model.Detail)
	case 1:
		f.Message += ": " + f.Fields[0].Location + ": " + f.Fields[0].Message
	default:
		f.Message += fmt.Sprintf(": %s: %s, and %d more (see errors)", f.Fields[0].Location, f.Fields[0].Message, len(f.Fields)-1)
	}
	if c, ok := ctx.(*operationContext); ok && c.err == nil {
		c.err = f
	}
	return v, nil
}

// sentence gives a library's text the form of the others.
func sentence(text string) string {
	if text == "" {
		return "The request is not valid"
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
