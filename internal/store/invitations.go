package store

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/workflow"
)

const invitationColumns = `i.id, i.organization_id, i.email, i.role, i.hash, i.external_id, i.invited_by_id,
	i.created_at, i.expires_at, i.accepted_at, i.revoked_at`

// pendingInvitation is the condition that i can be accepted at a time.
const pendingInvitation = ` i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > ? `

func invitationTargets(i *tenant.Invitation, role *string) []any {
	return []any{&i.ID, &i.OrganizationID, &i.Email, role, (*workflow.Hash)(&i.Hash), &i.ExternalID, &i.InvitedByID,
		&i.CreatedAt, &i.ExpiresAt, &i.AcceptedAt, &i.RevokedAt}
}

// readInvitation reads the invitation that the end of a statement names.
func readInvitation(v *view, tail string, values ...any) (i tenant.Invitation, found bool, err error) {
	var role string
	found, err = v.one(`SELECT `+invitationColumns+` FROM invitations i `+tail, values, invitationTargets(&i, &role)...)
	i.Role = tenant.RoleNamed(role)
	return i, found, err
}

func invitationTarget(of id.ID) audit.Target {
	return audit.Target{Type: "invitation", ID: of.String()}
}

func invitationSnapshot(i tenant.Invitation) []byte {
	return audit.Snapshot(map[string]any{"email": i.Email, "role": i.Role.String(), "expiresAt": i.ExpiresAt})
}

