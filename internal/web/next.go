package web

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// home is where people go who come from nowhere.
const home = "/"

// maxNext bounds where a login may lead to, for it goes through a cookie.
const maxNext = 2000

// safeNext returns where a login leads to: the place that the reader asked for
// where that is on this server, and home otherwise. The table in 1.5 of
// identity-realtime-admin.md says what is refused; a browser takes "/\host" and
// "/<tab>/host" for another site, too.
func safeNext(next, publicURL string) string {
	if origin := originOf(publicURL); origin != "" {
		if rest, ok := strings.CutPrefix(next, origin); ok {
			switch {
			case rest == "":
				next = home
			case rest[0] == '/':
				next = rest
			case rest[0] == '?', rest[0] == '#':
				next = home + rest
			}
		}
	}
	if len(next) > maxNext || !utf8.ValidString(next) || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") ||
		strings.ContainsFunc(next, func(r rune) bool { return r == '\\' || unicode.IsControl(r) || unicode.IsSpace(r) }) {
		return home
	}
	return next
}

// originOf returns scheme and host of an address; empty when it has none.
func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
