package tenant

import (
	"time"

	"github.com/usefloww/flowwd/internal/id"
)

// Person is what an organization shows of a user to its members.
type Person struct {
	ID id.ID
	// Provider and Subject are the user's identity: who vouches for it, and
	// under which name.
	Provider, Subject          string
	Email, FirstName, LastName string
	CreatedAt                  time.Time
}

// Member is a user in an organization.
type Member struct {
	OrganizationID id.ID
	Person         Person
	Role           Role
	CreatedAt      time.Time
}

// Invitation lets somebody with the secret of its link become a member.
type Invitation struct {
	ID             id.ID
	OrganizationID id.ID
	Email          string
	Role           Role
	// Hash is the SHA-256 of the secret.
	Hash [32]byte
	// ExternalID is set when the provider of identities sent it.
	ExternalID            string
	InvitedByID           id.ID
	CreatedAt, ExpiresAt  time.Time
	AcceptedAt, RevokedAt *time.Time
}

// State returns the wire name of what has become of the invitation.
func (i Invitation) State(now time.Time) string {
	switch {
	case i.AcceptedAt != nil:
		return "accepted"
	case i.RevokedAt != nil:
		return "revoked"
	case !now.Before(i.ExpiresAt):
		return "expired"
	default:
		return "pending"
	}
}

// ResourceType is a sort of thing inside an organization that roles can be
// granted on.
type ResourceType string

// The resource types.
const (
	WorkflowResource ResourceType = "workflow"
	FolderResource   ResourceType = "folder"
	ProviderResource ResourceType = "provider"
)

// ResourceRole is a role that reaches no further than one resource and what is
// inside it.
type ResourceRole struct {
	Type ResourceType
	ID   id.ID
	Role Role
}
