package tenant

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/mail"
	"net/url"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

// Bounds of invitations.
const (
	// MaxInvitations bounds a page of invitations, and those of one organization
	// that can be accepted.
	MaxInvitations = 500
	// DefaultInvitationDays and MaxInvitationDays are how long a link works.
	DefaultInvitationDays = 7
	MaxInvitationDays     = 30
	maxEmail              = 320

	tokenPrefix = "floww_inv_"
	tokenBytes  = 32
)

// InvitationStore keeps invitations. Each method is one atomic unit.
type InvitationStore interface {
	// Invite stores an invitation; fault.Denied when its role is above the one
	// of who invites, fault.Conflict when the address has one that can be
	// accepted.
	Invite(ctx context.Context, i Invitation, most int) error
	// Invitations returns a page of an organization's invitations, the newest
	// first.
	Invitations(ctx context.Context, organization id.ID, limit, offset int) ([]Invitation, error)
	// RenewInvitation gives an invitation another secret, time and inviter, and
	// returns it; fault.Invalid when it was accepted or revoked.
	RenewInvitation(ctx context.Context, r Renewal) (Invitation, error)
	// RevokeInvitation revokes an invitation of an organization and returns it.
	RevokeInvitation(ctx context.Context, organization, invitation id.ID, at time.Time) (Invitation, error)
	// InvitationByHash returns an invitation that can be accepted, with its
	// organization and who made it.
	InvitationByHash(ctx context.Context, hash [sha256.Size]byte, now time.Time) (Offer, error)
	// AcceptInvitation makes a user a member by an invitation, once.
	AcceptInvitation(ctx context.Context, hash [sha256.Size]byte, user id.ID, at time.Time) (Organization, Role, error)

	// NameOrganization stores what the provider of identities calls it.
	NameOrganization(ctx context.Context, organization id.ID, external string, at time.Time) error
	// SettleInvitations notes what became of invitations at the provider, by
	// their names there.
	SettleInvitations(ctx context.Context, organization id.ID, states map[string]DirectoryState, at time.Time) error
	// ImportMembers makes people of a provider members, and users where they are
	// not yet, and returns how many are new members.
	ImportMembers(ctx context.Context, organization id.ID, people []Import, at time.Time) (int, error)
}

// Renewal gives an invitation a new secret.
type Renewal struct {
	OrganizationID, InvitationID, CallerID id.ID
	Hash                                   [sha256.Size]byte
	ExternalID                             string
	At, ExpiresAt                          time.Time
}

// Offer is an invitation as its receiver sees it.
type Offer struct {
	Invitation   Invitation
	Organization Organization
	// By names who made it; empty when that user is gone or none.
	By string
}

// Invited is a new invitation with what is said once.
type Invited struct {
	Invitation Invitation
	// Link is for the receiver alone.
	Link string
	Mail MailState
}

// MailState is what became of an invitation's mail.
type MailState string

// The states. MailNone says that no mail server is set up.
const (
	MailNone   MailState = "none"
	MailSent   MailState = "sent"
	MailFailed MailState = "failed"
)

// Letter is a mail to be sent.
type Letter struct{ To, Subject, Text, HTML string }

// Invitations invites people. An invitation is a link with a secret: who has
// the link may join. The address is where it is sent, and never tells who
// somebody is.
type Invitations struct {
	Store InvitationStore
	// Single says that everybody is in the one organization by themselves.
	Single bool
	// PublicURL returns the address of the pages, without a slash at its end.
	PublicURL func() string
	// Send sends a mail; nil when no mail server is set up.
	Send func(ctx context.Context, l Letter) error
	// Directory sends the invitations instead; nil for none.
	Directory Directory
	IDs       *id.Source
	Now       func() time.Time
	Log       *slog.Logger
}

// Request is an invitation that somebody asks for.
type Request struct {
	Caller       Caller
	CallerName   string
	Organization Organization
	Email        string
	Role         Role
	// Days is how long the link works; 0 for DefaultInvitationDays.
	Days int
}

// Invite makes an invitation and sends it. One that could not be sent is valid:
// the link can be passed on by hand.
func (s *Invitations) Invite(ctx context.Context, r Request) (Invited, error) {
	if s.Single {
		return Invited{}, errSingle()
	}
	email, err := checkEmail(r.Email)
	if err != nil {
		return Invited{}, err
	}
	until, err := s.until(r.Days)
	if err != nil {
		return Invited{}, err
	}
	if r.Role > r.Caller.Role {
		return Invited{}, fault.New(fault.Denied, textNeedsOwner)
	}
	token, hash, err := newToken()
	if err != nil {
		return Invited{}, err
	}
	i := Invitation{
		ID: s.IDs.New(), OrganizationID: r.Organization.ID, Email: email, Role: r.Role, Hash: hash,
		InvitedByID: r.Caller.ID, CreatedAt: s.Now(), ExpiresAt: until,
	}
	if s.Directory != nil {
		return s.inviteThere(ctx, r.Organization, i)
	}
	if err := s.Store.Invite(ctx, i, MaxInvitations); err != nil {
		return Invited{}, fmt.Errorf("store an invitation: %w", err)
	}
	return s.deliver(ctx, i, token, r), nil
}

