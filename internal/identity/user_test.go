package identity

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A provider says what it likes; what can't be stored is left out.
func TestTidyProfiles(t *testing.T) {
	t.Parallel()
	got := Profile{
		Username: "\x00ada\n", Email: strings.Repeat("x", maxEmail) + "@example.com",
		FirstName: " Ada\ufffd ", LastName: strings.Repeat("ü", maxName),
	}.tidy()
	want := Profile{Username: "ada", FirstName: "Ada", LastName: strings.Repeat("ü", maxName)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOldProfilesOnlyAdd(t *testing.T) {
	t.Parallel()
	known := Profile{Email: "new@example.com", LastName: "King"}
	got := Profile{Username: "ada", Email: "old@example.com", FirstName: "Ada", LastName: "Byron"}.adding(known)
	if diff := cmp.Diff(Profile{Username: "ada", FirstName: "Ada"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
