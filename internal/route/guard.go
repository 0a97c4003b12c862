package route

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/netip"
	"strings"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

// admit checks the policy of a route and loads the object that the path names.
func admit[T any](ctx context.Context, rt *Router, r *http.Request, q *request, s Spec, object Object[T]) (Call[T], error) {
	call := Call[T]{Pattern: q.pattern(), match: q.match}
	switch {
	case s.Policy.IsPublic():
		return call, nil
	case s.Policy.IsOperator():
		return call, rt.admitOperator(r)
	case s.Policy.IsZero():
		return call, fault.New(fault.Denied, "nobody may use this route")
	}
	credential := bearer(r.Header)
	if credential == "" {
		return call, fault.New(fault.Unauthenticated, "No credentials provided")
	}
	principal, err := rt.config.Authenticate(ctx, credential)
	if err != nil {
		return call, err
	}
	q.principal, call.Principal = principal, principal
	if object.Load == nil {
		return call, access.AllowAnywhere(principal, s.Policy.Action())
	}
	named, err := id.Parse(q.match.param(object.Param))
	if err != nil {
		return call, notFound(object.What)
	}
	call.Object, err = object.Load(ctx, principal.Organizations(), named)
	if fault.Is(err, fault.NotFound) {
		return call, notFound(object.What)
	}
	if err != nil {
		return call, err
	}
	return call, access.Allow(principal, s.Policy.Action(), access.Resource{
		OrganizationID: object.Organization(call.Object),
		What:           object.What,
	})
}

func notFound(what string) error { return fault.New(fault.NotFound, "%s not found", what) }

// bearer returns the bearer credential of a request; empty when there is none.
// Any other scheme counts as none.
func bearer(h http.Header) string {
	scheme, credential, _ := strings.Cut(strings.TrimSpace(h.Get("Authorization")), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(credential)
}

// admitOperator lets in a caller that shows the operator's token, or one that
// comes from the machine itself and is no proxy's.
func (rt *Router) admitOperator(r *http.Request) error {
	if sameToken(bearer(r.Header), rt.config.OperatorToken) || (loopback(r.RemoteAddr) && !forwarded(r.Header)) {
		return nil
	}
	return fault.New(fault.Unauthenticated, "This address answers only the operator's token or a caller on the same machine")
}

// sameToken compares in constant time, which also hides the length.
func sameToken(given, want string) bool {
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(want))
	return want != "" && subtle.ConstantTimeCompare(a[:], b[:]) == 1
}

func loopback(remote string) bool {
	address, err := netip.ParseAddrPort(remote)
	return err == nil && address.Addr().IsLoopback()
}

// forwarded reports whether a proxy says that it passes the request on for
// somebody else.
func forwarded(h http.Header) bool {
	for name := range h {
		if name == "Forwarded" || name == "Via" || name == "X-Real-Ip" || strings.HasPrefix(name, "X-Forwarded-") {
			return true
		}
	}
	return false
}
