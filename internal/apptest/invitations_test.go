package apptest_test

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/config"
)

// invited is what somebody who invites is told.
type invited struct {
	ID, Email, Role, State, Mail string
	InvitationURL                string
}

func invite(t *testing.T, c *apptest.Client, organization string, body map[string]any) invited {
	t.Helper()
	r := c.Do(t, "POST", "/api/organizations/"+organization+"/invitations", body)
	var i invited
	if err := json.Unmarshal(r.Body, &i); err != nil || r.Status != 200 {
		t.Fatalf("invite: %s (%v)", r, err)
	}
	return i
}

// token is the secret in an invitation's link.
func token(t *testing.T, link string) string {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil || u.Path != "/invite" {
		t.Fatalf("link %q (%v)", link, err)
	}
	return u.Query().Get("token")
}

// states are what has become of an organization's invitations, by address.
func states(t *testing.T, c *apptest.Client, organization string) map[string]string {
	t.Helper()
	r := c.Do(t, "GET", "/api/organizations/"+organization+"/invitations", nil)
	var all []invited
	if err := json.Unmarshal(r.Body, &all); err != nil || r.Status != 200 {
		t.Fatalf("list invitations: %s (%v)", r, err)
	}
	if strings.Contains(string(r.Body), "floww_inv_") {
		t.Errorf("the list shows secrets: %s", r)
	}
	found := map[string]string{}
	for _, i := range all {
		found[i.Email] = i.State
	}
	return found
}

func TestInvitations(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Way: apptest.Anyone{}})
	s.Person(t, "first")
	owner, admin, member, guest := s.Person(t, "ada"), s.Person(t, "bob"), s.Person(t, "cyd"), s.Person(t, "dan")
	org := owner.Organization
	s.Join(t, org, admin, "admin")
	s.Join(t, org, member, "member")
	path := "/api/organizations/" + org + "/invitations"
	i := invite(t, admin.Client, org, map[string]any{"email": "somebody@example.com", "expires_in_days": 3})
	if i.Role != "member" || i.State != "pending" || i.Mail != "none" || !strings.HasPrefix(i.InvitationURL, s.URL+"/invite?token=floww_inv_") {
		t.Errorf("invited: %+v", i)
	}
	accept := func(link string) map[string]any { return map[string]any{"token": token(t, link)} }
	body := func(email, role string) map[string]any { return map[string]any{"email": email, "role": role} }
	for _, e := range []exchange{
		{"a member invites", member.Client, "POST", path, body("x@example.com", "viewer"), 403, "owners and admins"},
		{"a member looks", member.Client, "GET", path, nil, 403, "owners and admins"},
		{"a stranger invites", guest.Client, "POST", path, body("x@example.com", "viewer"), 404, "not found"},
		{"above oneself", admin.Client, "POST", path, body("x@example.com", "owner"), 403, "owners"},
		{"no address", admin.Client, "POST", path, body("x\r\nBcc: y@example.com", "viewer"), 400, "address"},
		{"no such role", admin.Client, "POST", path, body("x@example.com", "king"), 400, "viewer"},
		{"too long", admin.Client, "POST", path, map[string]any{"email": "x@example.com", "expiresInDays": 31}, 400, ""},
		{"twice", admin.Client, "POST", path, body("somebody@example.com", "member"), 409, "already exists"},
		{"a wrong link", guest.Client, "POST", "/api/invitations/accept", map[string]any{"token": "floww_inv_x"}, 404, "not valid"},
		{"no link", guest.Client, "POST", "/api/invitations/accept", map[string]any{"token": ""}, 404, "not valid"},
		{"a key accepts", s.Client, "POST", "/api/invitations/accept", accept(i.InvitationURL), 403, "only people"},
		{"revoked elsewhere", guest.Client, "DELETE", "/api/organizations/" + guest.Organization + "/invitations/" + i.ID, nil, 404, "not found"},
		{"resent elsewhere", guest.Client, "POST", "/api/organizations/" + guest.Organization + "/invitations/" + i.ID + "/resend", nil, 404, "not found"},
		{"accepted", guest.Client, "POST", "/api/invitations/accept", accept(i.InvitationURL), 200, ""},
		{"accepted twice", member.Client, "POST", "/api/invitations/accept", accept(i.InvitationURL), 404, "not valid"},
		{"joined", guest.Client, "GET", "/api/organizations/" + org, nil, 200, ""},
		{"revoked late", owner.Client, "DELETE", path + "/" + i.ID, nil, 400, "accepted already"},
	} {
		e.run(t)
	}

	old := invite(t, owner.Client, org, body("eve@example.com", "owner"))
	exchange{"an admin can't resend an owner's", admin.Client, "POST", path + "/" + old.ID + "/resend", nil, 403, "owners"}.run(t)
	link := exchange{"resent", owner.Client, "POST", path + "/" + old.ID + "/resend?expires_in_days=30", nil, 200, ""}.run(t)["invitation_url"].(string)
	eve := s.Person(t, "eve")
	exchange{"the old link", eve.Client, "POST", "/api/invitations/accept", accept(old.InvitationURL), 404, "not valid"}.run(t)
	if o := (exchange{"the new link", eve.Client, "POST", "/api/invitations/accept", accept(link), 200, ""}).run(t); o["id"] != org || o["role"] != "owner" {
		t.Errorf("accepted: %v", o)
	}
	gone := invite(t, owner.Client, org, body("fay@example.com", "viewer"))
	exchange{"revoked", owner.Client, "DELETE", path + "/" + gone.ID, nil, 200, ""}.run(t)
	exchange{"a revoked link", s.Person(t, "fay").Client, "POST", "/api/invitations/accept", accept(gone.InvitationURL), 404, "not valid"}.run(t)
	got := states(t, owner.Client, org)
	if got["somebody@example.com"] != "accepted" || got["eve@example.com"] != "accepted" || got["fay@example.com"] != "revoked" {
		t.Errorf("states %v", got)
	}
}

