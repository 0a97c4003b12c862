package bundle

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// encode writes the field "mappings" for segments in the order of their
// generated places.
func encode(segments []segment) string {
	var text strings.Builder
	var last segment
	for i, s := range segments {
		if lines := s.generated.line - last.generated.line; lines > 0 {
			text.WriteString(strings.Repeat(";", lines))
			last.generated.column = 0
		} else if i > 0 {
			text.WriteByte(',')
		}
		number(&text, s.generated.column-last.generated.column)
		if s.source >= 0 {
			number(&text, s.source-last.source)
			number(&text, s.line-last.line)
			number(&text, s.column-last.column)
			last.source, last.position = s.source, s.position
		}
		last.generated = s.generated
	}
	return text.String()
}

// number writes a base64 VLQ.
func number(text *strings.Builder, n int) {
	bits := n << 1
	if n < 0 {
		bits = -n<<1 | 1
	}
	for {
		digit := bits & 31
		if bits >>= 5; bits > 0 {
			digit |= 32
		}
		text.WriteByte(base64Digits[digit])
		if bits == 0 {
			return
		}
	}
}

func mapOf(t interface{ Fatal(...any) }, segments []segment, sources ...string) []byte {
	text, err := json.Marshal(map[string]any{"version": 3, "sources": sources, "mappings": encode(segments), "a": []int{1}, "z": map[string]any{}})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestLookUp(t *testing.T) {
	t.Parallel()
	sourceMap := mapOf(t, []segment{
		{position{1, 4}, 0, position{10, 2}},
		{position{1, 9}, 1, position{0, 0}},
		{position{1, 20}, -1, position{}},
		{position{3, 0}, 0, position{9, 1 << 20}},
		{position{4, 0}, 7, position{1, 1}},
	}, "a.ts", "b.ts")
	for _, tc := range []struct {
		name string
		at   position
		want *original
	}{
		{"equal", position{1, 4}, &original{"a.ts", position{10, 2}}},
		{"behind", position{1, 8}, &original{"a.ts", position{10, 2}}},
		{"second", position{1, 9}, &original{"b.ts", position{0, 0}}},
		{"large", position{3, 5}, &original{"a.ts", position{9, 1 << 20}}},
		{"before the first of the line", position{1, 3}, nil},
		{"behind one that has no original", position{1, 25}, nil},
		{"line without any", position{2, 5}, nil},
		{"first line", position{0, 0}, nil},
		{"source that is not listed", position{4, 3}, nil},
		{"beyond the end", position{9, 0}, nil},
		{"before the beginning", position{-1, 0}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			found, err := lookUp(sourceMap, []position{{1, 9}, tc.at, {1, 4}})
			if err != nil {
				t.Fatal(err)
			}
			got, ok := found[tc.at]
			if ok != (tc.want != nil) || ok && got != *tc.want {
				t.Errorf("lookUp = %v, %v, want %v", got, ok, tc.want)
			}
		})
	}
}

// TestLookUpProperty compares with a search through all segments.
func TestLookUpProperty(t *testing.T) {
	t.Parallel()
	anyPosition := rapid.Custom(func(t *rapid.T) position {
		return position{rapid.IntRange(0, 6).Draw(t, "line"), rapid.IntRange(0, 2000).Draw(t, "column")}
	})
	anySegment := rapid.Custom(func(t *rapid.T) segment {
		return segment{anyPosition.Draw(t, "generated"), rapid.IntRange(-1, 2).Draw(t, "source"), anyPosition.Draw(t, "original")}
	})
	sources := []string{"a", "b", "c"}
	rapid.Check(t, func(t *rapid.T) {
		segments := rapid.SliceOfDistinct(anySegment, func(s segment) position { return s.generated }).Draw(t, "segments")
		slices.SortFunc(segments, func(a, b segment) int { return a.generated.compare(b.generated) })
		places := rapid.SliceOf(anyPosition).Draw(t, "places")
		want := map[position]original{}
		for _, place := range places {
			for _, s := range segments {
				if s.generated.line != place.line || s.generated.compare(place) > 0 {
					continue
				}
				delete(want, place)
				if s.source >= 0 {
					want[place] = original{sources[s.source], s.position}
				}
			}
		}
		got, err := lookUp(mapOf(t, segments, sources...), places)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(original{}, position{})); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

func TestLookUpRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "null", "[]", "{", "{}", `{"sources":[]}`, `{"mappings":""}`, `{"sources":1,"mappings":""}`, `{"sources":[],"mappings":{}}`, `{"sources":[],"mappings"}`,
	} {
		if _, err := lookUp([]byte(text), []position{{0, 0}}); err == nil {
			t.Errorf("lookUp(%s) gives no error", text)
		}
	}
	for _, mappings := range []string{"!", "A!", "g", "gggggggggggA", "AAAAAA", "AAAAA,\u00e9", "AADA", "AAAD", "ADAA"} {
		found, err := lookUp([]byte(`{"sources":["a"],"mappings":"`+mappings+`"}`), []position{{0, 0}, {5, 5}})
		if _, beyond := found[position{5, 5}]; err != nil || beyond {
			t.Errorf("lookUp in %s = %v, %v", mappings, found, err)
		}
		if o := found[position{0, 0}]; o.line < 0 || o.column < 0 {
			t.Errorf("lookUp in %s gives a place before the beginning: %v", mappings, o)
		}
	}
}
