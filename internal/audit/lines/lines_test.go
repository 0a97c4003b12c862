package lines_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/audit/lines"
	"github.com/usefloww/flowwd/internal/id"
)

// chain makes any chain of n entries that a store could keep.
func chain(t *rapid.T, n int) []audit.Link {
	text := func(name string) string { return strings.ToValidUTF8(rapid.String().Draw(t, name), "?") }
	some := func(name string) id.ID {
		var x id.ID
		copy(x[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, name))
		if rapid.Bool().Draw(t, name+" is none") {
			return id.ID{}
		}
		return x
	}
	snapshot := func(name string) json.RawMessage {
		return rapid.SampledFrom([]json.RawMessage{
			nil, audit.Snapshot(map[string]any{name: text(name)}), json.RawMessage(`{ "a": 1 }`), json.RawMessage(`no JSON`), json.RawMessage(`"text"`),
		}).Draw(t, name)
	}
	links := make([]audit.Link, n)
	last := audit.Link{Seq: rapid.Int64Range(0, 1000).Draw(t, "first")}
	for i := range links {
		links[i] = audit.Link{
			Seq: last.Seq + 1, Previous: last.Hash,
			Entry: audit.Entry{
				ID: some("id"), At: time.UnixMilli(rapid.Int64Range(0, 1e13).Draw(t, "at")).UTC(), OrganizationID: some("organization"),
				Actor: audit.Actor{
					Kind: text("kind"), ID: some("actor"), Name: text("name"), Address: text("address"), RequestID: text("request"),
				},
				Action: audit.Action(text("action")), Outcome: audit.Outcome(text("outcome")),
				Target: audit.Target{Type: text("type"), ID: text("target")}, Before: snapshot("before"), After: snapshot("after"),
			},
		}
		links[i].Hash = links[i].Sum()
		last = links[i]
	}
	return links
}

func written(t interface{ Fatal(...any) }, links []audit.Link) []byte {
	var text []byte
	for _, l := range links {
		var err error
		if text, err = lines.Append(text, l); err != nil {
			t.Fatal(err)
		}
	}
	return text
}

func TestAnyChainVerifiesAndNoChangedByteDoes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		links := chain(t, rapid.IntRange(1, 5).Draw(t, "entries"))
		text := written(t, links)
		s, err := lines.Verify(bytes.NewReader(text), false)
		if err != nil {
			t.Fatalf("%v:\n%s", err, text)
		}
		if diff := cmp.Diff(lines.Summary{Entries: int64(len(links)), First: links[0], Last: links[len(links)-1]}, s); diff != "" {
			t.Fatal(diff)
		}
		at := rapid.IntRange(0, len(text)-1).Draw(t, "changed byte")
		changed := bytes.Clone(text)
		changed[at] ^= rapid.ByteRange(1, 255).Draw(t, "change")
		for _, gaps := range []bool{false, true} {
			if _, err := lines.Verify(bytes.NewReader(changed), gaps); err == nil {
				t.Fatalf("byte %d was changed from %q to %q, and nobody saw it (gaps %t):\n%s", at, text[at], changed[at], gaps, text)
			}
		}
		cut := rapid.IntRange(1, len(text)-1).Draw(t, "cut")
		if _, err := lines.Verify(bytes.NewReader(text[:cut]), false); err == nil && text[cut-1] != '\n' {
			t.Fatalf("the text ends at byte %d, and nobody saw it:\n%s", cut, text)
		}
	})
}

func TestEntriesThatAreMissingOrMoved(t *testing.T) {
	t.Parallel()
	links := rapid.Custom(func(t *rapid.T) []audit.Link { return chain(t, 5) }).Example(7)
	first := links[0].Seq
	for _, c := range []struct {
		name        string
		order       []int
		whole, gaps string
		missing     int64
	}{
		{"none", nil, "", "", 0},
		{"all", []int{0, 1, 2, 3, 4}, "", "", 0},
		{"the end", []int{3, 4}, "", "", 0},
		{"one left out", []int{0, 1, 3, 4}, fmt.Sprintf("audit entry %d is missing, and so are all up to %d", first+2, first+2), "", 1},
		{"two left out", []int{0, 3, 4}, fmt.Sprintf("audit entry %d is missing, and so are all up to %d", first+1, first+2), "", 2},
		{"twice", []int{0, 1, 1}, fmt.Sprintf("line 3: audit entry %d comes after entry %d", first+1, first+1), "comes after", 0},
		{"turned round", []int{1, 0}, "comes after", "comes after", 0},
	} {
		var some []audit.Link
		for _, i := range c.order {
			some = append(some, links[i])
		}
		for gaps, want := range map[bool]string{false: c.whole, true: c.gaps} {
			s, err := lines.Verify(bytes.NewReader(written(t, some)), gaps)
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("%s, gaps %t: got %v, want %q", c.name, gaps, err, want)
			}
			if err == nil && (s.Entries != int64(len(some)) || s.Missing != c.missing) {
				t.Errorf("%s: %d entries with %d missing", c.name, s.Entries, s.Missing)
			}
		}
	}
}

func TestWhatIsNoExport(t *testing.T) {
	t.Parallel()
	one := string(written(t, rapid.Custom(func(t *rapid.T) []audit.Link { return chain(t, 1) }).Example(3)))
	broken := errors.New("the disk is gone")
	for _, c := range []struct {
		name string
		in   io.Reader
		want string
	}{
		{"text", strings.NewReader("hello\n"), "line 1: it is no audit entry"},
		{"another object", strings.NewReader("{}\n"), "line 1: it is no audit entry"},
		{"an empty line", strings.NewReader(one + "\n"), "line 2: it is no audit entry"},
		{"no end of line", strings.NewReader(strings.TrimSuffix(one, "\n")), "line 1: it has no end"},
		{"spaces", strings.NewReader(" " + one), "line 1: it is not written as an export writes it"},
		{"more members", strings.NewReader(`{"more":1,` + one[1:]), "line 1: it is not written as an export writes it"},
		{"a long line", strings.NewReader(strings.Repeat("x", 5<<20)), "line 1: it has more than"},
		{"a failing disk", iotest.ErrReader(broken), broken.Error()},
	} {
		if _, err := lines.Verify(c.in, false); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}
