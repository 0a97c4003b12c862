package api

import (
	"time"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/tenant"
)

// accountBody has its members in both spellings, for two generations of clients.
type accountBody struct {
	ID                id.ID     `json:"id"`
	Name              string    `json:"name"`
	Role              string    `json:"role"`
	OrganizationID    id.ID     `json:"organizationId"`
	OrganizationIDOld id.ID     `json:"organization_id"`
	CreatedByID       *id.ID    `json:"createdById" nullable:"true"`
	CreatedAt         timestamp `json:"createdAt"`
	CreatedAtOld      timestamp `json:"created_at"`
	Keys              []keyBody `json:"apiKeys" nullable:"false"`
	KeysOld           []keyBody `json:"api_keys" nullable:"false"`
}

type keyBody struct {
	ID              id.ID      `json:"id"`
	Name            string     `json:"name"`
	Prefix          string     `json:"prefix" doc:"The beginning of the key"`
	CreatedAt       timestamp  `json:"createdAt"`
	CreatedAtOld    timestamp  `json:"created_at"`
	LastUsedAt      *timestamp `json:"lastUsedAt" doc:"To the minute"`
	LastUsedAtOld   *timestamp `json:"last_used_at"`
	ExpiresAt       *timestamp `json:"expiresAt"`
	ExpiresAtOld    *timestamp `json:"expires_at"`
	RevokedAt       *timestamp `json:"revokedAt"`
	RevokedAtOld    *timestamp `json:"revoked_at"`
	Scope           []string   `json:"scope" nullable:"true" doc:"What the key may do of what its account may; null for all"`
	WorkflowID      *id.ID     `json:"workflowId" nullable:"true" doc:"The only workflow that the key is for"`
	WorkflowIDOld   *id.ID     `json:"workflow_id" nullable:"true"`
	FolderID        *id.ID     `json:"folderId" nullable:"true" doc:"The folder whose workflows the key is for alone"`
	FolderIDOld     *id.ID     `json:"folder_id" nullable:"true"`
	ReplacedByID    *id.ID     `json:"replacedById" nullable:"true" doc:"The key that follows this one"`
	ReplacedByIDOld *id.ID     `json:"replaced_by_id" nullable:"true"`
	Text            string     `json:"apiKey,omitempty" doc:"The key itself, shown only when it is made"`
	TextOld         string     `json:"api_key,omitempty"`
	Previous        *keyBody   `json:"previous,omitempty" doc:"The key that this one was just made to follow"`
}

type accountList struct {
	Results []accountBody `json:"results" nullable:"false"`
	Total   int           `json:"total"`
}

type createAccount struct {
	Body struct {
		Name           string           `json:"name" minLength:"1" doc:"What the account is for"`
		OrganizationID string           `json:"organizationId"`
		Role           optional[string] `json:"role,omitempty" doc:"viewer, member or admin, in any case, not above your own; member when absent"`
	}
}

type changeAccount struct {
	Body struct {
		Name optional[string] `json:"name,omitempty"`
		Role optional[string] `json:"role,omitempty" doc:"viewer, member or admin, in any case, not above your own"`
	}
}

type listAccounts struct {
	OrganizationID string `query:"organizationId" required:"true" doc:"The organization whose accounts are listed"`
	Limit          int    `query:"limit" minimum:"1" maximum:"200" default:"200"`
	Offset         int    `query:"offset" minimum:"0" maximum:"1000000"`
}

type createKey struct {
	Body struct {
		Name       string              `json:"name" minLength:"1" doc:"What the key is for"`
		ExpiresAt  optional[time.Time] `json:"expiresAt,omitempty" doc:"When the key stops working; absent for never"`
		Scope      optional[[]string]  `json:"scope,omitempty" doc:"Make the key for less than its account may: read, deploy, invoke"`
		WorkflowID optional[string]    `json:"workflowId,omitempty" doc:"Make the key for this workflow alone"`
		FolderID   optional[string]    `json:"folderId,omitempty" doc:"Make the key for this folder and what is in it alone"`
	}
}

type rotateKey struct {
	Body *struct {
		OverlapSeconds optional[int64]     `json:"overlapSeconds,omitempty" doc:"How long the old key works beside the new one: a day when absent, at most 30 days, 0 to end it at once"`
		ExpiresAt      optional[time.Time] `json:"expiresAt,omitempty" doc:"When the new key stops working; absent for when the old one would have"`
	}
}

func showAccount(a identity.Account) *accountBody {
	keys := make([]keyBody, len(a.Keys))
	for i, k := range a.Keys {
		keys[i] = showKey(k)
	}
	return &accountBody{
		ID: a.ID, Name: a.Name, Role: a.Role.String(), OrganizationID: a.OrganizationID, OrganizationIDOld: a.OrganizationID,
		CreatedByID: idOrNull(a.CreatedByID), CreatedAt: timestamp(a.CreatedAt), CreatedAtOld: timestamp(a.CreatedAt),
		Keys: keys, KeysOld: keys,
	}
}

func showKey(k identity.APIKey) keyBody {
	created, used := timestamp(k.CreatedAt), timestampOrNull(k.LastUsedAt)
	expires, revoked, replaced := timestampOrNull(k.ExpiresAt), timestampOrNull(k.RevokedAt), idOrNull(k.ReplacedByID)
	body := keyBody{
		ID: k.ID, Name: k.Name, Prefix: k.Prefix, CreatedAt: created, CreatedAtOld: created, LastUsedAt: used, LastUsedAtOld: used,
		ExpiresAt: expires, ExpiresAtOld: expires, RevokedAt: revoked, RevokedAtOld: revoked, ReplacedByID: replaced, ReplacedByIDOld: replaced,
	}
	if k.Scope != nil {
		alone := idOrNull(k.Scope.ID)
		if k.Scope.Type == tenant.FolderResource {
			body.FolderID, body.FolderIDOld = alone, alone
		} else {
			body.WorkflowID, body.WorkflowIDOld = alone, alone
		}
		if len(k.Scope.Actions) > 0 {
			body.Scope = k.Scope.Actions
		}
	}
	return body
}
