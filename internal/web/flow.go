package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/web/ui"
)

const (
	// flowTTL is how long somebody may take to log in at the provider.
	flowTTL = 10 * time.Minute
	// maxFlows is how many logins a browser may have under way, in tabs of its
	// own each.
	maxFlows = 8
	// flowCookie begins the names of the cookies of logins under way.
	flowCookie = "floww_login_"
)

// flow is a login under way. It is sealed in a cookie: only the browser that
// began it can end it, and nothing is kept here meanwhile.
type flow struct {
	State    string    `json:"s"`
	Nonce    string    `json:"n"`
	Verifier string    `json:"v"`
	Prompt   string    `json:"p,omitempty"`
	Next     string    `json:"t"`
	Until    time.Time `json:"u"`
}

func (d Deps) request(f flow) identity.LoginRequest {
	// Of the settings and never of the request, whose Host anybody can write.
	return identity.LoginRequest{
		CallbackURL: d.PublicURL() + "/auth/callback", State: f.State, Nonce: f.Nonce, Verifier: f.Verifier, Prompt: f.Prompt,
	}
}

// flowName is the name of a login's cookie. It tells nothing of the state.
func flowName(state string) string {
	sum := sha256.Sum256([]byte(state))
	return flowCookie + hex.EncodeToString(sum[:8])
}

// prompts are what a client may ask the provider to do.
var prompts = []string{"login", "consent", "select_account", "create"}

// begin sends the browser to the provider.
func (d Deps) begin(w http.ResponseWriter, r *http.Request, browser identity.Browser, next, prompt string) error {
	if !slices.Contains(prompts, prompt) {
		prompt = ""
	}
	f := flow{Prompt: prompt, Next: next, Until: d.Now().Add(flowTTL)}
	for _, secret := range []*string{&f.State, &f.Nonce, &f.Verifier} {
		*secret, _ = identity.NewToken()
	}
	to, err := browser.Begin(r.Context(), d.request(f))
	if err != nil {
		return err
	}
	sealed, err := d.seal(f)
	if err != nil {
		return fmt.Errorf("seal a login under way: %w", err)
	}
	d.dropFlows(w, r)
	http.SetCookie(w, d.cookie(flowName(f.State), string(sealed), flowTTL))
	ui.Redirect(w, r, to)
	return nil
}

func (d Deps) seal(f flow) ([]byte, error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false) // a cookie has no room for it
	if err := enc.Encode(f); err != nil {
		return nil, err
	}
	return d.Flows.Seal(text.Bytes())
}

// dropFlows has a browser forget its logins under way when they are many:
// together they would make its requests too large.
func (d Deps) dropFlows(w http.ResponseWriter, r *http.Request) {
	var names []string
	for _, c := range r.Cookies() {
		if strings.HasPrefix(c.Name, flowCookie) {
			names = append(names, c.Name)
		}
	}
	if len(names) < maxFlows {
		return
	}
	for _, name := range names {
		d.drop(w, name)
	}
}

// callback makes a session of what the provider sent the browser back with.
func (d Deps) callback(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
	browser, ok := d.Way.(identity.Browser)
	if !ok {
		ui.Redirect(w, r, home)
		return nil
	}
	query := r.URL.Query()
	f, err := d.open(r, query.Get("state"))
	if err != nil {
		d.refusedLogin(r.Context(), "state")
		return d.showFailure(w, r, http.StatusBadRequest, home,
			"This login was not begun in this browser, took longer than ten minutes, or was ended already.")
	}
	d.drop(w, flowName(f.State))
	if problem := query.Get("error"); problem != "" {
		d.refusedLogin(r.Context(), "provider")
		return d.showFailure(w, r, http.StatusBadRequest, f.Next, providerProblem(problem))
	}
	login, err := browser.Finish(r.Context(), d.request(f), query)
	if fault.Is(err, fault.Unauthenticated) || fault.Is(err, fault.Invalid) {
		d.Logger.WarnContext(r.Context(), "a login was refused", "error", err)
		d.refusedLogin(r.Context(), "answer")
		return d.showFailure(w, r, http.StatusBadRequest, f.Next, "The answer of the provider is not valid.")
	}
	if err != nil {
		return err
	}
	cookie, err := d.Logins.LogIn(r.Context(), login, visitorOf(r, route.ClientAddress(r.Context())))
	if err != nil {
		return err
	}
	d.setSession(w, cookie)
	ui.Redirect(w, r, f.Next)
	return nil
}

// open returns the login of this browser that a state belongs to.
func (d Deps) open(r *http.Request, state string) (flow, error) {
	var f flow
	cookie, err := r.Cookie(flowName(state))
	if err != nil {
		return f, err
	}
	text, err := d.Flows.Open([]byte(cookie.Value))
	if err != nil {
		return f, err
	}
	if err := json.Unmarshal(text, &f); err != nil {
		return f, err
	}
	if subtle.ConstantTimeCompare([]byte(f.State), []byte(state)) != 1 || !d.Now().Before(f.Until) {
		return f, fault.New(fault.Invalid, "the login is another one or is over")
	}
	return f, nil
}

func (d Deps) refusedLogin(ctx context.Context, why string) {
	d.Recorder.Record(ctx, audit.Entry{
		Action: audit.LogIn, Outcome: audit.Refused, After: audit.Snapshot(map[string]any{"reason": why}),
	})
}

// providerProblem puts an error of a provider into words; the codes are those of
// RFC 6749 and OpenID Connect. Others are not shown: anybody can make a link
// with a text in it.
func providerProblem(code string) string {
	switch code {
	case "access_denied":
		return "The provider did not let you in, or you chose not to go on."
	case "login_required", "interaction_required", "consent_required", "account_selection_required":
		return "The provider asks you to log in there again."
	case "server_error", "temporarily_unavailable":
		return "The provider has a problem just now; try again in a moment."
	}
	return "The provider answered that the login failed."
}