// Resend gives an invitation that was not accepted or revoked a new link, and
// sends it. The old link no longer works.
func (s *Invitations) Resend(ctx context.Context, r Request, invitation id.ID) (Invited, error) {
	if s.Single {
		return Invited{}, errSingle()
	}
	until, err := s.until(r.Days)
	if err != nil {
		return Invited{}, err
	}
	token, hash, err := newToken()
	if err != nil {
		return Invited{}, err
	}
	renewal := Renewal{
		OrganizationID: r.Organization.ID, InvitationID: invitation, CallerID: r.Caller.ID, Hash: hash, At: s.Now(), ExpiresAt: until,
	}
	if s.Directory != nil {
		return s.resendThere(ctx, r.Organization, renewal)
	}
	i, err := s.Store.RenewInvitation(ctx, renewal)
	if err != nil {
		return Invited{}, err
	}
	return s.deliver(ctx, i, token, r), nil
}

// List returns a page of invitations, the newest first.
func (s *Invitations) List(ctx context.Context, o Organization, limit, offset int) ([]Invitation, error) {
	s.settle(ctx, o)
	return s.Store.Invitations(ctx, o.ID, limit, offset)
}

// Revoke makes an invitation's link useless.
func (s *Invitations) Revoke(ctx context.Context, organization, invitation id.ID) error {
	if s.Single {
		return errSingle()
	}
	i, err := s.Store.RevokeInvitation(ctx, organization, invitation, s.Now())
	if err != nil || s.Directory == nil || i.ExternalID == "" {
		return err
	}
	if err := s.Directory.RevokeInvitation(ctx, i.ExternalID); err != nil {
		return fmt.Errorf("revoke an invitation at the provider: %w", err)
	}
	return nil
}

// Look returns what a link offers.
func (s *Invitations) Look(ctx context.Context, token string) (Offer, error) {
	hash, err := readToken(token)
	if err != nil {
		return Offer{}, err
	}
	return s.Store.InvitationByHash(ctx, hash, s.Now())
}

// Accept makes a user a member by a link.
func (s *Invitations) Accept(ctx context.Context, user id.ID, token string) (Organization, Role, error) {
	if s.Single {
		return Organization{}, RoleNone, errSingle()
	}
	hash, err := readToken(token)
	if err != nil {
		return Organization{}, RoleNone, err
	}
	return s.Store.AcceptInvitation(ctx, hash, user, s.Now())
}

// deliver sends an invitation.
func (s *Invitations) deliver(ctx context.Context, i Invitation, token string, r Request) Invited {
	made := Invited{Invitation: i, Link: s.PublicURL() + "/invite?token=" + url.QueryEscape(token), Mail: MailNone}
	if s.Send == nil {
		return made
	}
	made.Mail = MailSent
	if err := s.Send(ctx, invitationLetter(i, r.Organization, r.CallerName, made.Link)); err != nil {
		s.Log.ErrorContext(ctx, "an invitation was not sent; its link is valid", "invitation", i.ID, "error", err)
		made.Mail = MailFailed
	}
	return made
}

func (s *Invitations) until(days int) (time.Time, error) {
	if days == 0 {
		days = DefaultInvitationDays
	}
	if days < 1 || days > MaxInvitationDays {
		return time.Time{}, fault.New(fault.Invalid, "an invitation is valid for 1 to %d days", MaxInvitationDays)
	}
	return s.Now().Add(time.Duration(days) * 24 * time.Hour), nil
}

func checkEmail(text string) (string, error) {
	text = strings.TrimSpace(text)
	address, err := mail.ParseAddress(text)
	if err != nil || address.Address != text || len(text) > maxEmail || strings.ContainsAny(text, "\r\n") {
		return "", fault.New(fault.Invalid, "email: must be an address such as ada@example.com")
	}
	return text, nil
}

// newToken makes the secret of a link. 256 random bits need no slow hash.
func newToken() (token string, hash [sha256.Size]byte, err error) {
	var b [tokenBytes]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", hash, fmt.Errorf("make an invitation's secret: %w", err)
	}
	token = tokenPrefix + base64.RawURLEncoding.EncodeToString(b[:])
	return token, sha256.Sum256([]byte(token)), nil
}

func readToken(token string) (hash [sha256.Size]byte, err error) {
	if !strings.HasPrefix(token, tokenPrefix) {
		return hash, ErrNoInvitation()
	}
	return sha256.Sum256([]byte(token)), nil
}

// ErrNoInvitation says that a link offers nothing, and not why: it may be
// guessed.
func ErrNoInvitation() error {
	return fault.New(fault.NotFound, "This invitation is not valid: it was used, revoked or has expired, or the link is not complete. Ask for a new one")
}
