package tenant

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/usefloww/flowwd/internal/fault"
)

// Whatever sequence of changes is tried, nobody gets more than the one who gave
// it had, and an organization that began with an owner has one.
func TestMembershipsByRules(t *testing.T) {
	t.Parallel()
	role := rapid.SampledFrom([]Role{RoleNone, RoleViewer, RoleMember, RoleAdmin, RoleOwner})
	rapid.Check(t, func(t *rapid.T) {
		members := map[int]Role{0: RoleOwner}
		someone := rapid.IntRange(0, 4)
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			caller, member, after := someone.Draw(t, "caller"), someone.Draw(t, "member"), role.Draw(t, "role")
			c := MemberChange{Role: after}
			if c.Leaves = rapid.Bool().Draw(t, "leaves"); c.Leaves {
				c.Role, member = RoleNone, caller
			}
			before, has := members[member], members[caller]
			owners := 0
			for _, r := range members {
				if r == RoleOwner {
					owners++
				}
			}
			err := c.Check(has, before, before == RoleOwner && owners == 1)
			if err != nil {
				if kind := fault.KindOf(err); kind != fault.Denied && kind != fault.Invalid {
					t.Fatalf("refused by %v", err)
				}
				continue
			}
			if c.Role > has {
				t.Fatalf("a %s made a %s", has, c.Role)
			}
			if before > has {
				t.Fatalf("a %s changed a %s", has, before)
			}
			if has < RoleAdmin && !c.Leaves {
				t.Fatalf("a %s changed a membership", has)
			}
			if members[member] = c.Role; before == RoleOwner && c.Role != RoleOwner && owners == 1 {
				t.Fatal("the last owner is gone")
			}
		}
	})
}

func TestNames(t *testing.T) {
	t.Parallel()
	for name, good := range map[string]bool{
		"test-org": true, "a": true, "Acme_2.0": true, "1": true,
		"": false, "-a": false, "a b": false, "a/b": false, "ä": false, "a\n": false,
	} {
		if err := checkName(name); (err == nil) != good {
			t.Errorf("name %q: %v", name, err)
		}
	}
	for email, good := range map[string]bool{
		"ada@example.com": true, " ada@example.com ": true, "a+b@x.y": true,
		"": false, "ada": false, "Ada <ada@example.com>": false, "ada@example.com, bob@example.com": false, "a\r\nBcc: b@x.y": false,
	} {
		if _, err := checkEmail(email); (err == nil) != good {
			t.Errorf("e-mail %q: %v", email, err)
		}
	}
}
