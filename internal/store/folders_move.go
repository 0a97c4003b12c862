package store

import (
	"context"
	"slices"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Whatever changes the folders of a namespace locks the namespace first, and what
// puts a workflow somewhere holds it: no two moves can put folders into each
// other, and a place that was looked at stays as it is.

func lockNamespace(t *tx, organization, namespace id.ID) error {
	var one int
	found, err := t.one(`SELECT 1 FROM namespaces n WHERE n.id = ? AND n.organization_id = ?`+t.conn.dialect.lock("n"), args{namespace, organization}, &one)
	if err == nil && !found {
		err = fault.New(fault.NotFound, "Namespace not found")
	}
	return err
}

// holdNamespaceOf holds the namespace of a workflow.
func holdNamespaceOf(t *tx, of id.ID) error {
	var one int
	_, err := t.one(`SELECT 1 FROM workflows w JOIN namespaces n ON n.id = w.namespace_id WHERE w.id = ?`+t.conn.dialect.hold("n"), args{of}, &one)
	return err
}

// lockFolder reads a folder for a unit that goes on to change the folders of its
// namespace.
func lockFolder(t *tx, folder id.ID) (workflow.Folder, error) {
	var organization, namespace id.ID
	found, err := t.one(`SELECT organization_id, namespace_id FROM folders WHERE id = ?`, args{folder}, &organization, &namespace)
	if err == nil && !found {
		err = folderNotFound()
	}
	if err == nil {
		err = lockNamespace(t, organization, namespace)
	}
	if err != nil {
		return workflow.Folder{}, err
	}
	// Anew, for others may have changed it before the lock was there.
	all, err := folders(&t.view, ` WHERE f.id = ?`+t.conn.dialect.lock("f"), args{folder})
	if err == nil && len(all) == 0 {
		err = folderNotFound()
	}
	if err != nil {
		return workflow.Folder{}, err
	}
	return all[0], nil
}

// stands refuses when a place in a namespace is not where it was: folders are
// those around it, the nearest first. It holds the namespace unless the place is
// the root, where nothing can change.
func stands(t *tx, namespace id.ID, around []id.ID) error {
	if len(around) == 0 {
		return nil
	}
	var one int
	if _, err := t.one(`SELECT 1 FROM namespaces n WHERE n.id = ?`+t.conn.dialect.hold("n"), args{namespace}, &one); err != nil {
		return err
	}
	var now pathColumn
	found, err := t.one(`SELECT path FROM folders WHERE id = ? AND namespace_id = ?`, args{around[0], namespace}, &now)
	switch {
	case err != nil:
		return err
	case !found:
		return fault.New(fault.NotFound, "Parent folder not found")
	case !slices.Equal(now, around):
		return placeChanged()
	}
	return nil
}

// moves refuses a move of what is at a place now, or has those decided about anew
// who may do less after it.
func moves(t *tx, namespace id.ID, now []id.ID, m workflow.Move) error {
	if !slices.Equal(now, m.From) {
		return placeChanged()
	}
	if err := stands(t, namespace, m.To); err != nil {
		return err
	}
	if !m.MayGrant {
		granted, err := grantedOn(t, m.Between())
		if err != nil {
			return err
		}
		if granted {
			return fault.New(fault.Denied, "Roles are granted on the folders that this leaves or enters: the move changes who may do what, which needs the right to grant")
		}
	}
	var left []id.ID
	for _, x := range m.From {
		if !slices.Contains(m.To, x) {
			left = append(left, x)
		}
	}
	return lessFor(t, left)
}

// grantedOn reports whether roles are granted on one of the folders.
func grantedOn(t *tx, folders []id.ID) (bool, error) {
	var one int
	list, values := in(folders)
	return t.one(`SELECT 1 FROM grants WHERE resource_id IN `+list+` AND resource_type = 'folder' LIMIT 1`, values, &one)
}

// lessFor has all decided about anew who may do less when something leaves the
// folders: those with roles on them, and accounts with keys for them alone.
func lessFor(t *tx, folders []id.ID) error {
	list, values := in(folders)
	for _, query := range []string{
		`SELECT principal_id FROM grants WHERE resource_type = 'folder' AND resource_id IN `,
		`SELECT service_account_id FROM api_keys WHERE scope_type = 'folder' AND scope_id IS NOT NULL AND scope_id IN `,
	} {
		err := t.each(query+list, values, func(scan scanner) error {
			var principal id.ID
			err := scan(&principal)
			t.notices.principals[principal] = true
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// repath writes the paths of a folder and of all below it anew, after it moved:
// before and after are the folder and those around it, the nearest first.
func repath(t *tx, before, after []id.ID) error {
	from, to := pathOf(before), pathOf(after)
	_, err := t.exec(`UPDATE folders SET path = ? || substr(path, ?) WHERE path >= ? AND path < ?`, to, len(from)+1, from, from+pathEnd)
	return err
}

// fits refuses a place for a folder where those below it would be too deep.
func fits(t *tx, f workflow.Folder, to []id.ID) error {
	var longest int
	from := pathOf(f.Inside())
	if _, err := t.one(`SELECT MAX(length(path)) FROM folders WHERE path >= ? AND path < ?`, args{from, from + pathEnd}, &longest); err != nil {
		return err
	}
	below := (longest - len(from)) / pathDigits
	if len(to)+1+below > workflow.MaxFolderDepth {
		return tooDeep()
	}
	return nil
}

// ChangeFolder implements workflow.FolderStore.
func (s *Store) ChangeFolder(ctx context.Context, changed id.ID, c workflow.FolderChange, at time.Time) (f workflow.Folder, err error) {
	err = s.writeWorkflows(ctx, "change a folder", func(t *tx) error {
		before, err := lockFolder(t, changed)
		if err != nil {
			return err
		}
		f = before
		f.UpdatedAt = at
		if c.Name != nil {
			f.Name = *c.Name
		}
		if c.Move != nil {
			f.Folders = c.Move.To
			if slices.Contains(f.Folders, changed) {
				return fault.New(fault.Invalid, "Cannot move folder into its own descendant")
			}
			if err := moves(t, before.NamespaceID, before.Folders, *c.Move); err != nil {
				return err
			}
			if err := fits(t, before, f.Folders); err != nil {
				return err
			}
		}
		_, err = t.exec(`UPDATE folders SET name = ?, parent_id = ?, updated_at = ? WHERE id = ?`, f.Name, f.ParentID(), at, changed)
		if t.unique(err) {
			return folderNameTaken(err)
		}
		if err == nil && c.Move != nil {
			err = repath(t, before.Inside(), f.Inside())
		}
		s.record(ctx, t, audit.Entry{
			OrganizationID: f.OrganizationID, Action: audit.ChangeFolder, Target: folderTarget(changed),
			Before: auditedFolder(before), After: auditedFolder(f),
		})
		return err
	})
	return f, err
}
