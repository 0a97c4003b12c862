package store

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/workflow"
)

func testBlobs(t *testing.T) *blobs {
	t.Helper()
	b, err := openBlobs(filepath.Join(t.TempDir(), "bodies"), false)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func hashes(t *testing.T, b *blobs) (found []workflow.Hash) {
	t.Helper()
	if err := b.list(func(h workflow.Hash) bool { found = append(found, h); return true }); err != nil {
		t.Fatal(err)
	}
	return found
}

func TestBodyOnDisk(t *testing.T) {
	t.Parallel()
	b := testBlobs(t)
	body := bytes.Repeat([]byte{0, 1}, 50_000)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			_, release, err := b.put(body)
			if err != nil {
				t.Error(err)
				return
			}
			release()
		})
	}
	wg.Wait()
	found := hashes(t, b)
	if len(found) != 1 {
		t.Fatalf("%d files, want one", len(found))
	}
	got, err := b.get(found[0])
	if err != nil || !bytes.Equal(got, body) {
		t.Errorf("read %d bytes (%v), want %d", len(got), err, len(body))
	}
	info, err := os.Stat(b.path(found[0]))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v (%v), want 0600", info.Mode(), err)
	}
	if err := os.WriteFile(b.path(found[0]), []byte("changed"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := b.get(found[0]); err == nil {
		t.Error("a file with other content was read")
	}
	hash, release, err := b.put(body)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if got, err := b.get(hash); err != nil || !bytes.Equal(got, body) {
		t.Errorf("a damaged file was not replaced: %v", err)
	}
}

func TestBodyIsNotRemovedWhileItIsNeeded(t *testing.T) {
	t.Parallel()
	b := testBlobs(t)
	body := []byte("x")
	remove := func(named bool) bool {
		t.Helper()
		removed, err := b.removeUnless(hashes(t, b)[0], func() (bool, error) { return named, nil })
		if err != nil {
			t.Fatal(err)
		}
		return removed
	}
	_, first, err := b.put(body)
	if err != nil {
		t.Fatal(err)
	}
	_, second, err := b.put(body)
	if err != nil {
		t.Fatal(err)
	}
	first()
	if remove(false) {
		t.Error("a body was removed while its row was on the way")
	}
	second()
	if remove(true) {
		t.Error("a body was removed though a row names it")
	}
	failed := errors.New("unknown")
	if _, err := b.removeUnless(hashes(t, b)[0], func() (bool, error) { return false, failed }); !errors.Is(err, failed) {
		t.Errorf("got error %v, want %v", err, failed)
	}
	if !remove(false) || len(hashes(t, b)) != 0 {
		t.Error("a body that nothing names was not removed")
	}
}

func TestBodiesThatWereNotFinishedAreRemoved(t *testing.T) {
	t.Parallel()
	b := testBlobs(t)
	_, release, err := b.put([]byte("whole"))
	if err != nil {
		t.Fatal(err)
	}
	release()
	left := filepath.Join(b.folder, tempPrefix+"123")
	stranger := filepath.Join(b.folder, "ab", "readme.txt")
	for _, path := range []string{left, stranger} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	again, err := openBlobs(b.folder, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a body that was not finished is still there (%v)", err)
	}
	if n := len(hashes(t, again)); n != 1 {
		t.Errorf("%d bodies are listed, want the whole one", n)
	}
	if _, err := os.Stat(stranger); err != nil {
		t.Errorf("a file that is no body was removed: %v", err)
	}
}

func TestBodyThatCannotBeWrittenIsUnavailable(t *testing.T) {
	t.Parallel()
	b := testBlobs(t)
	if err := os.RemoveAll(b.folder); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.put([]byte("x")); !fault.Is(err, fault.Unavailable) {
		t.Errorf("got %v, want unavailable", err)
	}
	if len(b.pins) != 0 {
		t.Error("a body that was not written stays pinned")
	}
	none := &blobs{}
	if _, _, err := none.put([]byte("x")); !errors.Is(err, errNoBlobs) {
		t.Errorf("got %v, want %v", err, errNoBlobs)
	}
	if _, err := none.get(workflow.Hash{}); !errors.Is(err, errNoBlobs) {
		t.Errorf("got %v, want %v", err, errNoBlobs)
	}
}
