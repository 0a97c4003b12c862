package loadtest

import (
	"math/rand/v2"
	"testing"
	"time"
)

// Random returns the source of a test's choices and the seed of its load, both
// made of seed, or of the clock when that is zero. It logs what repeats them.
func Random(t testing.TB, seed uint64) (*rand.Rand, uint64) {
	t.Helper()
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("repeat the random choices with -args -seed=%d", seed)
	return rand.New(rand.NewPCG(seed, 0)), seed
}
