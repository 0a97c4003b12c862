package objects

import (
	"context"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/secret"
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Load finds an object by its id in the organizations that the caller is in;
// fault.NotFound when there is none.
type Load[T any] func(ctx context.Context, organizations []id.ID, object id.ID) (T, error)

// Namespace is what {id} names.
func Namespace(load Load[tenant.Namespace]) route.Object[tenant.Namespace] {
	return route.Object[tenant.Namespace]{
		What: "Namespace", Param: "id", Load: load,
		Resource: func(n tenant.Namespace) access.Resource { return access.Resource{OrganizationID: n.OrganizationID} },
	}
}

// Organization is what {id} names. Child is the name of a second id in the path;
// empty for none.
func Organization(load Load[tenant.Organization], child string) route.Object[tenant.Organization] {
	return route.Object[tenant.Organization]{
		What: "Organization", Param: "id", Child: child, Load: load,
		Resource: func(o tenant.Organization) access.Resource { return access.Resource{OrganizationID: o.ID} },
	}
}

// Workflow is what {id} names.
func Workflow(load Load[workflow.Workflow]) route.Object[workflow.Workflow] {
	return route.Object[workflow.Workflow]{What: "Workflow", Param: "id", Load: load, Resource: OfWorkflow}
}

// OfWorkflow is a workflow as something that roles are granted on.
func OfWorkflow(w workflow.Workflow) access.Resource {
	return access.InWorkflow(w.OrganizationID, w.ID, w.Folders, "Workflow")
}

// Folder is what {id} names.
func Folder(load Load[workflow.Folder]) route.Object[workflow.Folder] {
	return route.Object[workflow.Folder]{What: "Folder", Param: "id", Load: load, Resource: OfFolder}
}

// OfFolder is a folder as something that roles are granted on.
func OfFolder(f workflow.Folder) access.Resource {
	return access.InFolder(f.OrganizationID, f.Inside(), "Folder")
}

// Account is the service account that {id} names. Child is the name of a second id
// in the path; empty for none.
func Account(load Load[identity.Account], child string) route.Object[identity.Account] {
	return route.Object[identity.Account]{
		What: "Service account", Param: "id", Child: child, Load: load,
		Resource: func(a identity.Account) access.Resource {
			return access.Resource{OrganizationID: a.OrganizationID, What: "Service account"}
		},
	}
}

// Secret is what {id} names.
func Secret(load Load[secret.Secret]) route.Object[secret.Secret] {
	return route.Object[secret.Secret]{
		What: "Secret", Param: "id", Load: load,
		Resource: func(s secret.Secret) access.Resource { return access.Resource{OrganizationID: s.OrganizationID} },
	}
}

// Deployment is what {id} names.
func Deployment(load Load[workflow.Deployment]) route.Object[workflow.Deployment] {
	return within("Deployment", load, func(x workflow.Deployment) (id.ID, id.ID, []id.ID) { return x.OrganizationID, x.WorkflowID, x.Folders })
}

// Trigger is what {id} names.
func Trigger(load Load[workflow.Trigger]) route.Object[workflow.Trigger] {
	return within("Trigger", load, func(x workflow.Trigger) (id.ID, id.ID, []id.ID) { return x.OrganizationID, x.WorkflowID, x.Folders })
}

// Execution is what {id} names.
func Execution(load Load[execution.Execution]) route.Object[execution.Execution] {
	return within("Execution", load, func(x execution.Execution) (id.ID, id.ID, []id.ID) { return x.OrganizationID, x.WorkflowID, x.Folders })
}

// Batch is what {id} names.
func Batch(load Load[execution.Batch]) route.Object[execution.Batch] {
	return within("Batch", load, func(x execution.Batch) (id.ID, id.ID, []id.ID) {
		return x.OrganizationID, x.Filter.WorkflowID, x.Folders
	})
}

// within is something of a workflow, which roles on that workflow count for.
func within[T any](what string, load Load[T], of func(T) (organization, workflow id.ID, folders []id.ID)) route.Object[T] {
	return route.Object[T]{
		What: what, Param: "id", Load: load,
		Resource: func(x T) access.Resource {
			organization, workflow, folders := of(x)
			return access.InWorkflow(organization, workflow, folders, what)
		},
	}
}
