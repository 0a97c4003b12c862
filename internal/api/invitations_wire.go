package api

import (
	"time"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/tenant"
)

type invitationBody struct {
	ID           id.ID      `json:"id"`
	Email        string     `json:"email" doc:"Where it was sent; it does not bind who accepts it"`
	Role         string     `json:"role"`
	State        string     `json:"state" doc:"pending, accepted, revoked or expired"`
	InvitedByID  *id.ID     `json:"invitedById" nullable:"true"`
	CreatedAt    timestamp  `json:"createdAt"`
	CreatedAtOld timestamp  `json:"created_at"`
	ExpiresAt    timestamp  `json:"expiresAt"`
	ExpiresAtOld timestamp  `json:"expires_at"`
	AcceptedAt   *timestamp `json:"acceptedAt"`
	RevokedAt    *timestamp `json:"revokedAt"`
}

// invitationList is a bare array, as clients want it.
type invitationList []invitationBody

// invitedBody is an invitation with what is said once.
type invitedBody struct {
	invitationBody
	URL    string `json:"invitationUrl" doc:"The link, shown this once; empty when the provider tells only the receiver"`
	URLOld string `json:"invitation_url"`
	Mail   string `json:"mail" doc:"sent; failed, and the link must be passed on; none, when no mail server is set up"`
}

type listInvitations struct {
	Limit  int `query:"limit" minimum:"1" maximum:"500" default:"500"`
	Offset int `query:"offset" minimum:"0" maximum:"1000000"`
}

type inviteSomebody struct {
	Body struct {
		Email         string `json:"email"`
		Role          string `json:"role,omitempty" doc:"viewer, member, admin or owner, at most your own; member when absent"`
		ExpiresInDays int    `json:"expiresInDays,omitempty" minimum:"1" maximum:"30" doc:"7 when absent"`
	}
}

type resendInvitation struct {
	ExpiresInDays int `query:"expiresInDays" minimum:"1" maximum:"30" default:"7"`
}

type acceptInvitation struct {
	Body struct {
		Token string `json:"token" maxLength:"255" doc:"What stands behind token= in the link"`
	}
}

func showInvitation(i tenant.Invitation, now time.Time) invitationBody {
	return invitationBody{
		ID: i.ID, Email: i.Email, Role: i.Role.String(), State: i.State(now), InvitedByID: idOrNull(i.InvitedByID),
		CreatedAt: timestamp(i.CreatedAt), CreatedAtOld: timestamp(i.CreatedAt),
		ExpiresAt: timestamp(i.ExpiresAt), ExpiresAtOld: timestamp(i.ExpiresAt),
		AcceptedAt: timestampOrNull(i.AcceptedAt), RevokedAt: timestampOrNull(i.RevokedAt),
	}
}
