package upstream

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/registry"
)

// manifestSize bounds a manifest of the upstream, as those that are pushed.
const manifestSize = 4 << 20

// digestHeader says what an answer is of.
const digestHeader = "Docker-Content-Digest"

// kinds are those of manifests that this server asks for.
var kinds = []string{
	"application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json",
	"application/vnd.docker.distribution.manifest.v2+json", "application/vnd.docker.distribution.manifest.list.v2+json",
}

var (
	digestForm = regexp.MustCompile(`^sha256:[a-f0-9]{64}$`)
	kindForm   = regexp.MustCompile(`^application/([a-z0-9.+-]{1,100}\+)?json$`)
)

func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// found is a manifest, or what is known of one.
type found struct {
	kind, digest string
	// size is -1 when it is not known.
	size    int64
	content []byte
}

// get returns a manifest, compared with its digest. The error is a refusal.
func (s *Storage) get(ctx context.Context, w http.ResponseWriter, organization id.ID, named string, accept http.Header) (found, error) {
	res, err := s.send(ctx, s.scope(organization), request{method: http.MethodGet, url: s.at(organization, "manifests/"+named), header: accept})
	if err != nil {
		return found{}, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return found{}, refusal(w, res)
	}
	content, err := read(res, manifestSize)
	if err != nil {
		return found{}, err
	}
	var m struct{ MediaType string }
	if !bytes.HasPrefix(bytes.TrimSpace(content), []byte("{")) || json.Unmarshal(content, &m) != nil {
		return found{}, because(errNonsense, "it gives a manifest that is none")
	}
	f := found{kind: kindFrom(res.Header), digest: digestOf(content), size: int64(len(content)), content: content}
	if f.kind == "" && kindForm.MatchString(m.MediaType) {
		f.kind = m.MediaType
	}
	if f.kind == "" {
		return found{}, because(errNonsense, "it does not say what kind of manifest it gives")
	}
	for _, other := range []string{named, res.Header.Get(digestHeader)} {
		if digestForm.MatchString(other) && other != f.digest {
			return found{}, because(errNonsense, "it gives a manifest of which the digest is %s, not %s", f.digest, other)
		}
	}
	return f, nil
}

func kindFrom(header http.Header) string {
	kind, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || !kindForm.MatchString(kind) {
		return ""
	}
	return kind
}

// look returns what is known of a manifest without its content. The error is a
// refusal.
func (s *Storage) look(ctx context.Context, w http.ResponseWriter, organization id.ID, named string, accept http.Header) (found, error) {
	res, err := s.send(ctx, s.scope(organization), request{method: http.MethodHead, url: s.at(organization, "manifests/"+named), header: accept})
	if err != nil {
		return found{}, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		err := refusal(w, res)
		if res.StatusCode == http.StatusNotFound {
			err = registry.NewError(http.StatusNotFound, "MANIFEST_UNKNOWN", "there is no manifest %s", named)
		}
		return found{}, err
	}
	f := found{kind: kindFrom(res.Header), digest: res.Header.Get(digestHeader), size: res.ContentLength}
	if digestForm.MatchString(named) && f.digest != "" && f.digest != named {
		return found{}, because(errNonsense, "it has %.100q where %s is asked for", f.digest, named)
	}
	if f.kind == "" || !digestForm.MatchString(f.digest) {
		return s.get(ctx, w, organization, named, accept) // not all say it
	}
	return f, nil
}

func (s *Storage) manifest(w http.ResponseWriter, r *http.Request, q registry.Request) error {
	ask := s.look
	if q.Reads {
		ask = s.get
	}
	f, err := ask(r.Context(), w, q.Organization, q.Reference, copied(r, "Accept"))
	if err != nil {
		return err
	}
	w.Header().Set(digestHeader, f.digest)
	if q.Reads {
		return write(w, r, f.kind, f.content)
	}
	w.Header().Set("Content-Type", f.kind)
	if f.size >= 0 {
		w.Header().Set("Content-Length", strconv.FormatInt(f.size, 10))
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

func (s *Storage) putManifest(w http.ResponseWriter, r *http.Request, q registry.Request) error {
	content, err := io.ReadAll(r.Body)
	if err != nil {
		return registry.NewError(http.StatusBadRequest, "MANIFEST_INVALID", "the manifest did not arrive as a whole")
	}
	own := digestOf(content)
	if strings.Contains(q.Reference, ":") && q.Reference != own {
		return registry.NewError(http.StatusBadRequest, "DIGEST_INVALID", "the manifest's digest is %s", own)
	}
	if err := s.sound(r.Context(), q.Organization, content); err != nil {
		return err
	}
	res, err := s.send(r.Context(), s.scope(q.Organization), request{
		method: http.MethodPut, url: s.at(q.Organization, "manifests/"+q.Reference), header: copied(r, "Content-Type"), content: content,
	})
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		return refusal(w, res)
	}
	if stored := res.Header.Get(digestHeader); digestForm.MatchString(stored) && stored != own {
		return because(errNonsense, "it has stored %s, not %s", stored, own)
	}
	s.pushed(q.Organization, q.Reference, content)
	if subject := res.Header.Get("OCI-Subject"); digestForm.MatchString(subject) {
		w.Header().Set("OCI-Subject", subject)
	}
	w.Header().Set(digestHeader, own)
	w.Header().Set("Location", path(q, "/manifests/"+own))
	w.WriteHeader(http.StatusCreated)
	return nil
}

// sound refuses a manifest whose parts are not there, or are not as large as it
// says: what an organization keeps is counted by that.
func (s *Storage) sound(ctx context.Context, organization id.ID, content []byte) error {
	of, manifests := describe(content)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(asking)
	for digest, size := range of {
		group.Go(func() error {
			kind := "blobs/"
			if slices.Contains(manifests, digest) {
				kind = "manifests/"
			}
			res, err := s.send(ctx, s.scope(organization), request{method: http.MethodHead, url: s.at(organization, kind+digest), header: http.Header{"Accept": kinds}})
			if err != nil {
				return err
			}
			defer res.Body.Close()
			switch {
			case res.StatusCode == http.StatusNotFound:
				return registry.NewError(http.StatusBadRequest, "MANIFEST_BLOB_UNKNOWN", "the manifest's part %s is not there", digest)
			case res.StatusCode != http.StatusOK:
				return refusal(nobody{}, res)
			case res.ContentLength >= 0 && res.ContentLength != size:
				return registry.NewError(http.StatusBadRequest, "MANIFEST_INVALID", "the manifest says that its part %s has %d bytes; it has %d", digest, size, res.ContentLength)
			}
			return nil
		})
	}
	return group.Wait()
}

// Digest implements registry.Storage.
func (s *Storage) Digest(ctx context.Context, organization id.ID, tag string) (string, error) {
	f, err := s.look(ctx, nobody{}, organization, tag, http.Header{"Accept": kinds})
	var refused *registry.Error
	switch {
	case err == nil:
		return f.digest, nil
	case !errors.As(err, &refused):
		return "", err
	case refused.Status == http.StatusNotFound:
		return "", fault.New(fault.NotFound, "Image does not exist")
	default:
		return "", fault.Because(err, fault.Unavailable, "The image can't be looked for: %s", refused.Message)
	}
}

// nobody is who is answered when this server asks for itself.
type nobody struct{}

func (nobody) Header() http.Header         { return http.Header{} }
func (nobody) Write(p []byte) (int, error) { return len(p), nil }
func (nobody) WriteHeader(int)             {}
