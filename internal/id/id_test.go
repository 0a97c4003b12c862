package id

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseReadsWhatStringWrites(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var x ID
		copy(x[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "bytes"))
		for _, text := range []string{x.String(), strings.ToUpper(x.String())} {
			if got, err := Parse(text); err != nil || got != x {
				t.Fatalf("Parse(%q) = %v, %v", text, got, err)
			}
		}
	})
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "1", "not-a-uuid", "0193a1b2c3d4e5f60718293a4b5c6d7e", "{0193a1b2-c3d4-e5f6-0718-293a4b5c6d7e}",
		"0193a1b2-c3d4-e5f6-0718-293a4b5c6d7g", "0193a1b2-c3d4-e5f6-0718-293a4b5c6d7e ", strings.Repeat("x", 100_000),
	} {
		if got, err := Parse(text); err == nil {
			t.Errorf("Parse(%.40q) = %v, want an error", text, got)
		} else if len(err.Error()) > 500 {
			t.Errorf("the error repeats %d bytes of the input", len(err.Error()))
		}
	}
}

// ones is randomness that is used up by the second id of a millisecond.
type ones struct{}

func (ones) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 0xff
	}
	return len(p), nil
}

// Ids must grow also when the clock steps back, when it stands still, and when
// the random part of a millisecond is used up.
func TestIDsGrow(t *testing.T) {
	t.Parallel()
	clock := time.UnixMilli(1_800_000_000_000)
	steps := []time.Duration{0, time.Millisecond, -time.Hour, 0}
	i := 0
	now := func() time.Time {
		i++
		clock = clock.Add(steps[i%len(steps)])
		return clock
	}
	for name, s := range map[string]*Source{"random": NewSource(now), "overflowing": newSource(now, ones{}, 1)} {
		last := s.New()
		for range 2000 {
			next := s.New()
			if bytes.Compare(next[:], last[:]) <= 0 {
				t.Fatalf("%s: %v follows %v", name, next, last)
			}
			last = next
		}
	}
}

func TestIDsAreUniqueAcrossGoroutines(t *testing.T) {
	t.Parallel()
	s := NewSource(time.Now)
	var mu sync.Mutex
	seen := map[ID]bool{}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 500 {
				x := s.New()
				mu.Lock()
				if seen[x] {
					t.Errorf("%v was made twice", x)
				}
				seen[x] = true
				mu.Unlock()
			}
		})
	}
	all.Wait()
}
