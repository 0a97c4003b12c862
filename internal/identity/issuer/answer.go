package issuer

import (
	"crypto/subtle"
	"net/url"
	"strings"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/identity"
)

// CodeOf returns the code that a provider sent a browser back with, when that
// answers the given request (RFC 6749, 4.1.2).
func CodeOf(r identity.LoginRequest, answer url.Values) (string, error) {
	state := answer.Get("state")
	if state != "" && subtle.ConstantTimeCompare([]byte(state), []byte(r.State)) != 1 {
		return "", fault.New(fault.Invalid, "Invalid or expired state parameter")
	}
	if refused := answer.Get("error"); refused != "" {
		return "", fault.New(fault.Invalid, "OAuth error: %s", Word(refused))
	}
	code := answer.Get("code")
	if code == "" || state == "" {
		return "", fault.New(fault.Invalid, "Missing authorization code or state")
	}
	return code, nil
}

// maxWord is the length of a provider's error code in a text for people.
const maxWord = 64

// Word returns an error code of a provider as far as it can stand in a text:
// anybody can make a browser come back with any.
func Word(code string) string {
	word := strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '_', r == '-', r == '.':
			return r
		}
		return -1
	}, code)
	if word == "" {
		return "unknown"
	}
	return word[:min(len(word), maxWord)]
}
