package apptest_test

import (
	"log/slog"
	"os"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	apptest.RemoveBinary()
	os.Exit(code)
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }
