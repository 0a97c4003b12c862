package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/client"
)

const (
	// subscribers is how many clients follow at once.
	subscribers = 10_000
	// told is how many events are followed to their subscribers.
	told = 30
)

// measureLive measures those who follow, ten thousand on the channel of one
// workflow and on a channel each, and what a run costs that is followed.
func measureLive(ctx context.Context, o options, in installation, work string, r *report) error {
	if in.postgres != nil {
		return nil // channels are in memory, whatever the database is
	}
	for _, channels := range []int{1, subscribers} {
		if err := measureFollowers(ctx, o, in, filepath.Join(work, fmt.Sprint("followers-", channels)), r, channels); err != nil {
			return err
		}
	}
	return measureTelling(ctx, o, in, filepath.Join(work, "telling"), r)
}

func measureFollowers(ctx context.Context, o options, in installation, work string, r *report, channels int) (err error) {
	fleet, err := in.start(ctx, o, work)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, fleet.stop()) }()
	s := fleet[0]
	keys, err := moreKeys(ctx, o, work+"-0", s, 4)
	if err != nil {
		return err
	}
	names, paths, err := s.followed(ctx, channels)
	if err != nil {
		return err
	}
	if _, err := s.post(ctx, paths[0]); err != nil { // so that a child has run before
		return err
	}
	time.Sleep(2 * time.Second) // until what that cost is given back
	before, _, err := s.memory()
	if err != nil {
		return err
	}
	begin := time.Now()
	f, err := follow(ctx, s, keys, names)
	if err != nil {
		return err
	}
	defer f.close()
	connected := time.Since(begin)
	time.Sleep(2 * time.Second)
	var took latencies
	for i := range told {
		sent := time.Now()
		if _, err := s.post(ctx, paths[i%len(paths)]); err != nil {
			return err
		}
		heard, err := f.all(ctx, subscribers/channels, sent)
		if err != nil {
			return err
		}
		took = append(took, heard...)
		time.Sleep(time.Second) // the run's other events
	}
	after, _, err := s.memory()
	if err != nil {
		return err
	}
	what := fmt.Sprintf("%d subscribers on %d channels", subscribers, channels)
	r.add(what+": memory", "%d MB more", (after-before)>>20)
	r.add(what+": connected and subscribed", "%.0f/s", subscribers/connected.Seconds())
	r.add(what+": event → each subscriber", "p50 %s, p99 %s", ms(took.at(50)), ms(took.at(99)))
	return nil
}

// moreKeys makes API keys beside a server.
func moreKeys(ctx context.Context, o options, dir string, s *server, n int) ([]string, error) {
	var keys []string
	for range n {
		key, err := exec.CommandContext(ctx, o.binary, "apikey", "create", "--data-dir", dir, "--database-url", s.database, "--name", "followers").Output()
		if err != nil {
			return nil, fmt.Errorf("create an API key: %w", err)
		}
		keys = append(keys, strings.TrimSpace(string(key)))
	}
	return keys, nil
}

// followed makes workflows, some of them with a webhook, and returns a channel for
// each subscriber and the paths of the webhooks.
func (s *server) followed(ctx context.Context, workflows int) (channels, paths []string, err error) {
	namespaces, err := s.api.Namespaces(ctx)
	if err != nil {
		return nil, nil, err
	}
	for i := range workflows {
		w, err := s.api.CreateWorkflow(ctx, client.NewWorkflow{Name: fmt.Sprintf("followed %d", i), NamespaceID: namespaces[0].ID})
		if err != nil {
			return nil, nil, err
		}
		channels = append(channels, "workflow:"+w.ID)
		if i >= told {
			continue
		}
		d, err := s.api.Deploy(ctx, client.NewDeployment{
			WorkflowID: w.ID, Code: client.Code{Files: map[string]string{"main.ts": hello}, Entrypoint: "main.ts"},
		})
		if err != nil {
			return nil, nil, err
		}
		paths = append(paths, strings.TrimPrefix(d.Webhooks[0].URL, s.url))
	}
	for len(channels) < subscribers {
		channels = append(channels, channels[0])
	}
	return channels, paths, nil
}

// measureTelling measures runs that nobody follows and runs that somebody does.
func measureTelling(ctx context.Context, o options, in installation, work string, r *report) (err error) {
	fleet, err := in.start(ctx, o, work)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, fleet.stop()) }()
	s := fleet[0]
	channels, paths, err := s.followed(ctx, 1)
	if err != nil {
		return err
	}
	perSecond := func() (float64, latencies, error) {
		begin := time.Now()
		took, err := fleet.closedLoop(ctx, paths[0], 8, o.seconds)
		if err != nil {
			return 0, nil, err
		}
		err = fleet.drained(ctx)
		return float64(len(took)) / time.Since(begin).Seconds(), took, err
	}
	if _, _, err := perSecond(); err != nil { // warms the server up
		return err
	}
	alone, _, err := perSecond()
	if err != nil {
		return err
	}
	f, err := follow(ctx, s, []string{s.key}, channels[:1])
	if err != nil {
		return err
	}
	go func() {
		for range f.heard { // nobody counts
		}
	}()
	followed, _, err := perSecond()
	f.close()
	close(f.heard)
	if err != nil {
		return err
	}
	r.add("8 clients, runs that one follows", "%.0f/s, against %.0f/s: %.0f µs more for each run", followed, alone, 1e6/followed-1e6/alone)
	return nil
}
