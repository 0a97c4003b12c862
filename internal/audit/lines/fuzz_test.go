package lines_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/audit/lines"
	"github.com/usefloww/flowwd/internal/id"
)

// FuzzVerify holds that what is taken for an export counts its lines, and that of
// the entry it ends with there is no other spelling.
func FuzzVerify(f *testing.F) {
	link := audit.Link{Seq: 1, Entry: audit.Entry{ID: id.ID{1}, At: time.UnixMilli(1).UTC(), Action: "a", Before: audit.Snapshot(map[string]any{"a": "<b>"})}}
	link.Hash = link.Sum()
	one := written(f, []audit.Link{link})
	f.Add(one, false)
	f.Add(append(bytes.Clone(one), one...), true)
	f.Add([]byte("{}\n"), false)
	f.Fuzz(func(t *testing.T, text []byte, gaps bool) {
		s, err := lines.Verify(bytes.NewReader(text), gaps)
		if err != nil {
			return
		}
		if s.Entries != int64(bytes.Count(text, []byte("\n"))) {
			t.Fatalf("%d entries in %q", s.Entries, text)
		}
		if s.Entries == 0 {
			return
		}
		if last := written(t, []audit.Link{s.Last}); !bytes.HasSuffix(text, last) {
			t.Fatalf("%q ends with %q", text, last)
		}
	})
}
