package apptest_test

import (
	"os"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
)

func TestMain(m *testing.M) {
	code := m.Run()
	apptest.RemoveBinary()
	os.Exit(code)
}
