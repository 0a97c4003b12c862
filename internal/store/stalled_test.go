package store

import (
	"testing"

	"github.com/usefloww/flowwd/internal/fault"
)

// What waits behind a transaction that makes no progress is refused long before
// its own deadline, does not run later, and the transaction keeps its answer.
func TestStalledWriterRefusesWhatWaits(t *testing.T) {
	t.Parallel()
	s := openTest(t)
	held, release, answer := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		answer <- s.write(t.Context(), "hold", func(*tx) error {
			close(held)
			<-release
			return nil
		})
	}()
	<-held
	err := s.write(t.Context(), "wait", func(*tx) error {
		t.Error("a unit ran that was refused")
		return nil
	})
	if !fault.Is(err, fault.Unavailable) || s.Stats().Refused != 1 {
		t.Errorf("what waits gets %v, and %d are said to be refused", err, s.Stats().Refused)
	}
	close(release)
	if err := <-answer; err != nil {
		t.Errorf("the transaction that stood still gets %v", err)
	}
	if err := s.write(t.Context(), "go on", func(*tx) error { return nil }); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
