//go:build linux && (amd64 || arm64)

package sandbox_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/usefloww/flowwd/internal/engine/embedded/sandbox"
)

// landlockOnly tells what a process can do that has nothing but Landlock.
func landlockOnly(t *testing.T, level int) map[string]string {
	t.Helper()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer tcp.Close()
	name := fmt.Sprintf("@flowwd-test-%d-%d", os.Getpid(), level)
	abstract, err := net.Listen("unix", name)
	if err != nil {
		t.Fatal(err)
	}
	defer abstract.Close()
	text := fmt.Sprintf("%d %s %s", tcp.Addr().(*net.TCPAddr).Port, name, t.TempDir())
	got := map[string]string{}
	run(t, task{Do: "landlock", Options: sandbox.Options{MaxLandlock: level}, Text: text}, &got)
	return got
}

// tryLandlock is what the process does.
func tryLandlock(t task) map[string]string {
	var port int
	var name, folder string
	if _, err := fmt.Sscan(t.Text, &port, &name, &folder); err != nil {
		return map[string]string{"arguments": err.Error()}
	}
	exe := os.Args[0]
	return map[string]string{
		"read a file":     result(func() error { _, err := os.ReadFile(exe); return err }),
		"write a file":    result(func() error { return os.WriteFile(filepath.Join(folder, "x"), nil, 0o600) }),
		"list a folder":   result(func() error { _, err := os.ReadDir("/"); return err }),
		"make a folder":   result(func() error { return os.Mkdir(filepath.Join(folder, "y"), 0o700) }),
		"execute":         result(func() error { return unix.Exec(exe, []string{exe, "-test.run=^$"}, nil) }),
		"connect":         result(func() error { return connect(&unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: port}) }),
		"bind":            result(bind),
		"abstract socket": result(func() error { return connect(&unix.SockaddrUnix{Name: name}) }),
		"signal":          result(func() error { return unix.Kill(os.Getppid(), 0) }),
	}
}

func result(do func() error) string {
	switch err := do(); {
	case err == nil:
		return "done"
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return "denied"
	default:
		return err.Error()
	}
}

func connect(to unix.Sockaddr) error {
	family := unix.AF_INET
	if _, ok := to.(*unix.SockaddrUnix); ok {
		family = unix.AF_UNIX
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Connect(fd, to)
}

func bind() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
}
