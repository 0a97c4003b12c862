package dashboard

import (
	"context"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/web/ui"
	"github.com/usefloww/flowwd/internal/workflow"
)

// openFolder returns the folder that an address or a form names.
func (d Deps) openFolder(ctx context.Context, p identity.Principal, text string) (workflow.Folder, error) {
	named, err := id.Parse(text)
	if err != nil {
		return workflow.Folder{}, fault.New(fault.NotFound, "Folder not found")
	}
	f, err := d.Folders.Folder(ctx, p.Organizations(), named)
	if err != nil {
		return f, err
	}
	return f, access.Allow(p, access.ReadFolder, access.InFolder(f.OrganizationID, f.Inside(), "Folder"))
}

// folderPath leads to a folder and those around it, the outermost first.
func (d Deps) folderPath(ctx context.Context, f workflow.Folder) ([]ui.Link, error) {
	all, err := d.Folders.Path(ctx, f)
	return folderLinks(all), err
}

func folderLinks(all []workflow.Folder) []ui.Link {
	links := make([]ui.Link, len(all))
	for i, f := range all {
		links[i] = ui.Link{Path: folderAddress(f.ID), Name: f.Name}
	}
	return links
}

func folderAddress(folder id.ID) string { return workflowsPath + "?folder=" + folder.String() }

// placeFor returns where a form makes something: in the folder that it names or
// else at the root of the namespace, where p may do action to it.
func (d Deps) placeFor(ctx context.Context, p identity.Principal, action access.Action, f ui.Form) (organization, namespace id.ID, around []id.ID, err error) {
	if folder := f.Get("folder"); folder != "" {
		open, err := d.openFolder(ctx, p, folder)
		if err != nil {
			return organization, namespace, nil, err
		}
		organization, namespace, around = open.OrganizationID, open.NamespaceID, open.Inside()
	} else {
		n, err := d.namespace(ctx, p, f.Get("namespace"))
		if err != nil {
			return organization, namespace, nil, err
		}
		organization, namespace = n.OrganizationID, n.ID
	}
	return organization, namespace, around, access.Allow(p, action, access.InFolder(organization, around, "Folder"))
}

func (d Deps) createFolder(ctx context.Context, p identity.Principal, f ui.Form) (string, error) {
	organization, namespace, around, err := d.placeFor(ctx, p, access.WriteFolder, f)
	if err != nil {
		return "", err
	}
	made, err := d.Folders.Create(ctx, workflow.Folder{
		OrganizationID: organization, NamespaceID: namespace, Folders: around, Name: f["name"], CreatedByID: p.ID,
	})
	return folderAddress(made.ID), err
}
