package workflow

import (
	"time"

	"github.com/usefloww/flowwd/internal/id"
)

// Workflow is a named piece of user code with its triggers and runs.
type Workflow struct {
	ID             id.ID
	OrganizationID id.ID
	NamespaceID    id.ID
	Name           string
	Description    *string
	// Folders are those around it, the nearest first.
	Folders []id.ID
	// Active says whether its triggers start runs. An event for an inactive
	// workflow is kept and ends as no_deployment.
	Active      bool
	CreatedByID id.ID
	CreatedAt   time.Time
	UpdatedAt   time.Time
	// Version grows with each change of what runs (active deployment,
	// triggers); activating a deployment is conditional on it.
	Version int64
	// ActiveDeployment is nil before the first deployment and after the active
	// one was set inactive.
	ActiveDeployment *ActiveDeployment
}

// FolderID is the folder that it is in; zero at the root of the namespace.
func (w Workflow) FolderID() id.ID { return first(w.Folders) }

// ActiveDeployment is the part of the active deployment that is shown with its
// workflow.
type ActiveDeployment struct {
	ID         id.ID
	DeployedAt time.Time
	Providers  []ProviderRef
}

// Change is a partial update of a workflow; nil fields stay as they are.
type Change struct {
	Name *string
	// Description points to nil to clear the description.
	Description **string
	Active      *bool
	Move        *Move
}

// ListFilter selects a page of workflows.
type ListFilter struct {
	// Organizations bounds what can be seen.
	Organizations []id.ID
	// NamespaceID restricts to one namespace when not zero.
	NamespaceID id.ID
	// FolderID restricts to what is directly in a folder when not zero, and Root to
	// what is in none.
	FolderID id.ID
	Root     bool
	// Search is a case-insensitive part of the name; empty for all.
	Search        string
	Limit, Offset int
}

// Page is one page of workflows and the number there are on all pages.
type Page struct {
	Workflows []Workflow
	Total     int
}
