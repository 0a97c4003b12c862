package api

import (
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

type workflowBody struct {
	ID             id.ID                    `json:"id"`
	Name           string                   `json:"name"`
	Description    *string                  `json:"description"`
	NamespaceID    id.ID                    `json:"namespaceId"`
	ParentFolderID *id.ID                   `json:"parentFolderId" nullable:"true" doc:"The folder that it is in; null at the root of its namespace"`
	CreatedByID    *id.ID                   `json:"createdById" nullable:"true"`
	CreatedAt      timestamp                `json:"createdAt"`
	UpdatedAt      timestamp                `json:"updatedAt"`
	Active         bool                     `json:"active" doc:"Whether its triggers start runs"`
	LastDeployment nullable[lastDeployment] `json:"lastDeployment"`
	Deployment     *activeDeployment        `json:"activeDeployment,omitempty" doc:"Shown with a single workflow"`
}

type lastDeployment struct {
	DeployedAt timestamp     `json:"deployedAt"`
	Providers  []providerRef `json:"providerDefinitions" nullable:"false"`
}

type providerRef struct {
	Type  string `json:"type"`
	Alias string `json:"alias"`
}

type activeDeployment struct {
	ID         id.ID     `json:"id"`
	DeployedAt timestamp `json:"deployedAt"`
	Status     string    `json:"status"`
}

type workflowList struct {
	Results []workflowBody `json:"results" nullable:"false"`
	Total   int            `json:"total"`
}

type createWorkflow struct {
	Body struct {
		Name           string           `json:"name" minLength:"1" doc:"Unique within the namespace"`
		NamespaceID    string           `json:"namespaceId" doc:"The namespace that the workflow belongs to"`
		Description    optional[string] `json:"description,omitempty"`
		ParentFolderID optional[string] `json:"parentFolderId,omitempty" doc:"The folder that it is put into; absent or null for the root"`
	}
}

type changeWorkflow struct {
	Body struct {
		Name           optional[string] `json:"name,omitempty"`
		Description    optional[string] `json:"description,omitempty" doc:"null removes it"`
		NamespaceID    optional[string] `json:"namespaceId,omitempty" doc:"Can't be changed"`
		ParentFolderID optional[string] `json:"parentFolderId,omitempty" doc:"The folder that it moves into; null for the root"`
		Active         optional[bool]   `json:"active,omitempty"`
	}
}

type listWorkflows struct {
	NamespaceID    string `query:"namespaceId" doc:"Only those of this namespace"`
	ParentFolderID string `query:"parentFolderId" doc:"Only those directly in this folder; the word null for those at the root"`
	FolderID       string `query:"folderId" doc:"The same as parentFolderId"`
	RootOnly       bool   `query:"rootOnly" doc:"Only those at the root, unless a folder is named"`
	Search         string `query:"search" maxLength:"255" doc:"Only those whose name contains this text"`
	Limit          int    `query:"limit" minimum:"1" maximum:"100" default:"50"`
	Offset         int    `query:"offset" minimum:"0" maximum:"1000000"`
}

// showWorkflow shows a workflow as lists do.
func showWorkflow(w workflow.Workflow) workflowBody {
	body := workflowBody{
		ID: w.ID, Name: w.Name, Description: w.Description, NamespaceID: w.NamespaceID, ParentFolderID: idOrNull(w.FolderID()),
		CreatedByID: idOrNull(w.CreatedByID), CreatedAt: timestamp(w.CreatedAt), UpdatedAt: timestamp(w.UpdatedAt),
		Active: w.Active,
	}
	if active := w.ActiveDeployment; active != nil {
		last := &lastDeployment{DeployedAt: timestamp(active.DeployedAt), Providers: []providerRef{}}
		for _, p := range active.Providers {
			last.Providers = append(last.Providers, providerRef(p))
		}
		body.LastDeployment.Value = last
	}
	return body
}

// showOneWorkflow shows a workflow with its active deployment.
func showOneWorkflow(w workflow.Workflow) *workflowBody {
	body := showWorkflow(w)
	if active := w.ActiveDeployment; active != nil {
		body.Deployment = &activeDeployment{ID: active.ID, DeployedAt: timestamp(active.DeployedAt), Status: "ACTIVE"}
	}
	return &body
}
