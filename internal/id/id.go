package id

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
)

// ID identifies one stored object. The zero ID stands for "none".
type ID [16]byte

// IsZero reports whether x stands for "none".
func (x ID) IsZero() bool { return x == ID{} }

// String returns the lower-case UUID text.
func (x ID) String() string {
	var b [36]byte
	x.encode(&b)
	return string(b[:])
}

// MarshalText returns the UUID text, so that ids can be JSON values and keys.
func (x ID) MarshalText() ([]byte, error) {
	var b [36]byte
	x.encode(&b)
	return b[:], nil
}

// UnmarshalText reads what Parse reads.
func (x *ID) UnmarshalText(text []byte) error {
	parsed, err := Parse(string(text))
	if err != nil {
		return err
	}
	*x = parsed
	return nil
}

func (x ID) encode(b *[36]byte) {
	hex.Encode(b[0:8], x[0:4])
	hex.Encode(b[9:13], x[4:6])
	hex.Encode(b[14:18], x[6:8])
	hex.Encode(b[19:23], x[8:10])
	hex.Encode(b[24:36], x[10:16])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
}

// Time returns the millisecond at which x was made.
func (x ID) Time() time.Time { return ulid.Time(ulid.ULID(x).Time()).UTC() }

// Parse reads the 36-character UUID form, in either case.
func Parse(text string) (ID, error) {
	var x ID
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return ID{}, fmt.Errorf("%.64q is not a UUID", text)
	}
	compact := text[0:8] + text[9:13] + text[14:18] + text[19:23] + text[24:36]
	if _, err := hex.Decode(x[:], []byte(compact)); err != nil {
		return ID{}, fmt.Errorf("%.64q is not a UUID", text)
	}
	return x, nil
}

// Source makes ids. Ids made by one Source grow strictly, also within a
// millisecond and when the clock steps back. Safe for concurrent use.
type Source struct {
	now     func() time.Time
	mu      sync.Mutex
	entropy *ulid.MonotonicEntropy
	last    uint64
}

// NewSource returns a Source on the given clock and the system's randomness.
func NewSource(now func() time.Time) *Source { return newSource(now, rand.Reader, 0) }

// newSource also sets the greatest step between two ids of one millisecond; 0
// stands for ulid's default, 32 random bits.
func newSource(now func() time.Time, random io.Reader, step uint64) *Source {
	return &Source{now: now, entropy: ulid.Monotonic(random, step)}
}

// New returns the next id.
func (s *Source) New() ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = max(s.last, ulid.Timestamp(s.now()))
	for {
		made, err := ulid.New(s.last, s.entropy)
		switch {
		case err == nil:
			return ID(made)
		case errors.Is(err, ulid.ErrMonotonicOverflow):
			// The random part of this millisecond is used up; the next one has
			// a fresh part.
			s.last++
		default:
			// crypto/rand doesn't fail; a clock beyond the year 10889 does.
			panic(fmt.Sprintf("make an id: %v", err))
		}
	}
}
