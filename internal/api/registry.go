package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/registry"
	"github.com/usefloww/flowwd/internal/route"
)

// Images is what the operations about container images work with.
type Images struct {
	Registry Registry
	Tokens   *registry.Tokens
	// Authenticate returns the principal of a credential that is no token of
	// the registry.
	Authenticate func(ctx context.Context, c identity.Credential) (identity.Principal, error)
}

// Registry keeps container images.
type Registry interface {
	// Serve answers a request of the OCI protocol that is allowed.
	Serve(w http.ResponseWriter, r *http.Request, q registry.Request) error
	// Digest returns the digest of the image with a tag.
	Digest(ctx context.Context, organization id.ID, tag string) (string, error)
}

// pushTime bounds one request of a push or pull: a layer over a slow line.
const pushTime = time.Hour

// registerRegistry registers G1 to G6 and the token flow of docker. Anybody may
// knock; what a credential opens is decided inside, for the protocol has refusals
// of its own and carries credentials in a way of its own.
func registerRegistry(r *route.Router, d Deps) {
	o := registryDoor{d, r}
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete} {
		route.Raw(r, route.Spec{
			Method: method, Path: registry.Path + "{path...}", Policy: access.Public(access.UseRegistry), Stream: true, Quiet: true,
		}, route.NoObject(), func(w http.ResponseWriter, r *http.Request, _ route.Call[route.None]) error {
			return o.serve(w, r)
		})
	}
	route.Raw(r, route.Spec{
		Method: http.MethodGet, Path: registry.Path + "token", Policy: access.Public(access.UseRegistry), Quiet: true,
	}, route.NoObject(), func(w http.ResponseWriter, r *http.Request, _ route.Call[route.None]) error {
		return o.token(w, r)
	})
}

type registryDoor struct {
	Deps
	router *route.Router
}

func (o registryDoor) serve(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Docker-Distribution-API-Version", "registry/2.0")
	ctx, cancel := context.WithTimeout(r.Context(), pushTime)
	defer cancel()
	r = r.WithContext(ctx)
	q, err := registry.Parse(r)
	if err == nil {
		var grant registry.Grant
		if grant, err = o.grant(r, q.Organization); err == nil {
			err = grant.Allow(q)
		}
	}
	if err == nil && q.Kind == registry.Base {
		return route.WriteJSON(w, http.StatusOK, struct{}{})
	}
	if err == nil {
		err = o.Images.Registry.Serve(w, r, q)
	}
	return o.refuse(w, q, err)
}

// refuse answers with a refusal of the protocol, which clients show to people.
func (o registryDoor) refuse(w http.ResponseWriter, q registry.Request, err error) error {
	var refusal *registry.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refusal):
	case fault.Is(err, fault.Unauthenticated):
		o.challenge(w, q)
		refusal = &registry.Error{Status: http.StatusUnauthorized, Code: "UNAUTHORIZED", Message: err.Error()}
	case fault.Is(err, fault.Limited):
		route.RetryAfter(w, err)
		refusal = &registry.Error{Status: http.StatusTooManyRequests, Code: "TOOMANYREQUESTS", Message: err.Error()}
	case fault.Is(err, fault.NotFound):
		refusal = &registry.Error{Status: http.StatusNotFound, Code: "NAME_UNKNOWN", Message: err.Error()}
	case fault.Is(err, fault.Denied):
		refusal = &registry.Error{Status: http.StatusForbidden, Code: "DENIED", Message: err.Error()}
	case fault.Is(err, fault.Unavailable):
		refusal = &registry.Error{Status: http.StatusServiceUnavailable, Code: "UNAVAILABLE", Message: "this server can't do that now; try again later"}
	default:
		return err
	}
	refusal.Write(w)
	return nil
}

// challenge says how to log in: with a token of this server or with a credential
// as the password. Clients take the way that they know.
func (o registryDoor) challenge(w http.ResponseWriter, q registry.Request) {
	realm := fmt.Sprintf("Bearer realm=%q,service=%q", o.PublicURL()+registry.Path+"token", registry.TokenAudience)
	if !q.Organization.IsZero() {
		realm += fmt.Sprintf(",scope=%q", "repository:"+registry.Repository(q.Organization)+":pull,push")
	}
	w.Header().Add("WWW-Authenticate", realm)
	w.Header().Add("WWW-Authenticate", `Basic realm="flowwd"`)
}

// grant returns what the credential of a request opens in an organization's
// repository.
func (o registryDoor) grant(r *http.Request, organization id.ID) (registry.Grant, error) {
	text := bearerOf(r.Header.Get("Authorization"))
	if _, password, ok := r.BasicAuth(); ok {
		text = password
	}
	if text == "" {
		return registry.Grant{}, fault.New(fault.Unauthenticated, "Log in first: docker login -u token, with an API key or the password of a push as the password")
	}
	var g registry.Grant
	err := o.router.Trying(r.Context(), func() (err error) {
		g, err = o.opened(r, text, organization)
		return err
	})
	return g, err
}

// opened returns what a credential opens.
func (o registryDoor) opened(r *http.Request, text string, organization id.ID) (registry.Grant, error) {
	if g, _, err := o.Images.Tokens.Check(text); err == nil {
		return g, nil
	}
	p, err := o.Images.Authenticate(r.Context(), identity.Credential{Bearer: text, Address: route.ClientAddress(r.Context()), Host: r.Host})
	if err != nil {
		return registry.Grant{}, err
	}
	if organization.IsZero() {
		return registry.Grant{}, nil
	}
	what := access.Resource{OrganizationID: organization, What: "Repository"}
	if err := access.Allow(p, access.ReadRuntime, what); err != nil {
		return registry.Grant{}, err
	}
	return registry.Grant{Organization: organization, Pull: true, Push: access.Decide(p, access.WriteRuntime, what).Allowed}, nil
}

// token is the token flow: it gives a short-lived token for a repository to
// whoever shows a credential that opens it.
func (o registryDoor) token(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	q := registry.Request{Organization: scopeOf(r.URL.Query())}
	grant, err := o.grant(r, q.Organization)
	if err != nil {
		return o.refuse(w, q, err)
	}
	life := registry.LoginLife
	text, expires, err := o.Images.Tokens.Issue(grant, life)
	if err != nil {
		return err
	}
	if _, password, ok := r.BasicAuth(); ok {
		// A token of the registry is not made to live longer by being shown.
		if _, until, err := o.Images.Tokens.Check(password); err == nil && until.Before(expires) {
			text, life = password, until.Sub(o.Now())
		}
	}
	return route.WriteJSON(w, http.StatusOK, registryToken{
		Token: text, AccessToken: text, ExpiresIn: int(life.Seconds()), IssuedAt: timestamp(o.Now()),
	})
}

// registryToken is the answer of the token flow, under the two names that clients
// look for.
type registryToken struct {
	Token       string    `json:"token"`
	AccessToken string    `json:"access_token"`
	ExpiresIn   int       `json:"expires_in"`
	IssuedAt    timestamp `json:"issued_at"`
}

// scopeOf returns the organization whose repository a token is asked for; zero
// when none is named, as by docker login.
func scopeOf(query url.Values) id.ID {
	for _, scope := range query["scope"] {
		kind, rest, _ := strings.Cut(scope, ":")
		name, _, _ := strings.Cut(rest, ":")
		if kind != "repository" {
			continue
		}
		q, err := registry.Parse(&http.Request{Method: http.MethodGet, URL: &url.URL{Path: registry.Path + name + "/tags/list"}})
		if err == nil {
			return q.Organization
		}
	}
	return id.ID{}
}
