package storetest

import (
	"testing"

	"github.com/usefloww/flowwd/internal/fault"
)

// certificate keeps what was got for a domain.
func (w *World) certificate(name, sealed string) {
	w.t.Helper()
	w.must(w.PutCertificateEntry(w.ctx(), name, []byte(sealed), w.Now()))
}

func testCertificates(t *testing.T, backend Backend) {
	t.Run("a certificate is kept, replaced and deleted", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		w.certificate("example.com", "one")
		w.certificate("example.com", "two")
		w.certificate("other.example.com", "three")
		if got, err := w.CertificateEntry(w.ctx(), "example.com"); err != nil || string(got) != "two" {
			t.Errorf("it is %q, %v", got, err)
		}
		w.must(w.DeleteCertificateEntry(w.ctx(), "example.com"))
		w.must(w.DeleteCertificateEntry(w.ctx(), "example.com"))
		if _, err := w.CertificateEntry(w.ctx(), "example.com"); !fault.Is(err, fault.NotFound) {
			t.Errorf("deleted, and reading it says %v", err)
		}
		if got, err := w.CertificateEntry(w.ctx(), "other.example.com"); err != nil || string(got) != "three" {
			t.Errorf("the other is %q, %v", got, err)
		}
	})
}
