//go:build external && linux

package faults

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/usefloww/flowwd/internal/apptest"
	"github.com/usefloww/flowwd/internal/loadtest"
)

// The requests by which a file system is frozen and let go (linux/fs.h).
const (
	fifreeze = 0xC0045877
	fithaw   = 0xC0045878
)

// device is a file system in an image file, which turns read-only when it finds a
// fault, as most are set up.
type device struct {
	image, folder string
	// loop is the name of the block device while it is mounted.
	loop string
}

func newDevice(t *testing.T) *device {
	t.Helper()
	place := t.TempDir()
	d := &device{image: filepath.Join(place, "image"), folder: filepath.Join(place, "mount")}
	if err := os.Mkdir(d.folder, 0o755); err != nil {
		t.Fatal(err)
	}
	command(t, "truncate", "--size", "256M", d.image)
	command(t, "mkfs.ext4", "-q", "-F", d.image)
	d.mount(t)
	t.Cleanup(func() { d.unmount(t) })
	return d
}

func (d *device) mount(t *testing.T) {
	t.Helper()
	command(t, "mount", "-t", "ext4", "-o", "loop,noatime,errors=remount-ro", d.image, d.folder)
	out, err := exec.Command("findmnt", "--noheadings", "--output", "SOURCE", d.folder).Output()
	if err != nil {
		t.Fatal(err)
	}
	d.loop = filepath.Base(strings.TrimSpace(string(out)))
}

func (d *device) unmount(t *testing.T) {
	t.Helper()
	apptest.Until(t, 30*time.Second, "the end of all that has the disk open", func() bool {
		err := syscall.Unmount(d.folder, 0)
		return err == nil || err == syscall.EINVAL // it is not mounted
	})
	// Who was given a copy of all mounts in between, as a container is, keeps the file
	// system a moment longer, and with it the fault that it has found.
	apptest.Until(t, 30*time.Second, "the end of the file system", func() bool {
		backing, err := os.ReadFile(filepath.Join("/sys/block", d.loop, "loop/backing_file"))
		return err != nil || strings.TrimSpace(string(backing)) != d.image
	})
}

// fail has the file system find a fault in itself.
func (d *device) fail(t *testing.T) {
	t.Helper()
	trigger := filepath.Join("/sys/fs/ext4", d.loop, "trigger_fs_error")
	if err := os.WriteFile(trigger, []byte("a test"), 0o200); err != nil {
		t.Fatal(err)
	}
}