// The link opens a page that says what is offered to whom and by whom.
func TestInvitationPage(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Way: apptest.Anyone{}})
	s.Person(t, "first")
	owner, guest := s.Person(t, "ada"), s.Person(t, "dan")
	owner.JSON(t, 200, "PATCH", "/api/organizations/"+owner.Organization, map[string]any{"displayName": "A <b>& Co"})
	i := invite(t, owner.Client, owner.Organization, map[string]any{"email": "somebody@example.com", "role": "admin"})
	page := strings.TrimPrefix(i.InvitationURL, s.URL)

	r := s.Anonymous().Do(t, "GET", page, nil)
	if to := r.Header.Get("Location"); r.Status != 307 || to != "/auth/login?next="+url.QueryEscape(page) {
		t.Errorf("without a login: %d, to %s", r.Status, to)
	}
	for c, wants := range map[*apptest.Client][]string{
		guest.Client: {"A &lt;b&gt;&amp; Co", "ada@example.com", "admin", "somebody@example.com", "dan@example.com", token(t, i.InvitationURL)},
		owner.Client: {"You are a member of A &lt;b&gt;&amp; Co"},
	} {
		r := c.Do(t, "GET", page, nil)
		for _, want := range wants {
			if r.Status != 200 || !strings.Contains(string(r.Body), want) {
				t.Errorf("the page has no %q: %s", want, r)
			}
		}
		if h := r.Header; h.Get("Cache-Control") != "no-store" || h.Get("Referrer-Policy") == "" {
			t.Errorf("headers %v", h)
		}
	}
	form := func(c *apptest.Client) apptest.Response {
		body := url.Values{"token": {token(t, i.InvitationURL)}}.Encode()
		return c.Do(t, "POST", "/invite", body, "Content-Type", "application/x-www-form-urlencoded")
	}
	if r := form(guest.Client); r.Status != 302 || r.Header.Get("Location") != "/account?done=joined&n=1" {
		t.Errorf("accepted: %s, to %s", r, r.Header.Get("Location"))
	}
	if r := form(s.Person(t, "eve").Client); r.Status != 404 || !strings.Contains(string(r.Body), "does not work") {
		t.Errorf("accepted twice: %s", r)
	}
	exchange{"joined", guest.Client, "GET", "/api/organizations/" + owner.Organization, nil, 200, ""}.run(t)
	exchange{"used up", owner.Client, "GET", page, nil, 404, ""}.run(t)
}

