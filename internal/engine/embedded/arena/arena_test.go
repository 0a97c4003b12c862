package arena_test

import (
	"bytes"
	"testing"
	"unsafe"

	"pgregory.net/rapid"

	"github.com/usefloww/flowwd/internal/engine/embedded/arena"
)

func TestArenaKeepsContentsApart(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const size = 1 << 20
		a, err := arena.New(size)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		live := map[uintptr][]byte{}
		check := func() {
			sum := 0
			for p, want := range live {
				if !bytes.Equal(view(p, len(want)), want) {
					t.Fatalf("the content at %#x changed", p)
				}
				sum += len(want)
			}
			if a.Used() < sum {
				t.Fatalf("%d bytes are used, the arena counts %d", sum, a.Used())
			}
		}
		fill := func(p uintptr, n int, b byte) {
			if p%16 != 0 {
				t.Fatalf("%#x is not aligned", p)
			}
			if a.Size(p) < uint64(n) {
				t.Fatalf("%d bytes asked, %d usable", n, a.Size(p))
			}
			live[p] = bytes.Repeat([]byte{b}, n)
			copy(view(p, n), live[p])
		}
		pick := func(t *rapid.T) uintptr {
			if len(live) == 0 {
				t.Skip("nothing is allocated")
			}
			keys := make([]uintptr, 0, len(live))
			for p := range live {
				keys = append(keys, p)
			}
			low := keys[0]
			for _, p := range keys {
				low = min(low, p)
			}
			return low
		}
		sizes := rapid.OneOf(rapid.IntRange(0, 300), rapid.IntRange(300, 5000), rapid.IntRange(5000, 200_000))
		t.Repeat(map[string]func(*rapid.T){
			"": func(*rapid.T) { check() },
			"alloc": func(t *rapid.T) {
				n := sizes.Draw(t, "n")
				if p := a.Alloc(uint64(n)); p != 0 {
					fill(p, n, rapid.Byte().Draw(t, "b"))
				}
			},
			"free": func(t *rapid.T) {
				p := pick(t)
				delete(live, p)
				a.Free(p)
			},
			"realloc": func(t *rapid.T) {
				p := pick(t)
				n := sizes.Draw(t, "n")
				old := live[p]
				q := a.Realloc(p, uint64(n))
				if q == 0 {
					return
				}
				delete(live, p)
				m := min(n, len(old))
				if !bytes.Equal(view(q, m), old[:m]) {
					t.Fatalf("realloc lost the content")
				}
				fill(q, n, rapid.Byte().Draw(t, "b"))
			},
		})
		for p := range live {
			a.Free(p)
		}
		if a.Used() != 0 {
			t.Fatalf("all is freed, %d bytes are counted", a.Used())
		}
		if a.Alloc(size-size/8) == 0 {
			t.Fatal("all is freed, but the memory did not come together again")
		}
	})
}

func TestRestoreForgetsWhatCameAfter(t *testing.T) {
	t.Parallel()
	a, err := arena.New(64 << 20)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	p := a.Alloc(100)
	copy(view(p, 5), "hello")
	used := a.Used()
	snap := a.Snapshot()
	for range 3 {
		copy(view(p, 5), "spoil")
		q := a.Alloc(32 << 20)
		if q == 0 {
			t.Fatal("no memory left")
		}
		clear(view(q, 32<<20))
		a.Free(p)
		if err := a.Restore(snap); err != nil {
			t.Fatal(err)
		}
		if got := string(view(p, 5)); got != "hello" || a.Used() != used {
			t.Fatalf("restored %q with %d bytes used, want hello with %d", got, a.Used(), used)
		}
	}
}

func TestLimit(t *testing.T) {
	t.Parallel()
	a, err := arena.New(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	a.SetLimit(1000)
	p := a.Alloc(500)
	if p == 0 || a.Exhausted() {
		t.Fatal("500 of 1000 bytes were refused")
	}
	if a.Realloc(p, 5000) != 0 || !a.Exhausted() {
		t.Fatal("5000 of 1000 bytes were given")
	}
	if a.Alloc(^uint64(0)-8) != 0 {
		t.Fatal("a size that overflows was given")
	}
	a.SetLimit(10_000)
	if a.Exhausted() || a.Alloc(5000) == 0 {
		t.Fatal("a new limit does not help")
	}
}

// view is the memory at an address of an arena.
func view(p uintptr, n int) []byte { return unsafe.Slice((*byte)(unsafe.Add(nil, p)), n) }