// freeze has everybody wait who writes, until it is let go.
func (d *device) freeze(t *testing.T) (thaw func()) {
	t.Helper()
	f, err := os.Open(d.folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetInt(int(f.Fd()), fifreeze, 0); err != nil {
		t.Fatalf("freeze the disk: %v", err)
	}
	frozen := true
	thaw = func() {
		if !frozen {
			return
		}
		frozen = false
		if err := unix.IoctlSetInt(int(f.Fd()), fithaw, 0); err != nil {
			t.Errorf("let the disk go: %v", err)
		}
		_ = f.Close()
	}
	t.Cleanup(thaw) // what waits for the disk can't even be killed
	return thaw
}

func command(t *testing.T, name string, arguments ...string) {
	t.Helper()
	if out, err := exec.Command(name, arguments...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s (this test needs root and loop devices)", name, err, out)
	}
}

// untilFailing waits until a server says that it is not ready because of its
// disk.
func untilFailing(t *testing.T, c *apptest.Client) {
	t.Helper()
	untilReady(t, c, false)
	if _, failed := ready(t, c); !slices.Contains(failed, "disk") {
		t.Errorf("the checks that fail are %v", failed)
	}
	if r := c.Anonymous().Do(t, "GET", "/livez", nil); r.Status != 200 {
		t.Errorf("a server that waits for its disk is said to be dead: %s", r)
	}
}

// refuses waits until a server refuses events, and says so.
func refuses(t *testing.T, d *apptest.Deployed, c *apptest.Client) {
	t.Helper()
	untilRefused(t, d, c, `{}`)
	untilFailing(t, c)
	if metric(t, c, "flowwd_store_refused_total") == 0 {
		t.Error("no refusal was measured")
	}
}

// goesOn ends a test whose disk is fine again: the load goes on, and nothing of
// all of it was lost.
func goesOn(t *testing.T, what string, load *loadtest.Load, life *loadtest.Life, p *apptest.Process) {
	t.Helper()
	life.Last(300 * time.Millisecond)
	life.Stop()
	load.Check(t, p.Client)
	report(t, what, load, p.Client)
	p.Kill(t)
}

// A disk that stops again and again slows a server down; one that stands still
// makes it refuse what it can't keep, and it goes on by itself.
func TestSlowDiskLosesNothing(t *testing.T) {
	t.Parallel()
	d := newDevice(t)
	p := start(t, filepath.Join(d.folder, "data"))
	deployed := p.Deploy(t, "slow", apptest.Handler(`return 1`))
	load := loadtest.New(t, p.Client, loadtest.Options{Redeploy: -1})
	life := load.Start(t, p.Client)
	life.Last(300 * time.Millisecond)
	for range 5 {
		thaw := d.freeze(t)
		life.Last(300 * time.Millisecond)
		thaw()
		life.Last(50 * time.Millisecond)
	}
	untilReady(t, p.Client, true)
	thaw := d.freeze(t)
	// What is in the transaction that stands still gets its answer when it goes on.
	apptest.Until(t, 30*time.Second, "events that wait behind others", func() bool { return metric(t, p.Client, "flowwd_store_queued") > 0 })
	refuses(t, deployed, p.Client)
	thaw()
	untilReady(t, p.Client, true)
	goesOn(t, "a disk that stops", load, life, p)
}

// A file system that finds a fault in itself turns read-only, for good: the
// server says so, refuses, and has all it acknowledged before when it is started on
// the mended one. Nothing is on its way while it turns: for some milliseconds ext4
// then says that it has synced what it has not, to any program.
func TestDiskThatTurnsReadOnlyLosesNothing(t *testing.T) {
	t.Parallel()
	d := newDevice(t)
	dir := filepath.Join(d.folder, "data")
	p := start(t, dir)
	deployed := p.Deploy(t, "fails", apptest.Handler(`return 1`))
	load := loadtest.New(t, p.Client, loadtest.Options{Redeploy: -1})
	life := load.Start(t, p.Client)
	life.Last(500 * time.Millisecond)
	life.Stop()
	d.fail(t)
	refuses(t, deployed, p.Client)
	key := p.Key
	p.Kill(t)
	d.unmount(t)
	if out, err := exec.Command("fsck.ext4", "-f", "-y", d.image).CombinedOutput(); err != nil && !strings.Contains(string(out), "MODIFIED") {
		t.Fatalf("mend the disk: %v: %s", err, out)
	}
	d.mount(t)
	p = apptest.StartProcess(t, dir)
	p.Key = key
	untilReady(t, p.Client, true)
	life = load.Start(t, p.Client)
	goesOn(t, "a disk that turned read-only", load, life, p)
}

// Files that nobody may write to any more, as when an administrator or a
// snapshot holds them, are written to again when they may be.
func TestFilesThatTurnReadOnlyLoseNothing(t *testing.T) {
	t.Parallel()
	d := newDevice(t)
	dir := filepath.Join(d.folder, "data")
	p := start(t, dir)
	deployed := p.Deploy(t, "held", apptest.Handler(`return 1`))
	load := loadtest.New(t, p.Client, loadtest.Options{Redeploy: -1})
	life := load.Start(t, p.Client)
	life.Last(300 * time.Millisecond)
	files, err := filepath.Glob(filepath.Join(dir, "flowwd.db*"))
	if err != nil {
		t.Fatal(err)
	}
	files = slices.DeleteFunc(files, func(name string) bool {
		info, err := os.Lstat(name)
		return err == nil && !info.Mode().IsRegular() // a link to what is in memory
	})
	held := append(files, dir)
	command(t, "chattr", append([]string{"+i"}, held...)...)
	t.Cleanup(func() { _ = exec.Command("chattr", append([]string{"-i"}, held...)...).Run() }) // when the test ended before
	refuses(t, deployed, p.Client)
	command(t, "chattr", append([]string{"-i"}, held...)...)
	untilReady(t, p.Client, true)
	goesOn(t, "files turned read-only", load, life, p)
}
