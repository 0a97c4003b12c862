package docker

import (
	"context"

	"github.com/usefloww/flowwd/internal/id"
)

// Prepare pulls an image for an organization, starts a container and waits until
// it is healthy. It reports what it does, a line at a time. The error is a
// sentence for a person where the image is at fault.
func (e *Engine) Prepare(ctx context.Context, organization id.ID, image string, report func(line string)) error {
	e.runs.Add(1)
	defer e.runs.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(e.life, cancel)()
	p := e.use(podKey{organization, image})
	defer e.release(p)
	if _, err := e.up(ctx, p, report); err != nil {
		if e.life.Err() != nil {
			return stopping()
		}
		return err
	}
	return nil
}
