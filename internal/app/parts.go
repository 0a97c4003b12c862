package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// part is something that runs from the start of the server to its stop.
type part struct {
	name  string
	start func(context.Context) error
	// stop ends the part; it is called once after start was called, also when
	// start failed. Its context ends when the part's time is over.
	stop func(context.Context) error
	// share is how much of the stop timeout the part may use, in percent.
	share int
}

// parts are started in order and stopped in reverse.
type parts struct {
	all     []part
	log     *slog.Logger
	started int
}

func (p *parts) add(one part) { p.all = append(p.all, one) }

// start starts all parts; when one fails the caller stops those that started.
func (p *parts) start(ctx context.Context) error {
	for _, one := range p.all {
		p.started++
		if err := one.start(ctx); err != nil {
			return fmt.Errorf("start %s: %w", one.name, err)
		}
		p.log.Debug("started", "part", one.name)
	}
	return nil
}

// stop stops what was started, the last one first, each within its share of the
// timeout. Every part is stopped even when another fails to.
func (p *parts) stop(ctx context.Context, timeout time.Duration) error {
	var failed []error
	for ; p.started > 0; p.started-- {
		one := p.all[p.started-1]
		ctx, cancel := context.WithTimeout(ctx, timeout*time.Duration(one.share)/100)
		if err := one.stop(ctx); err != nil {
			failed = append(failed, fmt.Errorf("stop %s: %w", one.name, err))
		}
		cancel()
		p.log.Debug("stopped", "part", one.name)
	}
	return errors.Join(failed...)
}
