package identity

import (
	"context"
	"net/url"
	"time"
)

// Way is one way to log in: a provider of identities. Each lives in a folder
// below this one, and a new one touches no other. A way that people use in a
// browser at a provider of its own is a Browser as well.
type Way interface {
	// Name is the value of AUTH_TYPE and the provider of the way's identities.
	Name() string
	// Verify checks a bearer credential of the provider and returns whose it is;
	// fault.Unauthenticated when it is not valid, fault.Unavailable when that
	// can't be told now.
	Verify(ctx context.Context, bearer string) (Identity, error)
	// Client says how the command line logs in with the provider by itself. The
	// zero DeviceURL has it log in through this server.
	Client(ctx context.Context) ClientConfig
}

// Profiler is a Way whose tokens don't say who a person is: it asks the provider.
type Profiler interface {
	Way
	// Profile returns what the provider knows of a person. It takes a few seconds
	// at the most, and answers with an error at once where it failed lately.
	Profile(ctx context.Context, subject string) (Profile, error)
}

// Open is a Way in which nobody logs in: whoever asks is the same person.
type Open interface {
	Way
	// Anyone returns that person, or refuses a request that another site may have
	// made a browser send.
	Anyone(c Credential) (Identity, error)
}

// ClientConfig is what a client needs to know of a provider: 2.1 of
// identity-realtime-admin.md of the wire contract.
type ClientConfig struct {
	ClientID                              string
	DeviceURL, TokenURL, AuthorizationURL string
	Issuer, KeysURL                       string
	// Audience is asked for by clients; empty for none.
	Audience string
}

// DeviceLogin says where command lines log in.
type DeviceLogin string

// The places where command lines log in.
const (
	// DeviceAuto is at the provider where it lets them in, else at this server.
	DeviceAuto     DeviceLogin = "auto"
	DeviceOwn      DeviceLogin = "own"
	DeviceProvider DeviceLogin = "provider"
)

// Browser logs people in at a provider by OAuth 2 with a browser.
type Browser interface {
	Way
	// Begin returns where to send the browser.
	Begin(ctx context.Context, r LoginRequest) (redirect string, err error)
	// Finish makes a login of what the provider sent the browser back with.
	Finish(ctx context.Context, r LoginRequest, answer url.Values) (Login, error)
	// Refresh renews what Finish or Refresh returned. fault.Unauthenticated says
	// that the provider ended the login, fault.Unavailable that it can't tell now.
	Refresh(ctx context.Context, tokens []byte) (Login, error)
	// End ends the login at the provider and returns where the browser must go
	// for that; empty when nothing is left to do. Without returnTo no browser is
	// there, and what can be ended without one is.
	End(ctx context.Context, tokens []byte, returnTo string) (redirect string, err error)
}

// LoginRequest is a login under way. Its secrets are bound to the browser.
type LoginRequest struct {
	// CallbackURL is where the provider sends the browser back to.
	CallbackURL string
	// State, Nonce and Verifier (PKCE, RFC 7636) are random, and made by the
	// caller for each login.
	State, Nonce, Verifier string
	// Prompt is passed on to the provider; empty for none.
	Prompt string
}

// Login is what a provider says of a person who logged in.
type Login struct {
	Identity Identity
	// Tokens is what Refresh and End need, in the way's own form; the caller
	// keeps it encrypted. Empty when there is nothing to renew.
	Tokens []byte
	// Until is when the provider must be asked again; zero for never.
	Until time.Time
	// SessionID is the provider's name for the session; empty for none.
	SessionID string
}

// Credential is what came with a request. A Bearer goes before a Cookie, also
// when it is not valid.
type Credential struct {
	Bearer, Cookie string
	// Address is where the request came from.
	Address string
	// Host is the host that the client asked for, with its port.
	Host string
}

// SessionCookie is the name of the cookie that holds a session: 1.4 of
// identity-realtime-admin.md.
const SessionCookie = "session"
