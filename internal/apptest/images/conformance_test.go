//go:build external

package images

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
)

// The tests of the OCI distribution specification. Left out is what the
// registry answers with a refusal: deletion and layers from elsewhere; and what
// the library lacks: SHA-512 and the list of referrers, without which clients
// fall back to a tag.
func TestConformance(t *testing.T) {
	t.Parallel()
	tool := filepath.Join(t.TempDir(), "conformance")
	build := exec.Command("go", "build", "-modfile", "tools/go.mod", "-o", tool, "github.com/opencontainers/distribution-spec/conformance")
	build.Dir = "../../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the conformance tests: %v\n%s", err, out)
	}
	wherever(t, func(t *testing.T, start func(o apptest.Options) *apptest.Server) {
		testConformance(t, tool, start(apptest.Options{}))
	})
}

func testConformance(t *testing.T, tool string, s *apptest.Server) {
	name := repository(t, s.Client)
	run := exec.Command(tool)
	run.Dir = t.TempDir()
	run.Env = append(run.Environ(),
		"OCI_REGISTRY="+strings.TrimPrefix(s.URL, "http://"), "OCI_TLS=disabled", "OCI_REPO1="+name, "OCI_REPO2="+name,
		"OCI_USERNAME=token", "OCI_PASSWORD="+s.Key, "OCI_VERSION=1.1",
		"OCI_API_REFERRER=false", "OCI_DATA_SHA512=false", "OCI_DATA_NONDISTRIBUTABLE=false",
		"OCI_API_BLOBS_DELETE=false", "OCI_API_MANIFESTS_DELETE=false", "OCI_API_TAGS_DELETE=false",
	)
	out, err := run.CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "failed test") {
			t.Error(strings.TrimSpace(line))
		}
	}
	if err != nil || !strings.Contains(string(out), "Manifest put by tag...........:       Pass") {
		t.Errorf("the conformance tests: %v\n%.4000s", err, out)
	}
}
