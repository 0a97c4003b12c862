package apptest_test

import (
	"log/slog"
	"os"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
)

func TestMain(m *testing.M) { os.Exit(apptest.Main(m)) }

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }
