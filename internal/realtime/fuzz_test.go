package realtime

import "testing"

// FuzzParseChannel holds that a workflow has one channel, by one name.
func FuzzParseChannel(f *testing.F) {
	for _, name := range []string{"workflow:0192f1a5-7d3c-7b6e-9f00-0123456789ab", "workflow:0192F1A5-7D3C-7B6E-9F00-0123456789AB", EventsChannel, "#workflow:x", "workflow:00000000-0000-0000-0000-000000000000"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if workflow, ok := ParseChannel(name); ok && (Channel(workflow) != name || workflow.IsZero()) {
			t.Fatalf("%q is taken for the channel of %s", name, workflow)
		}
	})
}
