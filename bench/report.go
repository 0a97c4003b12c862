package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

// report is a table of figures: a column for each installation.
type report struct {
	columns []string
	// rows are the names of the figures in the order they came.
	rows  []string
	cells map[[2]string]string
}

// measure makes one column.
func (r *report) measure(ctx context.Context, o options, in installation, work string) error {
	r.columns = append(r.columns, in.name)
	for _, group := range []struct {
		name    string
		measure func(context.Context, options, installation, string, *report) error
	}{
		{"start", measureStart}, {"line", measureFirstLine}, {"cold", measureCold}, {"deploy", measureDeploy}, {"load", measureLoads}, {"work", measureWork}, {"auth", measureAuth}, {"live", measureLive}, {"images", measureImages}, {"pages", measurePages}, {"scale", measureScale}, {"takeover", measureTakeover},
	} {
		if o.only != "" && o.only != group.name {
			continue
		}
		if err := group.measure(ctx, o, in, work, r); err != nil {
			return err
		}
	}
	return nil
}

// add notes a figure of the column that is being made.
func (r *report) add(name, format string, args ...any) {
	column, text := r.columns[len(r.columns)-1], fmt.Sprintf(format, args...)
	if r.cells == nil {
		r.cells = map[[2]string]string{}
	}
	if !slices.Contains(r.rows, name) {
		r.rows = append(r.rows, name)
	}
	r.cells[[2]string{name, column}] = text
	fmt.Fprintf(os.Stderr, "%s: %s: %s\n", column, name, text)
}

// ms writes a duration in milliseconds.
func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }

// markdown returns the page of results.
func (r *report) markdown(ctx context.Context, o options) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Measurements\n\nMade by `make bench` (loads of %v, load generator on the same machine), commit %s, %s.\n", o.seconds, commit(ctx), machine())
	b.WriteString("Databases on disk, every commit synced; PostgreSQL with its default settings on the same machine; the runs are of a handler with three log lines.\n\n")
	fmt.Fprintf(&b, "| figure | %s |\n|---|%s\n", strings.Join(r.columns, " | "), strings.Repeat("---|", len(r.columns)))
	for _, row := range r.rows {
		fmt.Fprintf(&b, "| %s |", row)
		for _, column := range r.columns {
			fmt.Fprintf(&b, " %s |", cmp.Or(r.cells[[2]string{row, column}], "–"))
		}
		b.WriteByte('\n')
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
