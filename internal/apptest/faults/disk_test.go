//go:build external && linux

package faults

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/loadtest"
)

// smallDisk mounts a file system of so many bytes in memory, and takes it away
// with the test.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("flowwd-faults", dir, "tmpfs", 0, "mode=0700,size="+size); err != nil {
		t.Fatalf("mount: %v (this test needs root)", err)
	}
	t.Cleanup(func() {
		apptest.Until(t, 10*time.Second, "the end of all that has the disk open", func() bool { return syscall.Unmount(dir, 0) == nil })
	})
	return dir
}

// fill takes all the room that is left.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; {
		if _, err = f.Write(bytes.Repeat([]byte("x"), size)); err != nil {
			size /= 2
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
}

// A server whose disk is full says so, refuses what it can't keep, and goes on by
// itself when there is room, without having lost anything.
func TestFullDiskLosesNothing(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, "96m")
	dir, filler := filepath.Join(disk, "data"), filepath.Join(disk, "filler")
	p := start(t, dir)
	d := p.Deploy(t, "full", apptest.Handler(`return event.body.length`))
	load := loadtest.New(t, p.Client, loadtest.Options{})
	life := load.Start(t, p.Client)
	life.Last(time.Second)
	for range 3 {
		fill(t, filler)
		body := `"` + strings.Repeat("x", 200<<10) + `"` // which is a file beside the database
		untilRefused(t, d, p.Client, body)
		untilReady(t, p.Client, false)
		if _, failed := ready(t, p.Client); !slices.Contains(failed, "disk") {
			t.Errorf("the checks that fail are %v", failed)
		}
		if metric(t, p.Client, "flowwd_store_refused_total") == 0 {
			t.Error("no refusal was measured")
		}
		if free := metric(t, p.Client, "flowwd_disk_free_bytes"); free > 1<<20 {
			t.Errorf("%v bytes are said to be free", free)
		}
		life.Last(time.Second)
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		untilReady(t, p.Client, true)
		life.Last(300 * time.Millisecond)
	}
	life.Stop()
	load.Check(t, p.Client)
	report(t, "the disk full three times", load, p.Client)
}

// A folder that can't be written to is told at the start, by name.
func TestReadOnlyFolderIsTold(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t, "64m")
	p := start(t, filepath.Join(dir, "data"))
	p.Terminate(t)
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(apptest.Binary(t), "serve", "--data-dir", filepath.Join(dir, "data"), "--listen", "127.0.0.1:0").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "read-only file system") || !strings.Contains(string(out), dir) {
		t.Errorf("got %v: %s", err, out)
	}
}
