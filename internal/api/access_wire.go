package api

import (
	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/tenant"
)

type grantAccess struct {
	Body struct {
		PrincipalType string `json:"principalType" doc:"user or service_account"`
		PrincipalID   string `json:"principalId"`
		ResourceType  string `json:"resourceType" doc:"workflow or folder"`
		ResourceID    string `json:"resourceId"`
		Role          string `json:"role" doc:"owner or user, in any case"`
	}
}

type revokeAccess struct {
	PrincipalType string `query:"principalType" required:"true" doc:"user or service_account"`
	PrincipalID   string `query:"principalId" required:"true"`
	ResourceType  string `query:"resourceType" required:"true" doc:"workflow or folder"`
	ResourceID    string `query:"resourceId" required:"true"`
}

type listPrincipals struct {
	ResourceType string `query:"resourceType" required:"true" doc:"workflow or folder"`
	ResourceID   string `query:"resourceId" required:"true"`
}

type listResources struct {
	PrincipalType string `query:"principalType" required:"true" doc:"user or service_account"`
	PrincipalID   string `query:"principalId" required:"true"`
	ResourceType  string `query:"resourceType" doc:"Only resources of this type"`
	Expand        bool   `query:"expand" doc:"List what is inside of folders, too: up to 1000 folders and 1000 workflows"`
}

type explainAccess struct {
	PrincipalType string `query:"principalType" doc:"user or service_account; absent for whoever asks"`
	PrincipalID   string `query:"principalId"`
	Action        string `query:"action" required:"true" doc:"What is to be done, such as workflow.deploy"`
	ResourceType  string `query:"resourceType" required:"true" doc:"workflow, folder or organization"`
	ResourceID    string `query:"resourceId" required:"true"`
}

// grantBody has its members in both spellings, for two generations of clients.
type grantBody struct {
	ID               id.ID              `json:"id"`
	PrincipalType    string             `json:"principalType"`
	PrincipalTypeOld string             `json:"principal_type"`
	PrincipalID      id.ID              `json:"principalId"`
	PrincipalIDOld   id.ID              `json:"principal_id"`
	ResourceType     string             `json:"resourceType"`
	ResourceTypeOld  string             `json:"resource_type"`
	ResourceID       id.ID              `json:"resourceId"`
	ResourceIDOld    id.ID              `json:"resource_id"`
	Role             string             `json:"role"`
	CreatedByID      *id.ID             `json:"createdById" nullable:"true"`
	CreatedAt        timestamp          `json:"createdAt"`
	CreatedAtOld     timestamp          `json:"created_at"`
	PrincipalName    string             `json:"principalName,omitempty" doc:"E-mail or name, for people; in lists"`
	PrincipalNameOld string             `json:"principal_name,omitempty"`
	InheritedFrom    nullable[resource] `json:"inheritedFrom" doc:"The resource that the role was granted on, when it is one that holds this one"`
	InheritedFromOld nullable[resource] `json:"inherited_from"`
}

type resource struct {
	Type string `json:"type"`
	ID   id.ID  `json:"id"`
	Name string `json:"name,omitempty" doc:"Of a folder, where access is explained"`
}

type grantList struct {
	Results []grantBody `json:"results" nullable:"false"`
	Total   int         `json:"total"`
}

type message struct {
	Message string `json:"message"`
	Success bool   `json:"success"`
}

type explanationBody struct {
	Allowed     bool               `json:"allowed"`
	Principal   principalBody      `json:"principal"`
	Action      string             `json:"action"`
	Resource    resource           `json:"resource"`
	Needs       string             `json:"needs" doc:"The smallest role for the action"`
	Role        string             `json:"role" doc:"The role in the organization"`
	Granted     *string            `json:"granted" doc:"The greatest role granted on the resource or on what holds it"`
	GrantedOn   nullable[resource] `json:"grantedOn"`
	WithinScope bool               `json:"withinScope" doc:"Whether the credential is made for the action there"`
	Reasons     []string           `json:"reasons" nullable:"false"`
}

type principalBody struct {
	Type string `json:"type"`
	ID   id.ID  `json:"id"`
}

func showGrant(g access.Grant) grantBody {
	kind, of := string(g.Principal.Type), string(g.Resource.Type)
	created := timestamp(g.CreatedAt)
	return grantBody{
		ID: g.ID, PrincipalType: kind, PrincipalTypeOld: kind, PrincipalID: g.Principal.ID, PrincipalIDOld: g.Principal.ID,
		ResourceType: of, ResourceTypeOld: of, ResourceID: g.Resource.ID, ResourceIDOld: g.Resource.ID,
		Role: access.GrantWord(g.Role), CreatedByID: idOrNull(g.CreatedByID), CreatedAt: created, CreatedAtOld: created,
		PrincipalName: g.PrincipalName, PrincipalNameOld: g.PrincipalName,
	}
}

func showEntries(entries []access.Entry) *grantList {
	list := grantList{Results: make([]grantBody, len(entries)), Total: len(entries)}
	for i, e := range entries {
		body := showGrant(e.Grant)
		if e.InheritedFrom != nil {
			body.InheritedFrom.Value = showLink(*e.InheritedFrom)
			body.InheritedFromOld = body.InheritedFrom
		}
		list.Results[i] = body
	}
	return &list
}

func showLink(l access.Link) *resource { return &resource{Type: string(l.Type), ID: l.ID} }

func showExplanation(e access.Explanation) *explanationBody {
	body := &explanationBody{
		Allowed: e.Allowed, Principal: principalBody{Type: string(e.Principal.Type), ID: e.Principal.ID}, Action: string(e.Action),
		Resource: *showLink(e.Resource), Needs: e.Needs.String(), Role: e.Role.String(), WithinScope: !e.ScopeRefuses, Reasons: e.Reasons,
	}
	if e.Granted != tenant.RoleNone {
		word := access.GrantWord(e.Granted)
		body.Granted, body.GrantedOn.Value = &word, showLink(e.By)
		body.GrantedOn.Value.Name = e.ByName
	}
	return body
}
