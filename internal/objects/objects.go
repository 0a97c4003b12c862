package objects

import (
	"context"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/route"
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

// Deployment is what {id} names.
func Deployment(load Load[workflow.Deployment]) route.Object[workflow.Deployment] {
	return route.Object[workflow.Deployment]{
		What: "Deployment", Param: "id", Load: load,
		Resource: func(x workflow.Deployment) access.Resource {
			return access.InWorkflow(x.OrganizationID, x.WorkflowID, x.Folders, "Deployment")
		},
	}
}

// Trigger is what {id} names.
func Trigger(load Load[workflow.Trigger]) route.Object[workflow.Trigger] {
	return route.Object[workflow.Trigger]{
		What: "Trigger", Param: "id", Load: load,
		Resource: func(t workflow.Trigger) access.Resource {
			return access.InWorkflow(t.OrganizationID, t.WorkflowID, t.Folders, "Trigger")
		},
	}
}

// Execution is what {id} names.
func Execution(load Load[execution.Execution]) route.Object[execution.Execution] {
	return route.Object[execution.Execution]{
		What: "Execution", Param: "id", Load: load,
		Resource: func(e execution.Execution) access.Resource {
			return access.InWorkflow(e.OrganizationID, e.WorkflowID, e.Folders, "Execution")
		},
	}
}

// Batch is what {id} names.
func Batch(load Load[execution.Batch]) route.Object[execution.Batch] {
	return route.Object[execution.Batch]{
		What: "Batch", Param: "id", Load: load,
		Resource: func(b execution.Batch) access.Resource {
			return access.InWorkflow(b.OrganizationID, b.Filter.WorkflowID, b.Folders, "Batch")
		},
	}
}
