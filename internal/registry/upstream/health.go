package upstream

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/registry"
)

// healthFor is how long an answer about the upstream's health is believed.
const healthFor = 15 * time.Second

// health is what was last found.
type health struct {
	mu  sync.Mutex
	at  time.Time
	err error
}

// Healthy returns nil when the upstream answers and takes the credentials. The
// error is a fault.
func (s *Storage) Healthy(ctx context.Context) error {
	s.health.mu.Lock()
	defer s.health.mu.Unlock()
	if now := s.Now(); now.Sub(s.health.at) >= healthFor {
		s.health.err = s.ping(ctx)
		if ctx.Err() != nil {
			return s.health.err // whoever asks next may have more time
		}
		s.health.at = now
	}
	return s.health.err
}

func (s *Storage) ping(ctx context.Context) error {
	res, err := s.send(ctx, "", request{method: http.MethodGet, url: s.URL.JoinPath(registry.Path)})
	if err == nil {
		defer res.Body.Close()
		switch res.StatusCode {
		case http.StatusOK:
			return nil
		case http.StatusNotFound:
			err = because(errNonsense, "it answers 404 at %s", registry.Path)
		default:
			err = refusal(nobody{}, res)
		}
	}
	var refused *registry.Error
	if !errors.As(err, &refused) {
		return fault.Because(err, fault.Unavailable, "the registry of REGISTRY_URL can't be asked")
	}
	text := refused.Message
	if refused == errNonsense {
		text = "what answers at REGISTRY_URL is no registry"
	}
	return fault.Because(err, fault.Unavailable, "%s", text)
}
