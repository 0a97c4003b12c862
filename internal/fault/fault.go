package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what sort of failure an error is.
type Kind uint8

// The kinds. The zero kind is Internal, so that an error nobody classified is
// never shown to a caller.
const (
	Internal        Kind = iota
	Invalid              // the request is wrong and stays wrong when repeated
	Unauthenticated      // no credential, or one that is not valid
	Denied               // a valid credential without the right
	NotFound             // absent, or belonging to somebody else
	Conflict             // contradicts what is stored
	TooLarge             // above a size limit
	Limited              // too many, for now
	Unavailable          // a part that is needed does not answer, for now
)

var kindNames = [...]string{
	Internal:        "internal",
	Invalid:         "invalid",
	Unauthenticated: "unauthenticated",
	Denied:          "denied",
	NotFound:        "not found",
	Conflict:        "conflict",
	TooLarge:        "too large",
	Limited:         "limited",
	Unavailable:     "unavailable",
}

// String returns the kind's name in words.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Field is one wrong part of a request.
type Field struct {
	// Location names the part, such as "body.code.files" or "query.limit".
	Location string
	// Message says what is wrong with it and what would be right.
	Message string
}

// Error is a failure with a kind and a text for the caller.
type Error struct {
	Kind    Kind
	Message string
	// Fields lists the wrong parts of an invalid request, when they are known.
	Fields []Field
	// Detail replaces the message in answers whose clients read inside
	// `detail`; nil for all others.
	Detail any
	// RetryAfter is the wait a Limited or Unavailable caller should keep;
	// zero when unknown.
	RetryAfter time.Duration
	// Cause is for the log alone.
	Cause error
}

// Error returns the message, with the cause behind it when there is one.
func (e *Error) Error() string {
	if e.Cause != nil {
		return e.Message + ": " + e.Cause.Error()
	}
	return e.Message
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// New returns a fault of the given kind. The text is for the caller.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Because returns a fault that keeps cause for the log.
func Because(cause error, kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...), Cause: cause}
}

// KindOf returns the kind of the first fault in err's chain, Internal when
// there is none.
func KindOf(err error) Kind {
	var f *Error
	if errors.As(err, &f) {
		return f.Kind
	}
	return Internal
}

// Is reports whether err is a fault of the given kind.
func Is(err error, kind Kind) bool {
	var f *Error
	return errors.As(err, &f) && f.Kind == kind
}
