package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSettingsPageIsFresh(t *testing.T) {
	t.Parallel()
	want, err := render()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../../docs/settings.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/settings.md is stale, run `make generate` (-want +got):\n%s", diff)
	}
}

func TestEverySettingIsDescribed(t *testing.T) {
	t.Parallel()
	page, err := render()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(page) {
		if cells := strings.Split(strings.TrimSpace(line), "|"); len(cells) == 7 && strings.TrimSpace(cells[5]) == "" {
			t.Errorf("a setting has no help: %s", line)
		}
	}
}
