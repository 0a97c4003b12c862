package execution

import (
	"testing"

	"github.com/usefloww/flowwd/internal/fault"
)

// FuzzParseCursor holds that a place in a log is read as it is written, and that
// all else is the caller's mistake, said in few words.
func FuzzParseCursor(f *testing.F) {
	for _, text := range []string{"", "1-17", "0-0", "2147483648-1", "-1-2", "1-", "+1-1", "1-1-1"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseCursor(text)
		if err != nil {
			if !fault.Is(err, fault.Invalid) || len(err.Error()) > 400 {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		again, err := ParseCursor(c.String())
		if err != nil || again != c || c.Attempt < 0 || c.Line < 0 {
			t.Fatalf("%q is read as %v and then as %v, %v", text, c, again, err)
		}
	})
}
