package store

import (
	"context"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/tenant"
)

// Inside implements access.Store.
func (s *Store) Inside(ctx context.Context, organizations, of []id.ID, limit int) (map[access.Link][]access.Link, error) {
	list, values := in(of)
	owners, values := in(organizations, values...)
	const below = ` FROM folders g JOIN folders f ON f.path >= g.path AND f.path < g.path || '` + pathEnd + `'`
	where := ` WHERE g.id IN ` + list + ` AND g.organization_id IN ` + owners
	held := make(map[access.Link][]access.Link)
	err := s.read(ctx, "list what is in folders", func(v *view) error {
		clear(held)
		for _, q := range []struct {
			kind  tenant.ResourceType
			query string
		}{
			{tenant.FolderResource, `SELECT DISTINCT f.id, f.parent_id, f.name` + below + where + ` AND f.parent_id IS NOT NULL ORDER BY f.name, f.id LIMIT ?`},
			{tenant.WorkflowResource, `SELECT DISTINCT w.id, w.folder_id, w.name` + below + ` JOIN workflows w ON w.folder_id = f.id` + where + ` AND w.deleted_at IS NULL ORDER BY w.name, w.id LIMIT ?`},
		} {
			err := v.each(q.query, append(values, limit), func(scan scanner) error {
				var x, folder id.ID
				var name string
				err := scan(&x, &folder, &name)
				from := access.Link{Type: tenant.FolderResource, ID: folder}
				held[from] = append(held[from], access.Link{Type: q.kind, ID: x})
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return held, err
}

// FolderNames implements access.Store.
func (s *Store) FolderNames(ctx context.Context, organization id.ID, of []id.ID) (map[id.ID]string, error) {
	found, err := s.FoldersByID(ctx, organization, of)
	names := make(map[id.ID]string, len(found))
	for _, f := range found {
		names[f.ID] = f.Name
	}
	return names, err
}

// Resource implements access.Store.
func (s *Store) Resource(ctx context.Context, organizations []id.ID, link access.Link) (access.Resource, error) {
	if link.Type == tenant.FolderResource {
		f, err := s.Folder(ctx, organizations, link.ID)
		if err != nil {
			return access.Resource{}, err
		}
		return access.InFolder(f.OrganizationID, f.Inside(), "Folder"), nil
	}
	w, err := s.Workflow(ctx, organizations, link.ID)
	if err != nil {
		return access.Resource{}, err
	}
	return access.InWorkflow(w.OrganizationID, w.ID, w.Folders, "Workflow"), nil
}
