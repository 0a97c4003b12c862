package web

import (
	"net/http"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/identity"
)

// https reports whether people reach this server by https, so that cookies must
// not go without.
func (d Deps) https() bool { return strings.HasPrefix(d.PublicURL(), "https://") }

// cookie is one that no script reads and that other sites' forms don't send:
// 1.4 of identity-realtime-admin.md.
func (d Deps) cookie(name, value string, life time.Duration) *http.Cookie {
	return &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: int(life.Seconds()),
		HttpOnly: true, Secure: d.https(), SameSite: http.SameSiteLaxMode,
	}
}

// drop has the browser forget a cookie.
func (d Deps) drop(w http.ResponseWriter, name string) {
	c := d.cookie(name, "", 0)
	c.MaxAge = -1
	http.SetCookie(w, c)
}

func (d Deps) setSession(w http.ResponseWriter, value string) {
	http.SetCookie(w, d.cookie(identity.SessionCookie, value, identity.SessionTTL))
}

// KeepSession has the browser keep its session as long anew; it is a
// route.Config.Slid.
func (d Deps) KeepSession(w http.ResponseWriter, r *http.Request) {
	if value := sessionOf(r); value != "" {
		d.setSession(w, value)
	}
}

// sessionOf returns the session cookie of a request; empty for none.
func sessionOf(r *http.Request) string {
	if c, err := r.Cookie(identity.SessionCookie); err == nil {
		return c.Value
	}
	return ""
}

// visitorOf is the browser behind a request.
func visitorOf(r *http.Request, address string) identity.Visitor {
	return identity.Visitor{Address: address, UserAgent: r.UserAgent(), Cookie: sessionOf(r)}
}
