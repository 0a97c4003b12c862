package api

import (
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
)

type listUsers struct {
	Search   string `query:"search" maxLength:"320" doc:"A part of an e-mail, a login, a name or a subject, or a whole id"`
	Page     int    `query:"page" minimum:"1" maximum:"100000" default:"1"`
	PageSize int    `query:"pageSize" minimum:"1" maximum:"100" default:"25"`
}

type userList struct {
	Items    []userBody `json:"items" nullable:"false"`
	Total    int        `json:"total"`
	Page     int        `json:"page"`
	PageSize int        `json:"pageSize"`
}

type userBody struct {
	ID        id.ID   `json:"id"`
	Provider  string  `json:"provider" doc:"Who vouches for the person"`
	Subject   string  `json:"subject" doc:"What the provider calls the person, and what ADMIN_USER_IDS can name"`
	Login     *string `json:"login" doc:"What the person types to log in with a password"`
	Email     *string `json:"email"`
	FirstName *string `json:"firstName"`
	LastName  *string `json:"lastName"`
	IsAdmin   bool    `json:"isAdmin" doc:"Whether the person is an administrator of the installation"`
	// AdminBySettings cannot be taken away here.
	AdminBySettings bool       `json:"isAdminBySettings" doc:"Whether ADMIN_USER_IDS names the person"`
	Disabled        bool       `json:"disabled"`
	DisabledAt      *timestamp `json:"disabledAt" nullable:"true"`
	SeenAt          *timestamp `json:"seenAt" nullable:"true" doc:"When a login of the person was last used, to the minute"`
	CreatedAt       timestamp  `json:"createdAt"`
	UpdatedAt       timestamp  `json:"updatedAt"`
}

type changeUser struct {
	Body struct {
		Disabled *bool `json:"disabled,omitempty"`
		IsAdmin  *bool `json:"isAdmin,omitempty"`
	}
}

type signedOut struct {
	Ended int `json:"ended" doc:"How many logins there were"`
}

func (o administrationOperations) show(u identity.User) userBody {
	named := o.Administration.IsApproved(u)
	return userBody{
		ID: u.ID, Provider: u.Provider, Subject: u.Subject, Login: textOrNull(u.Login), Email: textOrNull(u.Email),
		FirstName: textOrNull(u.FirstName), LastName: textOrNull(u.LastName), IsAdmin: u.Admin || named, AdminBySettings: named,
		Disabled: u.DisabledAt != nil, DisabledAt: timestampOrNull(u.DisabledAt), SeenAt: timestampOrNull(u.SeenAt),
		CreatedAt: timestamp(u.CreatedAt), UpdatedAt: timestamp(u.UpdatedAt),
	}
}
