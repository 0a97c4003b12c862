package oidc

import (
	"testing"

	"github.com/usefloww/flowwd/internal/identity/issuer"
)

// An id token for another client of the same provider logs nobody in here, also
// when this client may read it.
func TestForClient(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		audience []string
		party    string
		want     bool
	}{
		{[]string{"us"}, "", true},
		{[]string{"us"}, "us", true},
		{[]string{"us"}, "them", false},
		{[]string{"them"}, "", false},
		{[]string{"them"}, "us", false},
		{[]string{"us", "them"}, "us", true},
		{[]string{"us", "them"}, "them", false},
		{[]string{"us", "them"}, "", false},
		{nil, "us", false},
	} {
		if got := forClient(issuer.Claims{Audience: c.audience, AuthorizedParty: c.party}, "us"); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
