package api

import (
	"bytes"
	"encoding/json"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

// timestamp is a time on the wire: RFC 3339 in UTC with milliseconds.
type timestamp time.Time

const timestampLayout = "2006-01-02T15:04:05.000Z"

// MarshalJSON implements json.Marshaler.
func (t timestamp) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, len(timestampLayout)+2)
	return time.Time(t).UTC().AppendFormat(b, `"`+timestampLayout+`"`), nil
}

// Schema implements huma.SchemaProvider.
func (timestamp) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time"}
}

func timestampOrNull(t *time.Time) *timestamp {
	if t == nil {
		return nil
	}
	at := timestamp(*t)
	return &at
}

// idOrNull shows the zero id as null.
func idOrNull(x id.ID) *id.ID {
	if x.IsZero() {
		return nil
	}
	return &x
}

// textOrNull shows the empty text as null.
func textOrNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// optional is a member of a request that may be absent or null, where that
// makes a difference.
type optional[T any] struct {
	// Set says that the member is there; Value is nil when it is null.
	Set   bool
	Value *T
}

// UnmarshalJSON implements json.Unmarshaler; it is called for members that are
// there, null included.
func (o *optional[T]) UnmarshalJSON(b []byte) error {
	o.Set = true
	return json.Unmarshal(b, &o.Value)
}

// Schema implements huma.SchemaProvider.
func (optional[T]) Schema(r huma.Registry) *huma.Schema {
	s := *huma.SchemaFromType(r, reflect.TypeFor[T]())
	s.Nullable = true
	return &s
}

// nullable is a member of an answer that is an object or null. huma describes
// pointers to objects as if they were never null.
type nullable[T any] struct{ Value *T }

// MarshalJSON implements json.Marshaler.
func (n nullable[T]) MarshalJSON() ([]byte, error) { return json.Marshal(n.Value) }

// Schema implements huma.SchemaProvider.
func (nullable[T]) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{AnyOf: []*huma.Schema{r.Schema(reflect.TypeFor[T](), true, ""), {Type: "null"}}}
}

// object checks that a JSON text is an object or null; null gives nil.
func object(location string, text json.RawMessage) (json.RawMessage, error) {
	text = bytes.TrimSpace(text)
	switch {
	case len(text) == 0 || string(text) == "null":
		return nil, nil
	case text[0] != '{':
		return nil, invalid(location, "must be an object")
	}
	return text, nil
}

// invalid is a fault about one part of the request.
func invalid(location, problem string) error {
	f := fault.New(fault.Invalid, "%s: %s", location, problem)
	f.Fields = []fault.Field{{Location: location, Message: problem}}
	return f
}

// deleted answers the deletion of an object.
type deleted struct {
	ID      id.ID  `json:"id"`
	Message string `json:"message"`
	Success bool   `json:"success"`
}
