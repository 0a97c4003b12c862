package identity

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestUserCodes(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}$`)
	seen := map[string]bool{}
	for range 1000 {
		code := newUserCode()
		if !form.MatchString(code) || seen[code] || UserCode(code) != code {
			t.Fatalf("user code %q", code)
		}
		seen[code] = true
	}
	for typed, want := range map[string]string{
		"ABCD-EFGH": "ABCD-EFGH", " abcd-efgh\n": "ABCD-EFGH", "abcdefgh": "ABCD-EFGH", "ab cd ef gh": "ABCD-EFGH", "AB-CDEF-GH": "ABCD-EFGH",
		"": "", "ABCD-EFG": "", "ABCD-EFGHJ": "", "ABCD-EFG0": "", "ABCD-EFG1": "", "ABCD-EFGO": "", "ABCD-EFGI": "", "ABCD_EFGH": "", "ÄBCD-EFGH": "",
		strings.Repeat("A", 10_000): "",
	} {
		if got := UserCode(typed); got != want {
			t.Errorf("%.20q is %q, want %q", typed, got, want)
		}
	}
}

func TestOneLine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"node": "node", " a\r\nb\x1b[2J\x00c ": "ab[2Jc", "a\u202eb": "ab", "\xff": "", strings.Repeat("ä", 200): strings.Repeat("ä", 127),
	} {
		if got := oneLine(text, 255); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	f := &Failures{Max: 2, Window: time.Minute, Now: func() time.Time { return now }}
	try := func(want time.Duration, keys ...string) {
		t.Helper()
		if got := f.Try(keys...); got != want {
			t.Errorf("wait %v, want %v", got, want)
		}
	}
	try(0, "ada", "home")
	f.Forgive("ada", "home")
	try(0, "ada", "home")
	now = now.Add(10 * time.Second)
	try(0, "bob", "home")
	try(50*time.Second, "cyd", "home")
	try(0, "ada", "away")
	try(50*time.Second, "ada", "elsewhere")
	now = now.Add(50 * time.Second)
	try(0, "ada", "home")
}