// Without a provider that keeps organizations, its two operations answer that
// there is none.
func TestWithoutDirectory(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Way: apptest.Anyone{}})
	owner := s.Person(t, "ada")
	path := "/api/organizations/" + owner.Organization
	if r := (exchange{"O10", owner.Client, "POST", path + "/sync-users", nil, 200, ""}).run(t); r["synced_count"] != float64(0) {
		t.Errorf("O10: %v", r)
	}
	r := exchange{"O14", owner.Client, "POST", path + "/sso/setup", map[string]any{"return_url": "https://x.example"}, 200, ""}.run(t)
	if r["admin_portal_link"] != "" || r["has_workos_org"] != false || len(r["features_available"].([]any)) != 0 {
		t.Errorf("O14: %v", r)
	}
}

// mailbox is a mail server.
type mailbox struct {
	mu    sync.Mutex
	mails []string
	full  bool
}

func (m *mailbox) NewSession(*smtp.Conn) (smtp.Session, error) { return m, nil }
func (m *mailbox) Mail(string, *smtp.MailOptions) error        { return nil }
func (m *mailbox) Rcpt(string, *smtp.RcptOptions) error        { return nil }
func (m *mailbox) Reset()                                      {}
func (m *mailbox) Logout() error                               { return nil }
func (m *mailbox) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.full {
		return &smtp.SMTPError{Code: 552, Message: "mailbox full"}
	}
	m.mails = append(m.mails, string(text))
	return err
}

// all returns the mails that have arrived.
func (m *mailbox) all() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.mails)
}

// serve starts the server and returns its address.
func (m *mailbox) serve(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	on := smtp.NewServer(m)
	done := make(chan error, 1)
	go func() { done <- on.Serve(l) }()
	t.Cleanup(func() {
		_ = on.Close() // Serve says what was wrong
		if err := <-done; err != nil && !errors.Is(err, smtp.ErrServerClosed) {
			t.Error(err)
		}
	})
	return "smtp://" + l.Addr().String()
}

func TestInvitationsByMail(t *testing.T) {
	t.Parallel()
	box := &mailbox{}
	address := box.serve(t)
	s := apptest.Start(t, apptest.Options{Way: apptest.Anyone{}, Settings: func(c *config.Settings) {
		c.SMTPURL, c.MailFrom = address, "Floww <floww@example.com>"
	}})
	owner := s.Person(t, "ada")
	sent := invite(t, owner.Client, owner.Organization, map[string]any{"email": "bob@example.com", "role": "admin"})
	box.mu.Lock()
	if sent.Mail != "sent" || len(box.mails) != 1 {
		t.Fatalf("mail %s, %d arrived", sent.Mail, len(box.mails))
	}
	for _, want := range []string{"To: <bob@example.com>", "From: \"Floww\" <floww@example.com>", "ada@example.com", "as admin", "text/html"} {
		if !strings.Contains(box.mails[0], want) {
			t.Errorf("the mail has no %q:\n%s", want, box.mails[0])
		}
	}
	if !strings.Contains(strings.ReplaceAll(strings.ReplaceAll(box.mails[0], "=\r\n", ""), "=3D", "="), sent.InvitationURL) {
		t.Errorf("the mail has no link %s:\n%s", sent.InvitationURL, box.mails[0])
	}
	box.full = true
	box.mu.Unlock()
	failed := invite(t, owner.Client, owner.Organization, map[string]any{"email": "cyd@example.com"})
	if failed.Mail != "failed" {
		t.Errorf("mail %s, want failed", failed.Mail)
	}
	exchange{"its link is valid", s.Person(t, "cyd").Client, "POST", "/api/invitations/accept", map[string]any{"token": token(t, failed.InvitationURL)}, 200, ""}.run(t)
}
