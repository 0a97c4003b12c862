package storetest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/store"
)

// RunFiles runs the suite of a database that keeps large bodies in files beside
// it.
func RunFiles(t *testing.T, backend Backend) {
	t.Helper()
	t.Run("bodies on disk go with their last event", func(t *testing.T) {
		t.Parallel()
		folder := filepath.Join(t.TempDir(), "bodies")
		testPurgeBodies(t, NewWorld(t, backend(t), func(c *store.Config) { c.Blobs = folder }), folder)
	})

	t.Run("an event whose body is lost is not run", func(t *testing.T) {
		t.Parallel()
		folder := filepath.Join(t.TempDir(), "bodies")
		w := NewWorld(t, backend(t), func(c *store.Config) { c.Blobs = folder })
		n := w.Namespace()
		_, triggers := w.Deployed(n)
		a := w.Acceptance(triggers[0])
		a.Event.Body = make([]byte, 100_000)
		w.accept(a)
		w.must(os.RemoveAll(folder))
		whole := w.Accept(triggers[0])
		equal(t, "claims", claimed(w.Claim(5)), []id.ID{whole})
		for range execution.MaxInterruptions {
			equal(t, "claims", len(w.Claim(5)), 0)
		}
		e := w.Get(a.ExecutionID, n.OrganizationID)
		equal(t, "state", e.State, execution.Failed)
		equal(t, "error", e.Error, "Interrupted 6 times, the last time because the event's body could not be read from disk")
	})
}

// testPurgeBodies lets two events share a body on disk.
func testPurgeBodies(t *testing.T, w *World, folder string) {
	_, triggers := w.Deployed(w.Namespace())
	shared := bytes.Repeat([]byte("x"), 100_000)
	accept := func(body []byte) *execution.Claim {
		a := w.claimable(triggers[0])
		a.Event.Body = body
		return w.accept(a).Claim
	}
	first := accept(shared)
	w.must(w.FinishExecution(w.ctx(), first, w.Outcome()))
	w.Pass(40 * day)
	second := accept(shared)
	other := accept(append([]byte("y"), shared...))
	equal(t, "files", files(t, folder), 2)
	orphan := w.claimable(triggers[0])
	orphan.Event.Body, orphan.TriggerID = append([]byte("z"), shared...), w.ID()
	_, err := w.AcceptExecution(w.ctx(), orphan)
	w.refused(err, fault.NotFound, "Trigger not found")
	equal(t, "files with an orphan", files(t, folder), 3)
	w.purge(30 * day)
	equal(t, "files after the first event went", files(t, folder), 2)
	w.must(w.FinishExecution(w.ctx(), second, w.Outcome()))
	w.must(w.FinishExecution(w.ctx(), other, w.Outcome()))
	w.Pass(40 * day)
	w.purge(30 * day)
	equal(t, "files in the end", files(t, folder), 0)
}

// files counts the bodies below a folder, which are named after their hashes.
func files(t *testing.T, folder string) int {
	t.Helper()
	n := 0
	err := fs.WalkDir(os.DirFS(folder), ".", func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && len(d.Name()) == hex.EncodedLen(sha256.Size) {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
