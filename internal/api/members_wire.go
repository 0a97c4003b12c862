package api

import (
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/tenant"
)

// memberBody serves several generations of clients: 10.1 of
// identity-realtime-admin.md of the wire contract.
type memberBody struct {
	ID           id.ID     `json:"id" doc:"The user's id: within an organization it names the member"`
	UserID       id.ID     `json:"userId"`
	UserIDOld    id.ID     `json:"user_id"`
	Role         string    `json:"role" doc:"viewer, member, admin or owner"`
	CreatedAt    timestamp `json:"createdAt" doc:"When the user became a member"`
	CreatedAtOld timestamp `json:"created_at"`
	User         person    `json:"user"`
}

type person struct {
	ID              id.ID     `json:"id"`
	WorkOSUserID    string    `json:"workosUserId" doc:"The provider's name for the user, whoever the provider is"`
	WorkOSUserIDOld string    `json:"workos_user_id"`
	Email           *string   `json:"email"`
	FirstName       *string   `json:"firstName"`
	FirstNameOld    *string   `json:"first_name"`
	LastName        *string   `json:"lastName"`
	LastNameOld     *string   `json:"last_name"`
	CreatedAt       timestamp `json:"createdAt"`
	CreatedAtOld    timestamp `json:"created_at"`
}

// memberList is a bare array, as clients want it.
type memberList []memberBody

type listMembers struct {
	Limit  int `query:"limit" minimum:"1" maximum:"1000" default:"1000"`
	Offset int `query:"offset" minimum:"0" maximum:"1000000"`
}

type addMember struct {
	Body struct {
		UserID string `json:"userId"`
		Role   string `json:"role,omitempty" doc:"viewer, member, admin or owner; member when absent"`
	}
}

type changeMember struct {
	Body struct {
		Role string `json:"role" doc:"viewer, member, admin or owner"`
	}
}

func showMember(m tenant.Member) memberBody {
	p := m.Person
	email, first, last := textOrNull(p.Email), textOrNull(p.FirstName), textOrNull(p.LastName)
	return memberBody{
		ID: p.ID, UserID: p.ID, UserIDOld: p.ID, Role: m.Role.String(),
		CreatedAt: timestamp(m.CreatedAt), CreatedAtOld: timestamp(m.CreatedAt),
		User: person{
			ID: p.ID, WorkOSUserID: p.Subject, WorkOSUserIDOld: p.Subject, Email: email,
			FirstName: first, FirstNameOld: first, LastName: last, LastNameOld: last,
			CreatedAt: timestamp(p.CreatedAt), CreatedAtOld: timestamp(p.CreatedAt),
		},
	}
}
