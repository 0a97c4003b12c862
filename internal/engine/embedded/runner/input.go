package runner

import (
	"time"

	"github.com/usefloww/flowwd/internal/engine/embedded/bridge"
)

// frame is what was read.
type frame struct {
	kind    bridge.Kind
	payload []byte
	err     error
}

// input reads frames, also with a bound on the time. Only one goroutine uses
// it.
type input struct {
	from *bridge.Reader
	// coming gives the frame that a goroutine reads, when reading is set.
	coming  chan frame
	reading bool
}

func newInput(from *bridge.Reader) *input { return &input{from: from, coming: make(chan frame, 1)} }

// next returns the next frame. Its payload is valid until the next call.
func (i *input) next() frame {
	if i.reading {
		i.reading = false
		return <-i.coming
	}
	return i.read()
}

// within returns the next frame when it comes in time; false otherwise.
func (i *input) within(d time.Duration) (frame, bool) {
	if !i.reading {
		i.reading = true
		go func() { i.coming <- i.read() }()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case f := <-i.coming:
		i.reading = false
		return f, true
	case <-timer.C:
		return frame{}, false
	}
}

func (i *input) read() frame {
	kind, payload, err := i.from.Next()
	return frame{kind, payload, err}
}
