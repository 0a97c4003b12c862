package dummy

import (
	"strings"
	"testing"
)

// FuzzParse holds that what is wrong with a behaviour is told with its line.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"log a\nreturn {}", "trigger onWebhook {\"path\":\"a\"}\noptions {\"timeout\":1}", "sleep x", "#\n\n  nonsense", "provider a b"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, problems := parse("behaviour", text)
		for _, wrong := range problems {
			if wrong.Line < 1 || wrong.Line > strings.Count(text, "\n")+1 || wrong.Text == "" {
				t.Fatalf("%q: %+v", text, wrong)
			}
		}
		if len(p.triggers) == 0 {
			t.Fatalf("%q has no trigger", text)
		}
	})
}
