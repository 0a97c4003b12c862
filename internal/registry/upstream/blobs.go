package upstream

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/usefloww/flowwd/internal/registry"
)

// held is how much of a blob is not passed on before it is known whether it is
// what its digest says: the last of a large one, all of a small one.
const held = 64 << 10

func (s *Storage) blob(w http.ResponseWriter, r *http.Request, q registry.Request) error {
	res, err := s.send(r.Context(), s.scope(q.Organization), request{
		method: r.Method, url: s.at(q.Organization, "blobs/"+q.Reference), header: copied(r, "Range"), long: true,
	})
	if err != nil {
		return err
	}
	defer res.Body.Close()
	part := res.StatusCode == http.StatusPartialContent && res.Header.Get("Content-Range") != "" && r.Header.Get("Range") != ""
	switch {
	case res.StatusCode == http.StatusNotFound:
		return registry.NewError(http.StatusNotFound, "BLOB_UNKNOWN", "there is no blob %s", q.Reference)
	case res.StatusCode == http.StatusRequestedRangeNotSatisfiable:
		return registry.NewError(res.StatusCode, "UNSUPPORTED", "the blob %s has not that range", q.Reference)
	case res.StatusCode != http.StatusOK && !part:
		return refusal(w, res)
	}
	if other := res.Header.Get(digestHeader); other != "" && other != q.Reference {
		return because(errNonsense, "it has %.100q where %s is asked for", other, q.Reference)
	}
	header := w.Header()
	header.Set("Content-Type", "application/octet-stream")
	if res.Header.Get("Accept-Ranges") == "bytes" {
		header.Set("Accept-Ranges", "bytes")
	}
	header.Set(digestHeader, q.Reference)
	if res.ContentLength >= 0 {
		header.Set("Content-Length", strconv.FormatInt(res.ContentLength, 10))
	}
	if part {
		header.Set("Content-Range", res.Header.Get("Content-Range"))
	}
	if !q.Reads || part {
		w.WriteHeader(res.StatusCode)
		_, err := io.Copy(w, res.Body)
		return err
	}
	if err := compared(w, res.Body, q.Reference); err != nil {
		header.Del("Content-Length") // of a refusal it is another
		return err
	}
	return nil
}

// compared passes content on, all of it only if it has a digest.
func compared(w io.Writer, content io.Reader, digest string) error {
	hash := sha256.New()
	var kept []byte
	next, spare := make([]byte, held), make([]byte, held)
	for {
		n, err := io.ReadFull(content, next)
		hash.Write(next[:n])
		ended := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !ended {
			return because(errSilent, "a blob ends early: %v", plain(err))
		}
		if ended && "sha256:"+hex.EncodeToString(hash.Sum(nil)) != digest {
			return because(errNonsense, "it gives something of another digest, or not all of it, for %s", digest)
		}
		if len(kept) > 0 {
			if _, err := w.Write(kept); err != nil {
				return err
			}
		}
		if ended {
			_, err := w.Write(next[:n])
			return err
		}
		kept, next, spare = next[:n], spare, next
	}
}
