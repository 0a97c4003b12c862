package main

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"github.com/usefloww/flowwd/internal/client"
)

const (
	// coldOrganizations is how many organizations have their first run after a
	// long time; somebody may own 50, one of which is there.
	coldOrganizations = 40
	// coldBound is how long the processes of organizations may outlive their last
	// run: a minute is what the server gives them.
	coldBound = 2 * time.Minute
)

// measureCold measures the first line of runs for organizations that have no
// process yet.
func measureCold(ctx context.Context, o options, in installation, work string, r *report) error {
	o.env = append(o.env, adminEnv()...)
	f, err := in.start(ctx, o, filepath.Join(work, "cold"))
	if err != nil {
		return err
	}
	s := f[0]
	browser, err := s.logIn(ctx)
	if err != nil {
		return err
	}
	if s.key, err = s.token(ctx, browser); err != nil {
		return err
	}
	if s.api, err = client.New(s.url, s.key, s.http); err != nil {
		return err
	}
	var paths []string
	for i := range coldOrganizations {
		path, err := s.deployElsewhere(ctx, fmt.Sprintf("cold %d", i))
		if err != nil {
			return err
		}
		paths = append(paths, path)
	}
	if err := f.untilCold(ctx); err != nil {
		return err
	}
	shown, err := s.firstLines(ctx, paths, 500*time.Millisecond)
	if err != nil {
		return err
	}
	r.add("event → first line of an organization without a process, 2/s", "p50 %s, max %s of %d", ms(shown.at(50)), ms(shown.at(100)), len(shown))
	return f.stop()
}

// deployElsewhere deploys hello in an organization of its own.
func (s *server) deployElsewhere(ctx context.Context, name string) (string, error) {
	var made struct{ ID string }
	if err := s.call(ctx, http.MethodPost, "/api/organizations", map[string]string{"displayName": name}, &made); err != nil {
		return "", err
	}
	namespaces, err := s.api.Namespaces(ctx)
	if err != nil {
		return "", err
	}
	for _, n := range namespaces {
		if n.Organization.ID == made.ID {
			return s.deployIn(ctx, n.ID, name, hello)
		}
	}
	return "", fmt.Errorf("organization %s has no namespace", name)
}

// untilCold waits until only processes are left that no organization has had.
func (f fleet) untilCold(ctx context.Context) error {
	const spares = 2
	ctx, cancel := context.WithTimeout(ctx, coldBound)
	defer cancel()
	for ctx.Err() == nil {
		_, children, err := f.memory()
		if err != nil {
			return err
		}
		if children <= spares*len(f) {
			return nil
		}
		time.Sleep(time.Second)
	}
	return fmt.Errorf("processes of organizations are left: %w", ctx.Err())
}
