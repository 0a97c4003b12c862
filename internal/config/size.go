package config

import (
	"fmt"
	"math"

	"github.com/dustin/go-humanize"
)

// Size is a number of bytes. Its text is a number with an optional unit: kB, MB
// and GB count in thousands, KiB, MiB and GiB in steps of 1024.
type Size int64

// UnmarshalText reads a size.
func (s *Size) UnmarshalText(text []byte) error {
	n, err := humanize.ParseBytes(string(text))
	if err != nil || n > math.MaxInt64 {
		return fmt.Errorf("%.40q is no size; give one like 25MiB, 500kB or 1048576", text)
	}
	*s = Size(n)
	return nil
}

// String returns the size with the greatest unit that gives a whole number.
func (s Size) String() string {
	for _, unit := range []struct {
		bytes Size
		name  string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if s >= unit.bytes && s%unit.bytes == 0 {
			return fmt.Sprintf("%d%s", s/unit.bytes, unit.name)
		}
	}
	return fmt.Sprintf("%d", int64(s))
}
