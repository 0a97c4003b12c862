package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func newDataDir(t *testing.T) DataDir {
	t.Helper()
	d := DataDir(filepath.Join(t.TempDir(), "data"))
	if err := d.Make(); err != nil {
		t.Fatal(err)
	}
	return d
}

func modeOf(t *testing.T, path string) os.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

func TestDataFolderIsForItsOwnerAlone(t *testing.T) {
	t.Parallel()
	d := newDataDir(t)
	if _, err := d.LoadKeys(); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]os.FileMode{
		string(d): 0o700, d.keys(): 0o700, filepath.Join(d.keys(), metricsTokenFile): 0o600,
	} {
		if got := modeOf(t, path); got != want {
			t.Errorf("%s has mode %04o, want %04o", path, got, want)
		}
	}
	if err := d.Make(); err != nil {
		t.Errorf("making it again: %v", err)
	}
	if problems := d.CheckFiles(); len(problems) != 0 {
		t.Errorf("problems of a fresh folder: %v", problems)
	}
}

func TestDataFolderIsRefused(t *testing.T) {
	t.Parallel()
	t.Run("missing", func(t *testing.T) {
		t.Parallel()
		err := DataDir(filepath.Join(t.TempDir(), "none")).Check()
		if err == nil || !strings.Contains(err.Error(), "does not exist: start 'flowwd serve'") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a file", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := DataDir(path).Check(); err == nil || !strings.Contains(err.Error(), "is no folder") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("others can change it", func(t *testing.T) {
		t.Parallel()
		d := newDataDir(t)
		if err := os.Chmod(string(d), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := d.Make(); err == nil || !strings.Contains(err.Error(), "run 'chmod go-w "+string(d)+"'") {
			t.Errorf("got %v", err)
		}
	})
}

func TestSecondLockIsRefusedWithThePID(t *testing.T) {
	t.Parallel()
	d := newDataDir(t)
	lock, err := d.Acquire()
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Acquire()
	var inUse *InUseError
	if !errors.As(err, &inUse) || inUse.PID != os.Getpid() {
		t.Fatalf("got %v", err)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	again, err := d.Acquire()
	if err != nil {
		t.Fatalf("after the release: %v", err)
	}
	if err := again.Release(); err != nil {
		t.Fatal(err)
	}
}

func TestKeysStayTheSame(t *testing.T) {
	t.Parallel()
	d := newDataDir(t)
	const starts = 16
	got := make([]Keys, starts)
	var wg sync.WaitGroup
	for i := range starts {
		wg.Go(func() {
			keys, err := d.LoadKeys()
			if err != nil {
				t.Error(err)
			}
			got[i] = keys
		})
	}
	wg.Wait()
	for _, keys := range got {
		if keys != got[0] || len(keys.MetricsToken) < minToken {
			t.Fatalf("starts at the same time got different keys: %v", got)
		}
	}
	left, err := os.ReadDir(d.keys())
	if err != nil || len(left) != len(keyFiles) {
		t.Errorf("the folder of keys holds %v, %v", left, err)
	}
	if other, err := newDataDir(t).LoadKeys(); err != nil || other == got[0] {
		t.Errorf("another folder got the same keys, or none: %v", err)
	}
}

func TestKeysThatOthersCanReadAreRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		path func(DataDir) string
		mode os.FileMode
		want string
	}{
		{"file", func(d DataDir) string { return filepath.Join(d.keys(), metricsTokenFile) }, 0o640, "chmod 600 "},
		{"folder", DataDir.keys, 0o755, "chmod 700 "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := newDataDir(t)
			if _, err := d.LoadKeys(); err != nil {
				t.Fatal(err)
			}
			path := test.path(d)
			if err := os.Chmod(path, test.mode); err != nil {
				t.Fatal(err)
			}
			_, err := d.LoadKeys()
			if err == nil || !strings.Contains(err.Error(), "'"+test.want+path+"'") {
				t.Errorf("got %v", err)
			}
			if problems := d.CheckFiles(); len(problems) != 1 || !strings.Contains(problems[0].Error(), test.want) {
				t.Errorf("CheckFiles: %v", problems)
			}
		})
	}
}

func TestBrokenKeyIsNotReplaced(t *testing.T) {
	t.Parallel()
	d := newDataDir(t)
	if _, err := d.LoadKeys(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(d.keys(), metricsTokenFile)
	if err := os.WriteFile(path, []byte("x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := d.LoadKeys(); err == nil || !strings.Contains(err.Error(), "holds no key") {
		t.Errorf("got %v", err)
	}
}
