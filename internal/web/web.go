package web

import (
	"errors"
	"log/slog"

	"github.com/usefloww/flowwd/internal/route"
)

// Deps is what the pages work with. All fields are required.
type Deps struct {
	Logger *slog.Logger
}

// Register registers all pages. The error says what is wrong with them or
// missing in d; a server must not start then.
func Register(r *route.Router, d Deps) error {
	if d.Logger == nil {
		return errors.New("web: a required field of Deps is missing")
	}
	registerAssets(r)
	return r.Err()
}
