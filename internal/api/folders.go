package api

import (
	"context"
	"net/http"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/objects"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Folders creates, changes and deletes folders.
type Folders interface {
	Create(ctx context.Context, f workflow.Folder) (workflow.Folder, error)
	Folder(ctx context.Context, organizations []id.ID, folder id.ID) (workflow.Folder, error)
	List(ctx context.Context, filter workflow.FolderFilter) (workflow.FolderPage, error)
	Path(ctx context.Context, f workflow.Folder) ([]workflow.Folder, error)
	Update(ctx context.Context, f workflow.Folder, change workflow.FolderChange) (workflow.Folder, error)
	Delete(ctx context.Context, f workflow.Folder, r workflow.FolderRemoval) (workflow.Emptied, error)
}

const foldersPath = "/api/folders"

func registerFolders(r *route.Router, d Deps) {
	o := folderOperations{d}
	const tag = "Folders"
	route.Operation(r, route.Spec{ // F1
		Method: http.MethodGet, Path: foldersPath, Policy: access.Requires(access.ReadFolder),
		OperationID: "list-folders", Summary: "List the folders that are directly in one, or in none, by name", Tag: tag,
	}, route.NoObject(), o.list)
	route.Operation(r, route.Spec{ // F2
		Method: http.MethodPost, Path: foldersPath, Policy: access.Requires(access.WriteFolder),
		OperationID: "create-folder", Summary: "Create a folder", Tag: tag,
	}, route.NoObject(), o.create)
	route.Operation(r, route.Spec{ // F3
		Method: http.MethodGet, Path: foldersPath + "/{id}", Policy: access.Requires(access.ReadFolder),
		OperationID: "get-folder", Summary: "Show a folder", Tag: tag,
	}, d.folder(), o.get)
	route.Operation(r, route.Spec{ // F4
		Method: http.MethodGet, Path: foldersPath + "/{id}/path", Policy: access.Requires(access.ReadFolder),
		OperationID: "get-folder-path", Summary: "Show a folder and those around it, the outermost first", Tag: tag,
	}, d.folder(), o.path)
	route.Operation(r, route.Spec{ // F5
		Method: http.MethodPatch, Path: foldersPath + "/{id}", Policy: access.Requires(access.WriteFolder),
		OperationID: "change-folder", Summary: "Rename or move a folder; members that are absent stay as they are", Tag: tag,
		Description: "What is in it moves along. Where roles are granted on folders that it leaves or enters, moving it needs the right to grant as well.",
	}, d.folder(), o.change)
	route.Operation(r, route.Spec{ // F6
		Method: http.MethodDelete, Path: foldersPath + "/{id}", Policy: access.Requires(access.WriteFolder),
		OperationID: "delete-folder", Summary: "Delete a folder; what is in it goes to where the folder is", Tag: tag,
		Description: "No workflow is deleted. It is refused, with nothing changed, when one of its folders has the name of one beside it.",
	}, d.folder(), o.delete)
}

type folderOperations struct{ Deps }

func (d Deps) folder() route.Object[workflow.Folder] {
	return objects.Folder(d.Folders.Folder)
}

func (o folderOperations) list(ctx context.Context, c route.Call[route.None], in *listFolders) (*folderList, error) {
	filter := workflow.FolderFilter{Limit: in.Limit, Offset: in.Offset}
	var err error
	if filter.NamespaceID, err = namedIn("query.namespaceId", in.NamespaceID); err != nil {
		return nil, err
	}
	if filter.Organizations, filter.ParentID, _, err = o.within(ctx, c.Principal, access.ReadFolder, "query.parentFolderId", in.ParentFolderID); err != nil {
		return nil, err
	}
	page, err := o.Folders.List(ctx, filter)
	if err != nil {
		return nil, err
	}
	list := folderList{Results: make([]folderBody, len(page.Folders)), Total: page.Total}
	for i, f := range page.Folders {
		list.Results[i] = showFolder(f)
	}
	return &list, nil
}

// namedIn reads an id of a query; zero when it is absent.
func namedIn(location, text string) (id.ID, error) {
	if text == "" {
		return id.ID{}, nil
	}
	named, err := id.Parse(text)
	if err != nil {
		return id.ID{}, invalid(location, "must be a UUID")
	}
	return named, nil
}

// rootWord stands for the root of a namespace where a query names a folder.
const rootWord = "null"

// within reads the folder that a listing is about, and returns the organizations
// where p may do action to what is in it. A folder that p does not see is as
// empty as one that is not there.
func (d Deps) within(ctx context.Context, p identity.Principal, action access.Action, location, text string) (organizations []id.ID, folder id.ID, root bool, err error) {
	if text == "" || text == rootWord {
		return access.OrganizationsFor(p, action), id.ID{}, text == rootWord, nil
	}
	if folder, err = namedIn(location, text); err != nil {
		return nil, folder, false, err
	}
	f, err := d.Folders.Folder(ctx, p.Organizations(), folder)
	switch {
	case fault.Is(err, fault.NotFound):
		return nil, folder, false, nil
	case err != nil:
		return nil, folder, false, err
	}
	if err := access.Allow(p, action, access.InFolder(f.OrganizationID, f.Inside(), "Folder")); err != nil {
		return nil, folder, false, err
	}
	return []id.ID{f.OrganizationID}, folder, false, nil
}

// place returns the folders around what is put into the folder that a request
// names, the nearest first, where p may do action to it; none for the root. The
// texts are those of 1.1 and 1.2 of workflows-runtime.md of the wire contract.
func (d Deps) place(ctx context.Context, p identity.Principal, action access.Action, organization, namespace id.ID, named optional[string]) ([]id.ID, error) {
	var around []id.ID
	if named.Value != nil {
		wrong := func(text string) error {
			f := fault.New(fault.Invalid, "%s", text)
			f.Fields = []fault.Field{{Location: "body.parentFolderId", Message: text}}
			return f
		}
		folder, err := id.Parse(*named.Value)
		if err != nil {
			return nil, wrong("Parent folder not found")
		}
		f, err := d.Folders.Folder(ctx, p.Organizations(), folder)
		switch {
		case fault.Is(err, fault.NotFound):
			return nil, wrong("Parent folder not found")
		case err != nil:
			return nil, err
		case f.NamespaceID != namespace:
			return nil, wrong("Parent folder must be in the same namespace")
		}
		around = f.Inside()
	}
	return around, access.Allow(p, action, access.InFolder(organization, around, "Folder"))
}

// move returns the move that a request asks for; nil when it asks for none, or for
// where the thing is already: around are the folders around it, and moved is it as
// a resource.
func (d Deps) move(ctx context.Context, p identity.Principal, action access.Action, namespace id.ID, around []id.ID, moved access.Resource, to optional[string]) (*workflow.Move, error) {
	if !to.Set {
		return nil, nil
	}
	if to.Value == nil && len(around) == 0 {
		return nil, nil
	}
	if to.Value != nil && len(around) > 0 {
		if same, err := id.Parse(*to.Value); err == nil && same == around[0] {
			return nil, nil
		}
	}
	target, err := d.place(ctx, p, action, moved.OrganizationID, namespace, to)
	if err != nil {
		return nil, err
	}
	return &workflow.Move{From: around, To: target, MayGrant: access.Decide(p, access.GrantAccess, moved).Allowed}, nil
}

func (o folderOperations) create(ctx context.Context, c route.Call[route.None], in *createFolder) (*folderBody, error) {
	n, err := o.bodyNamespace(ctx, c.Principal, in.Body.NamespaceID)
	if err != nil {
		return nil, err
	}
	around, err := o.place(ctx, c.Principal, access.WriteFolder, n.OrganizationID, n.ID, in.Body.ParentFolderID)
	if err != nil {
		return nil, err
	}
	f, err := o.Folders.Create(ctx, workflow.Folder{
		OrganizationID: n.OrganizationID, NamespaceID: n.ID, Name: in.Body.Name, Folders: around, CreatedByID: c.Principal.ID,
	})
	if err != nil {
		return nil, err
	}
	body := showFolder(f)
	return &body, nil
}

func (o folderOperations) get(_ context.Context, c route.Call[workflow.Folder], _ *struct{}) (*folderBody, error) {
	body := showFolder(c.Object)
	return &body, nil
}

func (o folderOperations) path(ctx context.Context, c route.Call[workflow.Folder], _ *struct{}) (*folderPath, error) {
	all, err := o.Folders.Path(ctx, c.Object)
	if err != nil {
		return nil, err
	}
	body := folderPath{folderBody: showFolder(c.Object), Path: make([]folderBody, len(all))}
	for i, f := range all {
		body.Path[i] = showFolder(f)
	}
	body.Results = body.Path
	return &body, nil
}

func (o folderOperations) change(ctx context.Context, c route.Call[workflow.Folder], in *changeFolder) (*folderBody, error) {
	f, b := c.Object, &in.Body
	switch {
	case b.Name.Set && b.Name.Value == nil:
		return nil, invalid("body.name", "must not be null")
	case b.NamespaceID.Value != nil && !sameID(*b.NamespaceID.Value, f.NamespaceID):
		return nil, invalid("body.namespaceId", "a folder can't move to another namespace")
	}
	change := workflow.FolderChange{Name: b.Name.Value}
	var err error
	if change.Move, err = o.move(ctx, c.Principal, access.WriteFolder, f.NamespaceID, f.Folders, o.folder().Resource(f), b.ParentFolderID); err != nil {
		return nil, err
	}
	if change != (workflow.FolderChange{}) {
		if f, err = o.Folders.Update(ctx, f, change); err != nil {
			return nil, err
		}
	}
	body := showFolder(f)
	return &body, nil
}

func (o folderOperations) delete(ctx context.Context, c route.Call[workflow.Folder], _ *struct{}) (*deletedFolder, error) {
	f := c.Object
	beside := access.InFolder(f.OrganizationID, f.Folders, "Folder")
	emptied, err := o.Folders.Delete(ctx, f, workflow.FolderRemoval{
		Around:   f.Folders,
		MayFill:  access.Decide(c.Principal, access.WriteFolder, beside).Allowed && access.Decide(c.Principal, access.WriteWorkflow, beside).Allowed,
		MayGrant: access.Decide(c.Principal, access.GrantAccess, o.folder().Resource(f)).Allowed,
	})
	if err != nil {
		return nil, err
	}
	return &deletedFolder{
		deleted: deleted{ID: f.ID, Message: "folder deleted successfully", Success: true},
		Moved:   movedOut{Folders: emptied.Folders, Workflows: emptied.Workflows},
	}, nil
}
