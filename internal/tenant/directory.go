package tenant

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

// Directory is a provider of identities that keeps organizations, their members
// and invitations itself. Each method asks it over the network; what it calls
// things are texts that only it understands.
type Directory interface {
	// Provider is the name of its identities, as identity.Way has it.
	Provider() string
	// CreateOrganization makes the counterpart of an organization, or finds the
	// one that was made before.
	CreateOrganization(ctx context.Context, o Organization) (external string, err error)
	// Invite has it send an invitation.
	Invite(ctx context.Context, external string, i Invitation) (DirectoryInvitation, error)
	// Invitations returns what became of the invitations of an organization.
	Invitations(ctx context.Context, external string) (map[string]DirectoryState, error)
	// RevokeInvitation revokes an invitation; nil when that was done before.
	RevokeInvitation(ctx context.Context, invitation string) error
	// Members returns a page of the people of an organization. After is empty for
	// the first page, next is empty after the last.
	Members(ctx context.Context, external, after string) (page []DirectoryMember, next string, err error)
	// Portal returns a link to where an admin sets up single sign-on.
	Portal(ctx context.Context, external string, r PortalRequest) (link string, err error)
}

// DirectoryInvitation is an invitation that a directory sent.
type DirectoryInvitation struct {
	ExternalID string
	// Link is where it is accepted; empty when only the receiver is told.
	Link string
}

// DirectoryState is what became of an invitation at a directory.
type DirectoryState uint8

// The states. The zero state leaves the invitation as it is.
const (
	DirectoryPending DirectoryState = iota
	DirectoryAccepted
	DirectoryRevoked
)

// DirectoryMember is somebody in an organization of a directory.
type DirectoryMember struct {
	Subject, Email, FirstName, LastName string
	// Role is at most RoleAdmin: owners are made here alone.
	Role Role
}

// Import is somebody who becomes a member because a directory says so.
type Import struct {
	// UserID is for a user that is not known yet.
	UserID   id.ID
	Provider string
	DirectoryMember
}

// PortalFeatures are what an admin can set up at a directory.
func PortalFeatures() []string { return []string{"sso", "domain_verification"} }

// PortalRequest asks for a link to where an admin sets something up.
type PortalRequest struct {
	// Feature is one of PortalFeatures.
	Feature               string
	ReturnURL, SuccessURL string
}

// maxImported bounds the people that one synchronization brings.
const maxImported = 10_000

// HasDirectory reports whether a directory keeps members and invitations.
func (s *Invitations) HasDirectory() bool { return s.Directory != nil }

// Sync makes the people of a directory's organization members of the
// organization, and returns how many came. Nobody is removed, and the roles of
// those who are members already stay.
func (s *Invitations) Sync(ctx context.Context, o Organization) (int, error) {
	if s.Single {
		return 0, errSingle()
	}
	if s.Directory == nil {
		return 0, nil
	}
	external, err := s.counterpart(ctx, o)
	if err != nil {
		return 0, err
	}
	total, seen := 0, 0
	for after := ""; seen < maxImported; {
		page, next, err := s.Directory.Members(ctx, external, after)
		if err != nil {
			return total, fmt.Errorf("read the members at the provider: %w", err)
		}
		imports := make([]Import, len(page))
		for i, m := range page {
			m.Role = min(max(m.Role, RoleViewer), RoleAdmin)
			imports[i] = Import{UserID: s.IDs.New(), Provider: s.Directory.Provider(), DirectoryMember: m}
		}
		came, err := s.Store.ImportMembers(ctx, o.ID, imports, s.Now())
		total, seen = total+came, seen+len(page)
		if err != nil || next == "" || next == after {
			return total, err
		}
		after = next
	}
	return total, nil
}

