package store

import (
	"context"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/tenant"
)

// NameOrganization implements tenant.InvitationStore.
func (s *Store) NameOrganization(ctx context.Context, named id.ID, external string, at time.Time) error {
	return s.write(ctx, "note the provider's name of an organization", func(t *tx) error {
		o, err := lockOrganization(t, named)
		if err != nil || o.WorkOSID == external {
			return err
		}
		_, err = t.exec(`UPDATE organizations SET workos_id = ?, updated_at = ? WHERE id = ?`, external, at, named)
		if t.unique(err) {
			return fault.Because(err, fault.Conflict, "Another organization already exists for %s at the provider", external)
		}
		s.record(ctx, t, audit.Entry{
			OrganizationID: named, Action: audit.ChangeOrganization, Target: organizationTarget(named),
			Before: audit.Snapshot(map[string]any{"workosId": o.WorkOSID}), After: audit.Snapshot(map[string]any{"workosId": external}),
		})
		return err
	})
}

// SettleInvitations implements tenant.InvitationStore.
func (s *Store) SettleInvitations(ctx context.Context, organization id.ID, states map[string]tenant.DirectoryState, at time.Time) error {
	type settlement struct {
		statement string
		action    audit.Action
	}
	settled := map[tenant.DirectoryState]settlement{
		tenant.DirectoryAccepted: {`UPDATE invitations SET accepted_at = ? WHERE id = ?`, audit.AcceptInvitation},
		tenant.DirectoryRevoked:  {`UPDATE invitations SET revoked_at = ? WHERE id = ?`, audit.RevokeInvitation},
	}
	return s.write(ctx, "settle invitations", func(t *tx) error {
		open := map[id.ID]string{}
		err := t.each(`SELECT id, external_id FROM invitations
			WHERE organization_id = ? AND external_id IS NOT NULL AND accepted_at IS NULL AND revoked_at IS NULL`,
			args{organization}, func(scan scanner) error {
				var x id.ID
				var external string
				err := scan(&x, &external)
				open[x] = external
				return err
			})
		if err != nil {
			return err
		}
		for x, external := range open {
			what, ok := settled[states[external]]
			if !ok {
				continue
			}
			if _, err := t.exec(what.statement, at, x); err != nil {
				return err
			}
			s.record(ctx, t, audit.Entry{OrganizationID: organization, Action: what.action, Target: invitationTarget(x)})
		}
		return nil
	})
}

// ImportMembers implements tenant.InvitationStore. A user that is not known yet
// gets no organization of its own: it has this one.
func (s *Store) ImportMembers(ctx context.Context, organization id.ID, people []tenant.Import, at time.Time) (int, error) {
	came := 0
	err := s.write(ctx, "import members", func(t *tx) error {
		came = 0
		if _, err := lockOrganization(t, organization); err != nil {
			return err
		}
		for _, p := range people {
			joined, err := s.importMember(ctx, t, organization, p, at)
			if err != nil {
				return err
			}
			if joined {
				came++
			}
		}
		return nil
	})
	return came, err
}

func (s *Store) importMember(ctx context.Context, t *tx, organization id.ID, p tenant.Import, at time.Time) (bool, error) {
	made, err := insertUser(t, identity.User{
		ID: p.UserID, Provider: p.Provider, Subject: p.Subject, CreatedAt: at, UpdatedAt: at,
		Profile: identity.Profile{Email: p.Email, FirstName: p.FirstName, LastName: p.LastName},
	}, "")
	if err != nil {
		return false, err
	}
	if made {
		s.record(ctx, t, audit.Entry{
			OrganizationID: organization, Action: audit.CreateUser, Target: audit.Target{Type: "user", ID: p.UserID.String()},
			After: audit.Snapshot(map[string]any{"provider": p.Provider, "subject": p.Subject, "email": p.Email}),
		})
	}
	u, _, err := readUser(&t.view, `u.provider = ? AND u.subject = ?`, p.Provider, p.Subject)
	if err != nil {
		return false, err
	}
	err = s.admit(ctx, t, tenant.MemberChange{OrganizationID: organization, UserID: u.ID, Role: p.Role, At: at})
	if fault.Is(err, fault.Invalid) || fault.Is(err, fault.Conflict) {
		return false, nil // a member already, or of too many
	}
	return err == nil, err
}