// Invite implements tenant.InvitationStore.
func (s *Store) Invite(ctx context.Context, i tenant.Invitation, most int) error {
	return s.write(ctx, "invite somebody", func(t *tx) error {
		if _, err := lockOrganization(t, i.OrganizationID); err != nil {
			return err
		}
		if err := mayInvite(t, i.OrganizationID, i.InvitedByID, i.Role); err != nil {
			return err
		}
		var pending, same int
		_, err := t.one(`SELECT COUNT(*), COALESCE(SUM(CASE WHEN i.email = ? THEN 1 ELSE 0 END), 0) FROM invitations i
			WHERE i.organization_id = ? AND`+pendingInvitation, args{i.Email, i.OrganizationID, i.CreatedAt}, &pending, &same)
		switch {
		case err != nil:
			return err
		case same > 0:
			return fault.New(fault.Conflict, "An invitation to %s already exists; send it again, or revoke it", i.Email)
		case pending >= most:
			return fault.New(fault.Conflict, "%d invitations of this organization can still be accepted; more are not allowed", pending)
		}
		_, err = t.exec(`
			INSERT INTO invitations (id, organization_id, email, role, hash, external_id, invited_by_id, created_at, expires_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			i.ID, i.OrganizationID, i.Email, i.Role.String(), workflow.Hash(i.Hash), optionalText(i.ExternalID), i.InvitedByID, i.CreatedAt, i.ExpiresAt)
		s.record(ctx, t, audit.Entry{
			OrganizationID: i.OrganizationID, Action: audit.Invite, Target: invitationTarget(i.ID), After: invitationSnapshot(i),
		})
		return err
	})
}

// mayInvite refuses to give more than one has.
func mayInvite(t *tx, organization, caller id.ID, role tenant.Role) error {
	has, err := roleOf(&t.view, organization, caller)
	if err != nil {
		return err
	}
	return tenant.CheckChange(has, tenant.RoleNone, role, false)
}

// Invitations implements tenant.InvitationStore.
func (s *Store) Invitations(ctx context.Context, organization id.ID, limit, offset int) ([]tenant.Invitation, error) {
	var found []tenant.Invitation
	err := s.read(ctx, "list invitations", func(v *view) error {
		return v.each(`SELECT `+invitationColumns+` FROM invitations i WHERE i.organization_id = ? ORDER BY i.id DESC LIMIT ? OFFSET ?`,
			args{organization, limit, offset}, func(scan scanner) error {
				var i tenant.Invitation
				var role string
				err := scan(invitationTargets(&i, &role)...)
				i.Role = tenant.RoleNamed(role)
				found = append(found, i)
				return err
			})
	})
	return found, err
}

// openInvitation reads an invitation of an organization that was neither
// accepted nor revoked, and keeps it from changing.
func openInvitation(t *tx, organization, invitation id.ID) (tenant.Invitation, error) {
	i, found, err := readInvitation(&t.view, `WHERE i.id = ? AND i.organization_id = ?`+t.conn.dialect.lock("i"), invitation, organization)
	switch {
	case err != nil:
		return i, err
	case !found:
		return i, fault.New(fault.NotFound, "Invitation not found")
	case i.AcceptedAt != nil:
		return i, fault.New(fault.Invalid, "The invitation was accepted already")
	case i.RevokedAt != nil:
		return i, fault.New(fault.Invalid, "The invitation is revoked already")
	}
	return i, nil
}

// RenewInvitation implements tenant.InvitationStore.
func (s *Store) RenewInvitation(ctx context.Context, r tenant.Renewal) (tenant.Invitation, error) {
	var i tenant.Invitation
	err := s.write(ctx, "renew an invitation", func(t *tx) (err error) {
		if _, err := lockOrganization(t, r.OrganizationID); err != nil {
			return err
		}
		if i, err = openInvitation(t, r.OrganizationID, r.InvitationID); err != nil {
			return err
		}
		if err := mayInvite(t, r.OrganizationID, r.CallerID, i.Role); err != nil {
			return err
		}
		before := i
		i.Hash, i.InvitedByID, i.ExpiresAt = r.Hash, r.CallerID, millisecond(r.ExpiresAt)
		if r.ExternalID != "" {
			i.ExternalID = r.ExternalID
		}
		_, err = t.exec(`UPDATE invitations SET hash = ?, invited_by_id = ?, expires_at = ?, external_id = ? WHERE id = ?`,
			workflow.Hash(r.Hash), r.CallerID, r.ExpiresAt, optionalText(i.ExternalID), i.ID)
		s.record(ctx, t, audit.Entry{
			OrganizationID: i.OrganizationID, Action: audit.Invite, Target: invitationTarget(i.ID),
			Before: invitationSnapshot(before), After: invitationSnapshot(i),
		})
		return err
	})
	return i, err
}

// RevokeInvitation implements tenant.InvitationStore.
func (s *Store) RevokeInvitation(ctx context.Context, organization, invitation id.ID, at time.Time) (tenant.Invitation, error) {
	var i tenant.Invitation
	err := s.write(ctx, "revoke an invitation", func(t *tx) (err error) {
		if i, err = openInvitation(t, organization, invitation); err != nil {
			return err
		}
		_, err = t.exec(`UPDATE invitations SET revoked_at = ? WHERE id = ?`, at, invitation)
		s.record(ctx, t, audit.Entry{
			OrganizationID: organization, Action: audit.RevokeInvitation, Target: invitationTarget(invitation), Before: invitationSnapshot(i),
		})
		return err
	})
	return i, err
}

// InvitationByHash implements tenant.InvitationStore.
func (s *Store) InvitationByHash(ctx context.Context, hash [sha256.Size]byte, now time.Time) (tenant.Offer, error) {
	var o tenant.Offer
	err := s.read(ctx, "look up an invitation", func(v *view) error {
		i, found, err := readInvitation(v, `JOIN organizations o ON o.id = i.organization_id
			WHERE i.hash = ? AND o.deleted_at IS NULL AND`+pendingInvitation, workflow.Hash(hash), now)
		if err == nil && !found {
			err = tenant.ErrNoInvitation()
		}
		if err != nil {
			return err
		}
		o.Invitation = i
		if o.Organization, err = readOrganization(v, `WHERE o.id = ?`, i.OrganizationID); err != nil {
			return err
		}
		by, found, err := readUser(v, `u.id = ?`, i.InvitedByID)
		if found {
			o.By = by.Label()
		}
		return err
	})
	return o, err
}

// AcceptInvitation implements tenant.InvitationStore. Whoever made the invitation
// must still be allowed to: who is removed takes no invitation along.
func (s *Store) AcceptInvitation(ctx context.Context, hash [sha256.Size]byte, user id.ID, at time.Time) (tenant.Organization, tenant.Role, error) {
	var o tenant.Organization
	var role tenant.Role
	err := s.write(ctx, "accept an invitation", func(t *tx) error {
		i, found, err := readInvitation(&t.view, `WHERE i.hash = ?`, workflow.Hash(hash))
		if err == nil && !found {
			err = tenant.ErrNoInvitation()
		}
		if err != nil {
			return err
		}
		// The organization goes before its invitations, as everywhere.
		o, err = lockOrganization(t, i.OrganizationID)
		if fault.Is(err, fault.NotFound) {
			err = tenant.ErrNoInvitation()
		}
		if err != nil {
			return err
		}
		role = i.Role
		if !i.InvitedByID.IsZero() {
			err := mayInvite(t, i.OrganizationID, i.InvitedByID, i.Role)
			if fault.Is(err, fault.Denied) {
				return tenant.ErrNoInvitation()
			}
			if err != nil {
				return err
			}
		}
		n, err := t.exec(`UPDATE invitations SET accepted_at = ? WHERE hash = ? AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > ?`,
			at, workflow.Hash(hash), at)
		if err != nil {
			return err
		}
		if n == 0 {
			return tenant.ErrNoInvitation()
		}
		s.record(ctx, t, audit.Entry{
			OrganizationID: i.OrganizationID, Action: audit.AcceptInvitation, Target: invitationTarget(i.ID), After: invitationSnapshot(i),
		})
		return s.admit(ctx, t, tenant.MemberChange{OrganizationID: i.OrganizationID, UserID: user, Role: i.Role, At: at})
	})
	return o, role, err
}
