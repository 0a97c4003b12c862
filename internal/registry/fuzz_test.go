package registry

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/id"
)

// FuzzParse holds that a request that is taken names one organization, by the
// one spelling of its repository, and something that has the form of a name: the
// library behind it gets the same path.
func FuzzParse(f *testing.F) {
	const of = "/v2/floww/0192f1a5-7d3c-7b6e-9f00-0123456789ab"
	digest := "sha256:" + strings.Repeat("a", 64)
	for _, seed := range []string{
		"/v2/", "/v2", "/v2//", of + "/tags/list", of + "/manifests/latest", of + "/manifests/" + digest, of + "/blobs/" + digest, of + "/blobs/uploads/",
		of + "/blobs/uploads/x?digest=" + digest + "&mount=" + digest + "&from=floww/other", of + "/../x/manifests/y", of + "/blobs/uploads/..%2f..", "/v2/_catalog",
		strings.ToUpper(of) + "/tags/list", of + "/blobs/uploads//", of + "/manifests/a/b",
	} {
		f.Add("GET", seed)
		f.Add("PUT", seed)
	}
	f.Fuzz(func(t *testing.T, method, target string) {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			return
		}
		q, err := Parse(&http.Request{Method: method, URL: u})
		if err != nil {
			var wrong *Error
			if !errors.As(err, &wrong) {
				t.Fatalf("%s %s: %v is no Error", method, target, err)
			}
			return
		}
		switch {
		case q.Kind == Base && q.Organization.IsZero():
			return
		case q.Kind == Base || !strings.HasPrefix(u.Path, Path+Repository(q.Organization)+"/"):
			t.Fatalf("%s %s is taken for %+v", method, target, q)
		case q.Kind == Blob && !digestForm.MatchString(q.Reference),
			q.Kind == Manifest && !digestForm.MatchString(q.Reference) && !IsTag(q.Reference),
			q.Kind == Upload && !uploadForm.MatchString(q.Reference):
			t.Fatalf("%s %s refers to %q", method, target, q.Reference)
		}
		if other := (Grant{Organization: id.ID{1}, Push: true, Pull: true}); q.Organization != other.Organization && other.Allow(q) == nil {
			t.Fatalf("%s %s is allowed to another organization", method, target)
		}
	})
}

// FuzzOwnerOf holds that an image of an organization is named as its repository.
func FuzzOwnerOf(f *testing.F) {
	for _, seed := range []string{"", "floww/0192f1a5-7d3c-7b6e-9f00-0123456789ab:a@sha256:b", "floww/x", "docker.io/floww/0192f1a5-7d3c-7b6e-9f00-0123456789ab"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, image string) {
		owner, ok := OwnerOf(image)
		name, _, _ := strings.Cut(image, "@")
		name, _, _ = strings.Cut(name, ":")
		if ok && !strings.EqualFold(name, Repository(owner)) {
			t.Fatalf("%q is taken for %s", image, Repository(owner))
		}
	})
}

// FuzzManifest holds that what is passed on to the library is what was sent, and
// has no parts that would be fetched from elsewhere.
func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"layers":[{"digest":"x"}]}`))
	f.Add([]byte(`{"manifests":[{"urls":["http://x"]}]}`))
	f.Add([]byte(`{"layers":[{"URLS":["http://x"]}],"layers":[]}`))
	f.Add([]byte(`[`))
	f.Fuzz(func(t *testing.T, content []byte) {
		r := httptest.NewRequest(http.MethodPut, "/", bytes.NewReader(content))
		if err := checkManifest(r); err != nil {
			var wrong *Error
			if !errors.As(err, &wrong) {
				t.Fatalf("%v is no Error", err)
			}
			return
		}
		if passed, err := io.ReadAll(r.Body); err != nil || !bytes.Equal(passed, content) {
			t.Fatalf("%q became %q, %v", content, passed, err)
		}
	})
}
