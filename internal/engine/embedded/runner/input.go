package runner

import (
	"bufio"
	"os"
	"runtime"
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
	pipe *os.File
	// buffer is what from reads.
	buffer *bufio.Reader
	// coming gives the frame that a goroutine reads, when reading is set.
	coming  chan frame
	reading bool
}

func newInput(pipe *os.File, bounds bridge.Bounds) *input {
	buffer := bufio.NewReaderSize(pipe, 64<<10)
	return &input{from: bridge.NewReader(buffer, bounds), pipe: pipe, buffer: buffer, coming: make(chan frame, 1)}
}

// While a child has something to do now and then, it waits for the next request
// in looks of this length, so many of them.
const (
	look  = 8 * time.Millisecond
	looks = 64
)

// linger waits for a request that may come soon. Go's scheduler is not told of
// it, so that it neither gives the processor away nor wakes threads to look for
// work, of which there is none: that costs a short run a third of its time.
func (i *input) linger() {
	for n := 0; n < looks && i.buffer.Buffered() == 0 && !arrived(i.pipe, look); n++ {
		// Who runs for 10 ms without this is made to.
		runtime.Gosched()
	}
}

// next returns the next frame. Its payload is valid until the next call.
func (i *input) next() frame {
	if i.reading {
		i.reading = false
		return <-i.coming
	}
	i.linger()
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
