package access_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/tenant"
)

// The table of docs/access.md is what the code decides.
func TestDocumentedTable(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/access.md")
	if err != nil {
		t.Fatal(err)
	}
	allowed := func(p identity.Principal, action access.Action) bool {
		return access.Decide(p, action, nested).Allowed
	}
	var want strings.Builder
	for _, action := range access.Actions() {
		cells := []string{"`" + string(action) + "`"}
		for role := tenant.RoleViewer; role <= tenant.RoleOwner; role++ {
			cells = append(cells, tick(allowed(somebody(role), action)))
		}
		for _, word := range []string{access.UserWord, access.OwnerWord} {
			granted := somebody(tenant.RoleViewer, on(tenant.WorkflowResource, flow, access.GrantableRole(word)))
			// Roles on a workflow don't reach the organization.
			cells = append(cells, tick(allowed(granted, action) && access.OnResource(action)))
		}
		var words []string
		for _, word := range access.ScopeWords() {
			p := somebody(tenant.RoleOwner)
			p.Scope = &identity.Scope{Actions: []string{word}}
			if allowed(p, action) {
				words = append(words, word)
			}
		}
		cells = append(cells, strings.Join(words, ", "))
		fmt.Fprintln(&want, strings.ReplaceAll("| "+strings.Join(cells, " | ")+" |", "|  |", "| |"))
	}
	table := strings.ReplaceAll(want.String(), "|  |", "| |")
	if !strings.Contains(string(page), table) {
		t.Errorf("docs/access.md must have these rows:\n%s", table)
	}
}

func tick(yes bool) string {
	if yes {
		return "yes"
	}
	return ""
}
