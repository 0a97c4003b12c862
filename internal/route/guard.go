package route

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
)

// admit checks the policy of a route and loads the object that the path names.
// The context that it returns names the actor for the audit log.
func admit[T any](ctx context.Context, rt *Router, r *http.Request, q *request, s Spec, object Object[T]) (context.Context, Call[T], error) {
	call := Call[T]{Pattern: q.pattern(), match: q.match}
	ctx = audit.WithActor(ctx, q.actor())
	switch {
	case s.Policy.IsPublic():
		return ctx, call, rt.admitPublic(r, q, s)
	case s.Policy.IsOperator():
		return ctx, call, rt.admitOperator(r)
	case s.Policy.IsZero():
		return ctx, call, fault.New(fault.Denied, "nobody may use this route")
	}
	principal, err := rt.authenticate(ctx, r, q, s)
	if err != nil {
		return ctx, call, err
	}
	call.Principal = principal
	ctx = audit.WithActor(ctx, q.actor())
	return ctx, call, decide(ctx, s, object, q, &call)
}

// admitPublic checks what there is to check without a credential.
func (rt *Router) admitPublic(r *http.Request, q *request, s Spec) error {
	if !s.Unlimited {
		if err := rt.limitAddress(q); err != nil {
			return err
		}
	}
	if s.SameOrigin {
		return rt.checkOrigin(r)
	}
	return nil
}

// authenticate returns who makes a request, within the limits of rate.
func (rt *Router) authenticate(ctx context.Context, r *http.Request, q *request, s Spec) (identity.Principal, error) {
	credential := credentialOf(r, s)
	credential.Address, credential.Host = q.address, r.Host
	shown := credential.Bearer != "" || credential.Cookie != ""
	limited := rt.limitAddress
	if shown {
		limited = rt.limitFailures
	}
	if err := limited(q); err != nil {
		return identity.Principal{}, err
	}
	principal, err := rt.config.Authenticate(ctx, credential)
	if err != nil {
		if shown {
			rt.failed(q, err)
		}
		return identity.Principal{}, err
	}
	if principal.Ambient {
		if err := rt.checkOrigin(r); err != nil {
			return identity.Principal{}, err
		}
	}
	q.principal = principal
	return principal, rt.limitPrincipal(q)
}

// decide asks the policy about a principal, after the object is loaded.
func decide[T any](ctx context.Context, s Spec, object Object[T], q *request, call *Call[T]) error {
	switch {
	case s.Policy.IsAdmin():
		return access.AllowAdmin(call.Principal)
	case s.Policy.IsSelf():
		return access.AllowSelf(call.Principal, s.Policy.Action())
	case object.Load == nil:
		return access.AllowAnywhere(call.Principal, s.Policy.Action())
	}
	named, err := id.Parse(q.match.param(object.Param))
	if err != nil {
		return notFound(object.What)
	}
	call.Object, err = object.Load(ctx, call.Principal.Organizations(), named)
	if fault.Is(err, fault.NotFound) {
		return elsewhere(ctx, object, call.Principal, named)
	}
	if err != nil {
		return err
	}
	resource := object.Resource(call.Object)
	resource.What = object.What
	q.organization = resource.OrganizationID
	if err := access.Allow(call.Principal, s.Policy.Action(), resource); err != nil || object.Child == "" {
		return err
	}
	if call.Child, err = id.Parse(q.match.param(object.Child)); err != nil {
		return fault.New(fault.NotFound, "There is nothing with this id in the %s", strings.ToLower(object.What))
	}
	return nil
}

// elsewhere says why something is not found: it may be in an organization of the
// caller's that is disabled.
func elsewhere[T any](ctx context.Context, object Object[T], p identity.Principal, named id.ID) error {
	if len(p.Disabled) == 0 {
		return notFound(object.What)
	}
	_, err := object.Load(ctx, p.Disabled, named)
	switch {
	case err == nil:
		return access.ErrDisabled()
	case fault.Is(err, fault.NotFound):
		return notFound(object.What)
	}
	return err
}

func notFound(what string) error { return fault.New(fault.NotFound, "%s not found", what) }

// credentialOf returns what a request shows. On the routes of administrators a
// cookie goes first, for what they pass on may have a header of its own (5.5 of
// identity-realtime-admin.md).
func credentialOf(r *http.Request, s Spec) identity.Credential {
	var c identity.Credential
	if cookie, err := r.Cookie(identity.SessionCookie); err == nil {
		c.Cookie = cookie.Value
	}
	c.Bearer = bearer(r.Header)
	if s.Policy.IsAdmin() && c.Cookie != "" {
		c.Bearer = ""
	}
	return c
}

// bearer returns the bearer credential of a request; empty when there is none.
// Any other scheme counts as none.
func bearer(h http.Header) string {
	scheme, credential, _ := strings.Cut(strings.TrimSpace(h.Get("Authorization")), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(credential)
}

// checkOrigin refuses a request that changes something and that another site
// made a browser send.
func (rt *Router) checkOrigin(r *http.Request) error {
	err := rt.crossOrigin.Check(r)
	if err == nil {
		return nil
	}
	if rt.config.Origins != nil && slices.Contains(rt.config.Origins(), r.Header.Get("Origin")) {
		return nil
	}
	return fault.New(fault.Denied, "Another site made the browser send this request, so it is refused; open the page on this server, or use an API key")
}

// admitOperator lets in a caller that shows the operator's token, or one that
// comes from the machine itself and is no proxy's.
func (rt *Router) admitOperator(r *http.Request) error {
	if sameToken(bearer(r.Header), rt.config.OperatorToken) || (loopback(r.RemoteAddr) && !Forwarded(r.Header)) {
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

// Forwarded reports whether a proxy says that it passes the request on for
// somebody else.
func Forwarded(h http.Header) bool {
	for name := range h {
		if name == "Forwarded" || name == "Via" || name == "X-Real-Ip" || strings.HasPrefix(name, "X-Forwarded-") {
			return true
		}
	}
	return false
}
