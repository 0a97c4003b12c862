package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// report is a list of figures.
type report struct{ rows [][2]string }

func (r *report) add(name, format string, args ...any) {
	row := [2]string{name, fmt.Sprintf(format, args...)}
	r.rows = append(r.rows, row)
	fmt.Fprintf(os.Stderr, "%s: %s\n", row[0], row[1])
}

// ms writes a duration in milliseconds.
func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }

// markdown returns the page of results.
func (r *report) markdown(ctx context.Context, o options) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Measurements\n\nMade by `make bench` (loads of %v, load generator on the same machine), commit %s, %s.\n", o.seconds, commit(ctx), machine())
	b.WriteString("SQLite on disk, every commit synced; the runs are of a handler with three log lines.\n\n| figure | value |\n|---|---|\n")
	for _, row := range r.rows {
		fmt.Fprintf(&b, "| %s | %s |\n", row[0], row[1])
	}
	return b.String()
}

func commit(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}

// machine describes what the figures were made on.
func machine() string {
	model := "unknown processor"
	text, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%d × %s, %s, %s/%s", runtime.NumCPU(), model, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
