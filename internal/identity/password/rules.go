package password

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/usefloww/flowwd/internal/fault"
)

const (
	// MinLength and MaxLength are those of a password in characters.
	MinLength, MaxLength = 8, 128
	maxLogin             = 255
)

// Fold gives a login the form that it is compared in.
func Fold(login string) string { return strings.ToLower(strings.TrimSpace(login)) }

func checkLogin(login string) error {
	n := utf8.RuneCountInString(login)
	if n == 0 || n > maxLogin || !utf8.ValidString(login) || strings.ContainsFunc(login, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }) {
		return fault.New(fault.Invalid, "An e-mail or user name has 1 to %d characters and no spaces", maxLogin)
	}
	return nil
}

func checkPassword(password string) error {
	if n := utf8.RuneCountInString(password); n < MinLength || n > MaxLength {
		return fault.New(fault.Invalid, "A password has %d to %d characters", MinLength, MaxLength)
	}
	return nil
}

const maxName = 255

func checkNames(names ...string) error {
	for _, name := range names {
		if utf8.RuneCountInString(name) > maxName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
			return fault.New(fault.Invalid, "A name has at most %d characters on one line", maxName)
		}
	}
	return nil
}
