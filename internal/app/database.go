package app

import (
	"log/slog"
	"time"

	"github.com/usefloww/flowwd/internal/config"
	"github.com/usefloww/flowwd/internal/store"
)

// storeConfig says where the store of these settings is.
func storeConfig(d config.Data, now func() time.Time, log *slog.Logger) store.Config {
	return store.Config{URL: d.DatabaseURL, Path: config.DataDir(d.DataDir).Database(), Now: now, Log: log}
}
