package registry

import (
	"io"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/id"
)

func TestGrants(t *testing.T) {
	t.Parallel()
	ids := id.NewSource(time.Now)
	own, other := ids.New(), ids.New()
	blob := "sha256:" + strings.Repeat("a", 64)
	push, pull := Grant{Organization: own, Push: true, Only: "v1"}, Grant{Organization: own, Pull: true, Only: "v1"}
	all := Grant{Organization: own, Push: true, Pull: true}
	for _, c := range []struct {
		method, rest string
		allowed      []Grant
	}{
		{"POST", "/blobs/uploads/", []Grant{push, all}},
		{"GET", "/blobs/uploads/x", []Grant{push, all}},
		{"PUT", "/manifests/v1", []Grant{push, all}},
		{"PUT", "/manifests/v2", []Grant{all}},
		{"PUT", "/manifests/" + blob, []Grant{push, all}},
		{"HEAD", "/manifests/v1", []Grant{push, pull, all}},
		{"GET", "/manifests/v1", []Grant{pull, all}},
		{"GET", "/manifests/v2", []Grant{all}},
		{"GET", "/manifests/" + blob, []Grant{pull, all}},
		{"HEAD", "/blobs/" + blob, []Grant{push, pull, all}},
		{"GET", "/blobs/" + blob, []Grant{pull, all}},
		{"GET", "/tags/list", []Grant{all}},
	} {
		for _, g := range []Grant{push, pull, all, {Organization: own}, {}} {
			for _, organization := range []id.ID{own, other} {
				q, err := Parse(httptest.NewRequest(c.method, "/v2/"+Repository(organization)+c.rest, io.NopCloser(nil)))
				if err != nil {
					t.Fatal(err)
				}
				want := organization == own && (slices.Contains(c.allowed, g) || g == Grant{Organization: own} && c.method == "HEAD")
				if err := g.Allow(q); (err == nil) != want {
					t.Errorf("%s %s of the own organization (%v) by %+v: %v", c.method, c.rest, organization == own, g, err)
				}
			}
		}
	}
}