// Portal returns a link to where an admin sets up single sign-on; empty without
// a directory.
func (s *Invitations) Portal(ctx context.Context, o Organization, r PortalRequest) (string, error) {
	if s.Single {
		return "", errSingle()
	}
	if s.Directory == nil {
		return "", nil
	}
	external, err := s.counterpart(ctx, o)
	if err != nil {
		return "", err
	}
	link, err := s.Directory.Portal(ctx, external, r)
	if err != nil {
		return "", fmt.Errorf("ask the provider for a link to set up single sign-on: %w", err)
	}
	return link, nil
}

// counterpart returns what the directory calls an organization, which is made
// there when it is needed first.
func (s *Invitations) counterpart(ctx context.Context, o Organization) (string, error) {
	if o.WorkOSID != "" {
		return o.WorkOSID, nil
	}
	external, err := s.Directory.CreateOrganization(ctx, o)
	if err != nil {
		return "", fmt.Errorf("make the organization at the provider: %w", err)
	}
	return external, s.Store.NameOrganization(ctx, o.ID, external, s.Now())
}

// inviteThere has the directory send an invitation. It is kept here as well, so
// that it is listed and revoked like others; its secret is known to nobody.
func (s *Invitations) inviteThere(ctx context.Context, o Organization, i Invitation) (Invited, error) {
	if i.Role == RoleOwner {
		return Invited{}, fault.New(fault.Invalid, "role: the provider can't make owners; invite an admin, and make them an owner when they are here")
	}
	external, err := s.counterpart(ctx, o)
	if err != nil {
		return Invited{}, err
	}
	if err := s.Store.Invite(ctx, i, MaxInvitations); err != nil {
		return Invited{}, fmt.Errorf("store an invitation: %w", err)
	}
	return s.sendThere(ctx, external, i, Renewal{
		OrganizationID: o.ID, InvitationID: i.ID, CallerID: i.InvitedByID, Hash: i.Hash, At: i.CreatedAt, ExpiresAt: i.ExpiresAt,
	})
}

// resendThere replaces an invitation at the directory.
func (s *Invitations) resendThere(ctx context.Context, o Organization, r Renewal) (Invited, error) {
	external, err := s.counterpart(ctx, o)
	if err != nil {
		return Invited{}, err
	}
	i, err := s.Store.RenewInvitation(ctx, r)
	if err != nil {
		return Invited{}, err
	}
	if i.ExternalID != "" {
		if err := s.Directory.RevokeInvitation(ctx, i.ExternalID); err != nil {
			return Invited{}, fmt.Errorf("revoke an invitation at the provider: %w", err)
		}
	}
	return s.sendThere(ctx, external, i, r)
}

// sendThere has the directory send an invitation that is stored, and takes it
// back when that fails.
func (s *Invitations) sendThere(ctx context.Context, external string, i Invitation, r Renewal) (Invited, error) {
	sent, err := s.Directory.Invite(ctx, external, i)
	if err != nil {
		_, undone := s.Store.RevokeInvitation(context.WithoutCancel(ctx), i.OrganizationID, i.ID, r.At)
		return Invited{}, errors.Join(fmt.Errorf("invite somebody through the provider: %w", err), undone)
	}
	r.ExternalID = sent.ExternalID
	i, err = s.Store.RenewInvitation(ctx, r)
	return Invited{Invitation: i, Link: sent.Link, Mail: MailSent}, err
}

// settle brings the invitations up to what the directory says. When it does not
// answer, they are shown as they were.
func (s *Invitations) settle(ctx context.Context, o Organization) {
	if s.Directory == nil || o.WorkOSID == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	states, err := s.Directory.Invitations(ctx, o.WorkOSID)
	if err == nil {
		err = s.Store.SettleInvitations(ctx, o.ID, states, s.Now())
	}
	if err != nil {
		s.Log.WarnContext(ctx, "what became of invitations at the provider is not known", "organization", o.ID, "error", err)
	}
}

// settleTimeout bounds the wait for a directory before a list is shown.
const settleTimeout = 5 * time.Second
