package registry

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/usefloww/flowwd/internal/id"
)

// Path is where the registry is served.
const Path = "/v2/"

// Namespace is what the names of all repositories begin with.
const Namespace = "floww/"

// Repository is the name of an organization's repository.
func Repository(organization id.ID) string { return Namespace + organization.String() }

// OwnerOf returns whose repository the name of an image begins with.
func OwnerOf(image string) (owner id.ID, ok bool) {
	name, ok := strings.CutPrefix(image, Namespace)
	if !ok {
		return owner, false
	}
	name, _, _ = strings.Cut(name, "@")
	name, _, _ = strings.Cut(name, ":")
	owner, err := id.Parse(name)
	return owner, err == nil
}

// Kind is what a request is about.
type Kind uint8

// The kinds of requests.
const (
	// Base asks whether there is a registry and whether a credential is good.
	Base Kind = iota + 1
	Manifest
	Blob
	Upload
	Tags
)

// Request is what a request is about.
type Request struct {
	Kind Kind
	// Organization is whose repository is meant; zero for Base.
	Organization id.ID
	// Reference is the tag or digest of a manifest or blob, or the name of an
	// upload that has begun.
	Reference string
	// Writes says that it changes something.
	Writes bool
	// Reads says that it asks for content, not only whether it is there.
	Reads bool
}

// Forms of distribution-spec 1.1: tags, digests, the names that storages give to
// uploads, and ranges of these. SHA-256 is the one digest that all tools and
// storages know.
var (
	tagForm    = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)
	digestForm = regexp.MustCompile(`^sha256:[a-f0-9]{64}$`)
	uploadForm = regexp.MustCompile(`^[a-zA-Z0-9-]{0,64}$`)
	rangeForm  = regexp.MustCompile(`^[0-9]{1,18}-[0-9]{1,18}$`)
)

// IsTag reports whether a text can be the tag of an image.
func IsTag(text string) bool { return tagForm.MatchString(text) }

// Parse says what a request is about. The error is an *Error.
func Parse(r *http.Request) (Request, error) {
	q := Request{Writes: r.Method != http.MethodGet && r.Method != http.MethodHead, Reads: r.Method == http.MethodGet}
	rest, ok := strings.CutPrefix(r.URL.Path+"/", Path)
	if !ok {
		return q, unknownName("there is no registry at %.100q", r.URL.Path)
	}
	if rest = strings.TrimSuffix(rest, "/"); rest == "" || rest == "/" {
		q.Kind = Base
		return q, q.allowed(r.Method)
	}
	name, isOurs := strings.CutPrefix(rest, Namespace)
	owner, rest, _ := strings.Cut(name, "/")
	organization, err := id.Parse(owner)
	if !isOurs || err != nil || organization.String() != owner {
		return q, unknownName("no repository has the name in %.100q; an organization's is %s<organization id>", r.URL.Path, Namespace)
	}
	q.Organization = organization
	if err := q.about(rest); err != nil {
		return q, err
	}
	if named := r.URL.Query()["digest"]; len(named) > 1 || len(named) == 1 && !digestForm.MatchString(named[0]) {
		return q, NewError(http.StatusBadRequest, "DIGEST_INVALID", "%.100q is no SHA-256 digest", strings.Join(named, " "))
	}
	if span := r.Header.Get("Content-Range"); q.Kind == Upload && span != "" && !rangeForm.MatchString(span) {
		return q, NewError(http.StatusRequestedRangeNotSatisfiable, "RANGE_INVALID", "%.100q is no range; that of a part is <first byte>-<last byte>", span)
	}
	return q, q.allowed(r.Method)
}

// about reads what follows the name of a repository.
func (q *Request) about(rest string) error {
	switch kind, reference, _ := strings.Cut(rest, "/"); {
	case kind == "manifests" && (IsTag(reference) || digestForm.MatchString(reference)):
		q.Kind, q.Reference = Manifest, reference
	case kind == "manifests":
		return NewError(http.StatusBadRequest, "TAG_INVALID", "%.100q is no tag and no digest", reference)
	case kind == "blobs" && digestForm.MatchString(reference):
		q.Kind, q.Reference = Blob, reference
	case kind == "blobs" && (reference == "uploads" || strings.HasPrefix(reference, "uploads/")):
		q.Kind, q.Reference = Upload, strings.Trim(strings.TrimPrefix(reference, "uploads"), "/")
		if !uploadForm.MatchString(q.Reference) {
			return NewError(http.StatusNotFound, "BLOB_UPLOAD_UNKNOWN", "there is no upload %.100q", q.Reference)
		}
	case kind == "blobs":
		return NewError(http.StatusBadRequest, "DIGEST_INVALID", "%.100q is no SHA-256 digest", reference)
	case rest == "tags/list":
		q.Kind = Tags
	default:
		return NewError(http.StatusNotFound, "UNSUPPORTED", "there is nothing at %.100q of a repository", rest)
	}
	return nil
}

// methods are those of each kind. Nothing is deleted over HTTP: what no runtime
// needs goes by itself.
var methods = map[Kind][]string{
	Base:     {http.MethodGet, http.MethodHead},
	Manifest: {http.MethodGet, http.MethodHead, http.MethodPut},
	Blob:     {http.MethodGet, http.MethodHead},
	Upload:   {http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodPut, http.MethodDelete},
	Tags:     {http.MethodGet, http.MethodHead},
}

func (q Request) allowed(method string) error {
	for _, m := range methods[q.Kind] {
		if m == method {
			return nil
		}
	}
	return NewError(http.StatusMethodNotAllowed, "UNSUPPORTED", "%s is not possible here; images that nothing needs are removed by themselves", method)
}
