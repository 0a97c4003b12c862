//go:build soak && linux

package soak

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
)

// disk is a folder where syncing costs what it costs: the system's temporary one
// may be in memory.
func disk(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(".", ".soak-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if dir, err = filepath.Abs(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// figure is something that must not grow.
type figure struct {
	name, unit string
	// share of its median and slack together are what it may have grown by over
	// the second half.
	share, slack float64
}

var figures = []figure{
	{"server's memory", "MB", 0.05, 6},
	// How many there are follows the machine's other work; each is replaced after so
	// many runs or so much memory.
	{"children", "", 0.20, 8},
	{"memory of a child", "MB", 0.20, 3},
	{"descriptors", "", 0.10, 16},
	{"goroutines", "", 0.10, 32},
	{"database and its log", "MB", 0.10, 8},
	{"bodies beside it", "MB", 0.10, 8},
	// Whoever else uses the machine is in these too.
	{"ack p50", "ms", 1, 20},
	{"ack p99", "ms", 1, 100},
}

// series are the figures of a server over time.
type series struct {
	pid    int
	dir    string
	client *apptest.Client
	load   *load
	began  time.Time
	at     []float64 // seconds
	rows   [][]float64
}

// sample looks at the server.
func (s *series) sample(t *testing.T) {
	t.Helper()
	measured := metrics(t, s.client)
	p50, p99 := s.load.take()
	children, memory := children(s.pid)
	row := []float64{
		measured["process_resident_memory_bytes"] / (1 << 20),
		children,
		memory / max(children, 1) / (1 << 20),
		measured["process_open_fds"],
		measured["go_goroutines"],
		size(t, filepath.Join(s.dir, "flowwd.db*")) / (1 << 20),
		size(t, filepath.Join(s.dir, "blobs")) / (1 << 20),
		float64(p50.Microseconds()) / 1000,
		float64(p99.Microseconds()) / 1000,
	}
	s.at, s.rows = append(s.at, time.Since(s.began).Seconds()), append(s.rows, row)
	if len(s.rows)%10 == 1 {
		fmt.Printf("%5.0f s", s.at[len(s.at)-1])
		for i, f := range figures {
			fmt.Printf("  %s %.1f %s", f.name, row[i], f.unit)
		}
		fmt.Println()
	}
}

// judge prints how each figure went over the second half, and fails the test when
// one grew.
func (s *series) judge(t *testing.T) {
	t.Helper()
	half := len(s.rows) / 2
	if half < 10 {
		t.Fatalf("%d samples say nothing", len(s.rows))
	}
	at := s.at[half:]
	for i, f := range figures {
		values := make([]float64, len(at))
		for j, row := range s.rows[half:] {
			values[j] = row[i]
		}
		grown, usual := slope(at, values)*(at[len(at)-1]-at[0]), median(values)
		allowed := f.share*usual + f.slack
		verdict := "flat"
		if grown > allowed {
			verdict = "GROWS"
			t.Errorf("%s grows: by %.1f %s over the second half, where %.1f are allowed", f.name, grown, f.unit, allowed)
		}
		fmt.Printf("%-22s median %8.1f %-2s  from %8.1f to %8.1f  trend over the second half %+7.1f (allowed %+.1f)  %s\n",
			f.name, usual, f.unit, slices.Min(values), slices.Max(values), grown, allowed, verdict)
	}
}

// slope is the median of the slopes between all pairs of points, which single
// points that are far off do not move.
func slope(at, values []float64) float64 {
	var all []float64
	for i := range at {
		for j := range i {
			all = append(all, (values[i]-values[j])/(at[i]-at[j]))
		}
	}
	return median(all)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// metrics reads the measurements without labels.
func metrics(t *testing.T, c *apptest.Client) map[string]float64 {
	t.Helper()
	all := map[string]float64{}
	lines := bufio.NewScanner(strings.NewReader(string(c.Anonymous().Do(t, "GET", "/metrics", nil).Body)))
	for lines.Scan() {
		name, text, _ := strings.Cut(lines.Text(), " ")
		if value, err := strconv.ParseFloat(text, 64); err == nil {
			all[name] = value
		}
	}
	return all
}

// children is how many a process has, and their proportional set size.
func children(pid int) (count, memory float64) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) // the pattern is good
	for _, task := range tasks {
		text, _ := os.ReadFile(task) // the thread may have ended
		for child := range strings.FieldsSeq(string(text)) {
			rollup, _ := os.ReadFile("/proc/" + child + "/smaps_rollup") // so may the child
			if _, after, found := strings.Cut(string(rollup), "\nPss:"); found {
				kb, _ := strconv.ParseFloat(strings.Fields(after)[0], 64)
				count, memory = count+1, memory+kb*1024
			}
		}
	}
	return count, memory
}

// size is that of all files below what a pattern names.
func size(t *testing.T, pattern string) (all float64) {
	t.Helper()
	roots, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	for _, root := range roots {
		err := filepath.WalkDir(root, func(_ string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			info, err := entry.Info()
			if err == nil {
				all += float64(info.Size())
			}
			return err
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // removed meanwhile
			t.Fatal(err)
		}
	}
	return all
}
