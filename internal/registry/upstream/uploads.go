package upstream

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/registry"
)

// stateQuery carries the state of an upload, as in registries of the
// distribution library.
const stateQuery = "_state"

// maxState bounds it.
const maxState = 8 << 10

// rangeForm says how much of an upload has arrived.
var rangeForm = regexp.MustCompile(`^(?:bytes=)?(\d{1,18}-\d{1,18})$`)

// state is what a client carries from one request of an upload to the next, and
// can't read: the upstream's address may open the upload to whoever has it.
type state struct {
	Organization id.ID
	// At is the path and query at the upstream.
	At string
}

// uploadID names an upload at an address of the upstream. Its query may change
// from one request to the next.
func uploadID(at *url.URL) string {
	sum := sha256.Sum256([]byte(at.EscapedPath()))
	return hex.EncodeToString(sum[:16])
}

// location is where an upload goes on at this server.
func (s *Storage) location(q registry.Request, at *url.URL) (string, error) {
	text, err := json.Marshal(state{Organization: q.Organization, At: at.RequestURI()})
	if err != nil {
		return "", err
	}
	sealed, err := s.Sealer.Seal(text)
	if err != nil {
		return "", err
	}
	return path(q, "/blobs/uploads/"+uploadID(at)) + "?" + stateQuery + "=" + url.QueryEscape(string(sealed)), nil
}

// begun returns where an upload is at the upstream. What was not given out here,
// or was for another organization, is no upload.
func (s *Storage) begun(r *http.Request, q registry.Request) (*url.URL, error) {
	none := registry.NewError(http.StatusNotFound, "BLOB_UPLOAD_UNKNOWN", "there is no upload %.100q; begin a new one", q.Reference)
	sealed := r.URL.Query().Get(stateQuery)
	if len(sealed) > maxState {
		return nil, none
	}
	text, err := s.Sealer.Open([]byte(sealed))
	if err != nil {
		return nil, none
	}
	var st state
	if json.Unmarshal(text, &st) != nil || st.Organization != q.Organization {
		return nil, none
	}
	at, err := s.URL.Parse(st.At)
	if err != nil || !s.isUpstream(at) || uploadID(at) != q.Reference {
		return nil, none
	}
	return at, nil
}

func (s *Storage) upload(w http.ResponseWriter, r *http.Request, q registry.Request) error {
	ask := request{method: r.Method, header: copied(r, "Content-Range"), wait: s.times.finishing}
	digest := r.URL.Query().Get("digest")
	var query url.Values
	if r.Method == http.MethodPost {
		ask.url, query = s.at(q.Organization, "blobs/uploads/"), url.Values{}
	} else {
		at, err := s.begun(r, q)
		if err != nil {
			return err
		}
		ask.url, query = at, at.Query()
	}
	switch {
	case r.Method == http.MethodPut && digest == "":
		return registry.NewError(http.StatusBadRequest, "DIGEST_INVALID", "the digest of the blob is missing")
	case digest != "":
		query.Set("digest", digest)
		ask.url.RawQuery = query.Encode()
	}
	of := counted(q, digest)
	if r.ContentLength != 0 {
		ask.header.Set("Content-Type", "application/octet-stream")
		ask.length = r.ContentLength
		ask.sent = &sent{body: r.Body, got: func(bytes int) { s.uploading(q.Organization, of, bytes) }}
	}
	scope := s.scope(q.Organization)
	if r.Method == http.MethodDelete {
		scope += ",delete" // not all who push may do that
	}
	res, err := s.send(r.Context(), scope, ask)
	if ask.sent != nil {
		ask.sent.finish(w)
	}
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		return refusal(w, res)
	}
	switch {
	case r.Method == http.MethodDelete:
		s.dropped(q.Organization, of)
	case res.StatusCode == http.StatusCreated && digest != "":
		s.uploaded(q.Organization, of, digest)
		w.Header().Set("Location", path(q, "/blobs/"+digest))
		w.Header().Set(digestHeader, digest)
	default:
		if err := s.goesOn(w, res, q, ask.url, of); err != nil {
			return err
		}
	}
	w.WriteHeader(res.StatusCode)
	return nil
}

// goesOn says where and from where on an upload goes on.
func (s *Storage) goesOn(w http.ResponseWriter, res *http.Response, q registry.Request, asked *url.URL, of string) error {
	to := res.Header.Get("Location")
	if to == "" && res.Request.Method == http.MethodPost {
		return because(errNonsense, "it begins an upload and does not say where")
	}
	at, err := asked.Parse(to)
	if err != nil || !s.isUpstream(at) || at.User != nil {
		return because(errNonsense, "it has uploads go on elsewhere, at %.200q", bare(to))
	}
	location, err := s.location(q, at)
	if err != nil {
		return err
	}
	w.Header().Set("Location", location)
	w.Header().Set("Docker-Upload-UUID", uploadID(at))
	if arrived := rangeForm.FindStringSubmatch(res.Header.Get("Range")); arrived != nil {
		w.Header().Set("Range", arrived[1])
		if q.Reference != "" {
			s.arrived(q.Organization, of, uploadID(at), arrived[1])
		}
	}
	if least := res.Header.Get("OCI-Chunk-Min-Length"); rangeForm.MatchString("0-" + least) {
		w.Header().Set("OCI-Chunk-Min-Length", least)
	}
	return nil
}
