package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// latencies are how long single requests took.
type latencies []time.Duration

// at returns a percentile, 0 to 100.
func (l latencies) at(percent float64) time.Duration {
	if len(l) == 0 {
		return 0
	}
	slices.Sort(l)
	return l[min(len(l)-1, int(float64(len(l))*percent/100))]
}

// post sends one event, which must be acknowledged.
func (s *server) post(ctx context.Context, path string) ([]byte, error) {
	return s.postBody(ctx, path, `{"name":"bench"}`)
}

func (s *server) postBody(ctx context.Context, path, event string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, "POST", s.url+path, strings.NewReader(event))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := s.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("the webhook answers %s: %s", res.Status, body)
	}
	return body, err
}

// closedLoop lets clients send events one after another for a time.
func (f fleet) closedLoop(ctx context.Context, path string, clients int, d time.Duration) (latencies, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	all := make([]latencies, clients)
	end := time.Now().Add(d)
	var group sync.WaitGroup
	for i := range clients {
		group.Go(func() {
			for ctx.Err() == nil && time.Now().Before(end) {
				begin := time.Now()
				if _, err := f[i%len(f)].post(ctx, path); err != nil {
					cancel(err)
					return
				}
				all[i] = append(all[i], time.Since(begin))
			}
		})
	}
	group.Wait()
	return slices.Concat(all...), context.Cause(ctx)
}

// openLoop sends events at a steady rate, however long the answers take. A
// latency counts from when the event was due, so that waiting senders are seen.
func (f fleet) openLoop(ctx context.Context, path string, perSecond int, d time.Duration) (latencies, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	n := int(d.Seconds() * float64(perSecond))
	all := make(latencies, n)
	begin := time.Now()
	due := make(chan int, n)
	var group sync.WaitGroup
	for range 128 {
		group.Go(func() {
			for i := range due {
				at := begin.Add(time.Duration(i) * time.Second / time.Duration(perSecond))
				if _, err := f[i%len(f)].post(ctx, path); err != nil {
					cancel(err)
				}
				all[i] = time.Since(at)
			}
		})
	}
	for i := range n {
		at := begin.Add(time.Duration(i) * time.Second / time.Duration(perSecond))
		time.Sleep(time.Until(at))
		due <- i
	}
	close(due)
	group.Wait()
	return all, context.Cause(ctx)
}
