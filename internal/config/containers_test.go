package config

import (
	"strings"
	"testing"
	"time"
)

func TestContainers(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		change func(*Containers)
		says   string
	}{
		"embedded":     {func(*Containers) {}, ""},
		"docker":       {func(c *Containers) { c.Runtime = "docker" }, ""},
		"kubernetes":   {func(c *Containers) { c.Runtime = "kubernetes" }, "flowwd can't run code on kubernetes yet; give embedded or docker"},
		"lambda":       {func(c *Containers) { c.Runtime = "lambda" }, "flowwd can't run code on lambda yet"},
		"another":      {func(c *Containers) { c.Runtime = "podman" }, `"podman" is no place to run code`},
		"no default":   {func(c *Containers) { c.DefaultImage = "a b" }, `"a b" names no image`},
		"no CPU":       {func(c *Containers) { c.DockerCPUs = 0 }, "0 is out of bounds"},
		"gone at once": {func(c *Containers) { c.DockerRemoveAfter = time.Second }, "less than FLOWW_DOCKER_STOP_AFTER"},
	} {
		s, err := Defaults()
		if err != nil {
			t.Fatal(err)
		}
		c.change(&s.Containers)
		got := Problems(s.Check()).Error()
		if c.says == "" && got != "" || !strings.Contains(got, c.says) {
			t.Errorf("%s: %q, want %q", what, got, c.says)
		}
	}
}
