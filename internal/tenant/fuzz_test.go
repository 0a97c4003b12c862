package tenant

import (
	"net/mail"
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/fault"
)

// FuzzEmail holds that an address that is taken is one recipient and one line:
// mails are sent to it.
func FuzzEmail(f *testing.F) {
	for _, text := range []string{"ada@example.com", "Ada <ada@example.com>", "a@b\r\nBcc: c@d", "a@b, c@d", "\"a b\"@c", " a@b ", "a@[127.0.0.1]", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		email, err := checkEmail(text)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%v is no Invalid", err)
			}
			return
		}
		all, err := mail.ParseAddressList(email)
		if err != nil || len(all) != 1 || len(email) > maxEmail || strings.ContainsAny(email, "\r\n\x00") {
			t.Fatalf("%q is taken as %q: %v, %v", text, email, all, err)
		}
	})
}
