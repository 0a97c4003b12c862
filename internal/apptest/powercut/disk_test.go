//go:build external && linux

package powercut

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
)

// diskSize leaves more free than `flowwd doctor` asks for. The image is sparse.
const diskSize = 1 << 30

// mountOptions are of a file system that does no more for a careless program
// than it must: nothing is written when a file is renamed, data does not go
// before its names, and no commit happens by itself within a test.
const mountOptions = "loop,noatime,noauto_da_alloc,data=writeback,commit=300"

// disk is a file system in an image file.
type disk struct {
	image, folder string
}

// prefix begins the names of the folders of disks, with the process that made
// them behind it.
const prefix = "flowwd-powercut-"

// newDisk makes an empty file system and mounts it. It is taken away with the
// test.
func newDisk(t testing.TB) *disk {
	t.Helper()
	d := emptyDisk(t)
	f, err := os.Create(d.image)
	if err == nil {
		err = f.Truncate(diskSize)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	run(t, "mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard", d.image)
	d.mount(t)
	return d
}

// emptyDisk makes the place for an image and its mount.
func emptyDisk(t testing.TB) *disk {
	t.Helper()
	place, err := os.MkdirTemp("", fmt.Sprintf("%s%d-", prefix, os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	d := &disk{image: filepath.Join(place, "image"), folder: filepath.Join(place, "mount")}
	t.Cleanup(func() { d.remove(t) })
	// PostgreSQL runs as a user of its own.
	if err := os.Chmod(place, 0o711); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(d.folder, 0o755); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *disk) mount(t testing.TB) {
	t.Helper()
	run(t, "mount", "-t", "ext4", "-o", mountOptions, d.image, d.folder)
}

// remove takes the disk away with all that is on it.
func (d *disk) remove(t testing.TB) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for mounted(t, d.folder) {
		// The children of a killed server may have it open for a moment.
		flags := 0
		if time.Now().After(deadline) {
			flags = syscall.MNT_DETACH
			t.Errorf("%s is in use after 10 s", d.folder)
		}
		if err := syscall.Unmount(d.folder, flags); err != nil {
			time.Sleep(10 * time.Millisecond)
		}
	}
	if err := os.RemoveAll(filepath.Dir(d.image)); err != nil {
		t.Error(err)
	}
}

// copied returns a disk, not mounted yet, with what the device of this one
// holds now. Whoever writes to it must have been stopped.
func (d *disk) copied(t testing.TB) *disk {
	t.Helper()
	c := emptyDisk(t)
	// The kernel may write by itself meanwhile, and a mixture of two moments is
	// no state that a disk was ever in.
	apptest.Until(t, time.Minute, "a copy of an image that does not change", func() bool {
		same, err := copyImage(d.image, c.image)
		if err != nil {
			t.Fatalf("copy the image: %v", err)
		}
		return same
	})
	return c
}

// run runs a program of the system.
func run(t testing.TB, name string, arguments ...string) {
	t.Helper()
	if out, err := exec.Command(name, arguments...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v: %s (this test needs root and loop devices)", name, strings.Join(arguments, " "), err, out)
	}
}

// mounts returns where something is mounted, the latest last.
func mounts() ([]string, error) {
	text, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil, err
	}
	var folders []string
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 1 {
			folders = append(folders, fields[1])
		}
	}
	return folders, nil
}

func mounted(t testing.TB, folder string) bool {
	t.Helper()
	all, err := mounts()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if m == folder {
			return true
		}
	}
	return false
}

// sweep takes away the disks of processes that were killed before they could.
func sweep() error {
	all, err := mounts()
	if err != nil {
		return err
	}
	for _, folder := range all {
		if abandoned(filepath.Base(filepath.Dir(folder))) {
			if err := syscall.Unmount(folder, syscall.MNT_DETACH); err != nil {
				return fmt.Errorf("take away %s, which an earlier test left: %w", folder, err)
			}
		}
	}
	places, err := filepath.Glob(filepath.Join(os.TempDir(), prefix+"*"))
	if err != nil {
		return err
	}
	for _, place := range places {
		if abandoned(filepath.Base(place)) {
			if err := os.RemoveAll(place); err != nil {
				return fmt.Errorf("remove what an earlier test left: %w", err)
			}
		}
	}
	return nil
}

// abandoned reports whether a folder's name is that of a disk whose process is
// gone.
func abandoned(name string) bool {
	rest, ours := strings.CutPrefix(name, prefix)
	pid, err := strconv.Atoi(strings.SplitN(rest, "-", 2)[0])
	if !ours || err != nil {
		return false
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	// One that nobody waited for has ended too.
	state := stateOf(text)
	return len(state) > 0 && state[0] == "Z"
}
