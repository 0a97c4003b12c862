package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// version and commit are set by the linker in `make build`; without that the
// build information of the Go command stands in.
var (
	version string
	commit  string
)

type versionCommand struct{}

// Run prints what this binary was made of.
func (versionCommand) Run(t *terminal) error {
	b := buildInfo()
	_, err := fmt.Fprintf(t.stdout, "version   %s\ncommit    %s\ngo        %s\nplatform  %s/%s\n",
		b.version, b.commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

type build struct{ version, commit string }

func buildInfo() build {
	b := build{version: version, commit: commit}
	info, ok := debug.ReadBuildInfo()
	if b.version == "" && ok {
		b.version = info.Main.Version
	}
	if b.commit == "" && ok {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				b.commit = setting.Value
			}
		}
	}
	if b.version == "" {
		b.version = "(devel)"
	}
	if b.commit == "" {
		b.commit = "unknown"
	}
	return b
}
