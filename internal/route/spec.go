package route

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
)

// Spec declares a route.
type Spec struct {
	// Method is an HTTP method; GET answers HEAD as well.
	Method string
	// Path has literal segments, {name} for one segment and {name...} for all
	// that follow.
	Path string
	// Aliases are other spellings of Path, with the same names in it.
	Aliases []string
	// Policy says who may use the route; the zero Policy stops the start.
	Policy access.Policy
	// Body has the request's body read before the handler runs. Operations set
	// it by the type of their input.
	Body bool
	// BodyLimit is the greatest body in bytes; 0 for the router's default.
	BodyLimit int64
	// Timeout bounds the handler; 0 for the router's default.
	Timeout time.Duration
	// Stream marks an answer that goes on for as long as the client listens:
	// no timeout, ended by Router.EndStreams, and counted against
	// Limits.Streams.
	Stream bool
	// Quiet logs successful requests at debug level.
	Quiet bool
	// Page marks a page for people: a reader who is not logged in is sent to the
	// login and comes back, and failures are pages too.
	Page bool
	// Unlimited has a public route answered however often it is asked: what sends
	// events and what looks whether the server is well must not be held back.
	Unlimited bool
	// SameOrigin refuses requests that another site made a browser send. It is
	// for public routes that change something; where a credential is needed, the
	// kind of the credential decides.
	SameOrigin bool

	// OperationID, Summary, Description and Tag describe the route in the API
	// description; a Raw route without an OperationID is left out of it.
	OperationID string
	Summary     string
	Description string
	Tag         string
	// Status is the one of a successful answer; 0 for 200.
	Status int
	// ContentType is the one of a Raw route's successful answer, for the
	// description; empty for application/json.
	ContentType string
}

// Object says how the thing that a path names is found.
type Object[T any] struct {
	// What names it in errors, such as "Workflow".
	What string
	// Param is the name of its id in the path.
	Param string
	// Load returns the object when one of the organizations owns it;
	// fault.NotFound otherwise.
	Load func(ctx context.Context, organizations []id.ID, object id.ID) (T, error)
	// Resource returns what the policy is about.
	Resource func(T) access.Resource
	// Child is the name of a second id in the path, of something inside the
	// object. The handler finds it by both ids.
	Child string
}

// None is the object of routes whose path names none.
type None struct{}

// NoObject is for routes whose path names no object.
func NoObject() Object[None] { return Object[None]{} }

// Call is a request that may go on to its handler.
type Call[T any] struct {
	// Principal is anonymous on public and operator routes.
	Principal identity.Principal
	// Object is the one that the path names.
	Object T
	// Pattern is the path that matched: Spec.Path or one of its Aliases.
	Pattern string
	// Child is the id that Object.Child names.
	Child id.ID
	// Body is the body of a Raw route with Spec.Body. It belongs to the
	// handler, which may keep it.
	Body []byte

	match match
}

// Param returns a part of the path by its name, unescaped.
func (c Call[T]) Param(name string) string { return c.match.param(name) }

// Slash reports whether the request's path ends in a slash, which makes a
// difference on the few routes that an older client asks in another way.
func (c Call[T]) Slash() bool { return c.match.slash }

func (m match) param(name string) string {
	if m.leaf == nil {
		return ""
	}
	i := slices.Index(m.leaf.names, name)
	if i < 0 {
		return ""
	}
	return m.values[i]
}

// Info describes a registered route.
type Info struct {
	Method, Path string
	Policy       access.Policy
	// Object names what is loaded; empty when the path names nothing.
	Object string
	// BodyLimit is 0 for routes that read no body.
	BodyLimit    int64
	Stream, Page bool
}

// entry is a registered route.
type entry struct {
	spec Spec
	// what is Object.What.
	what  string
	serve func(w *response, r *http.Request, q *request) error
}

func (e *entry) infos() []Info {
	limit := e.spec.BodyLimit
	if !e.spec.Body {
		limit = 0
	}
	all := make([]Info, 0, 1+len(e.spec.Aliases))
	for _, path := range append([]string{e.spec.Path}, e.spec.Aliases...) {
		all = append(all, Info{
			Method: e.spec.Method, Path: path, Policy: e.spec.Policy,
			Object: e.what, BodyLimit: limit, Stream: e.spec.Stream, Page: e.spec.Page,
		})
	}
	return all
}

// check refuses a declaration that would leave a hole.
func check[T any](s Spec, object Object[T]) error {
	var problems []error
	wrong := func(format string, args ...any) {
		problems = append(problems, fmt.Errorf("route %s %s: "+format, append([]any{s.Method, s.Path}, args...)...))
	}
	if !slices.Contains(methods, s.Method) {
		wrong("the method must be one of %s", strings.Join(methods, ", "))
	}
	if s.Policy.IsZero() {
		wrong("it has no policy")
	}
	loads := object.Load != nil
	if loads && (object.What == "" || object.Param == "" || object.Resource == nil) {
		wrong("its object needs What, Param and Resource")
	}
	if loads && !s.Policy.IsRequires() {
		wrong("an object can be loaded only for a principal and an action on it")
	}
	if s.Page && s.Stream {
		wrong("a page ends")
	}
	for _, path := range append([]string{s.Path}, s.Aliases...) {
		named := wildcardNames(path)
		for _, param := range []string{object.Param, object.Child} {
			if loads && param != "" && !slices.Contains(named, param) {
				wrong("%s has no {%s}", path, param)
			}
		}
		if !s.Policy.IsPublic() && slices.ContainsFunc(named, func(n string) bool {
			return !s.Policy.IsAdmin() && !s.Policy.IsSelf() && (!loads || n != object.Param && n != object.Child)
		}) {
			wrong("%s names something that is not loaded", path)
		}
	}
	if s.BodyLimit < 0 || s.Timeout < 0 {
		wrong("limits must not be negative")
	}
	return errors.Join(problems...)
}

var methods = []string{
	http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
}

func wildcardNames(path string) []string {
	var names []string
	for segment := range segments(path) {
		if name, _, ok := wildcard(segment); ok {
			names = append(names, name)
		}
	}
	return names
}
