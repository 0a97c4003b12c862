package store

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// inFolder joins the folder f of a workflow w. Its path is all that has to be
// read to know what roles can be inherited from.
const inFolder = ` LEFT JOIN folders f ON f.id = w.folder_id`

const folderColumns = `f.id, f.organization_id, f.namespace_id, f.name, f.path, f.created_by_id, f.created_at, f.updated_at`

func scanFolder(scan scanner) (workflow.Folder, error) {
	var f workflow.Folder
	var inside pathColumn
	err := scan(&f.ID, &f.OrganizationID, &f.NamespaceID, &f.Name, &inside, &f.CreatedByID, &f.CreatedAt, &f.UpdatedAt)
	if err == nil && len(inside) > 1 {
		f.Folders = inside[1:]
	}
	return f, err
}

// pathDigits is the length of an id in the path of a folder.
const pathDigits = 2 * len(id.ID{})

// pathColumn is the path of a folder: the folders around what is in it, the
// nearest first; NULL for none.
type pathColumn []id.ID

// Scan reads a path.
func (c *pathColumn) Scan(src any) error {
	var text textColumn
	if err := text.Scan(src); err != nil {
		return err
	}
	*c = nil
	for rest := string(text); rest != ""; rest = rest[:len(rest)-pathDigits] {
		var x id.ID
		if len(rest) < pathDigits {
			return fmt.Errorf("%q is no path of a folder", string(text))
		}
		if _, err := hex.Decode(x[:], []byte(rest[len(rest)-pathDigits:])); err != nil {
			return fmt.Errorf("%q is no path of a folder: %w", string(text), err)
		}
		*c = append(*c, x)
	}
	return nil
}

// pathOf writes the path of the first of folders inside each other.
func pathOf(folders []id.ID) string {
	var b strings.Builder
	for _, x := range slices.Backward(folders) {
		b.WriteString(hex.EncodeToString(x[:]))
	}
	return b.String()
}

// pathEnd is behind the digits of all paths below a folder.
const pathEnd = "g"

func folderNotFound() error { return fault.New(fault.NotFound, "Folder not found") }

func folderNameTaken(cause error) error {
	return fault.Because(cause, fault.Conflict, "A folder with this name is there already")
}

// placeChanged says that something is not where it was when it was decided about.
func placeChanged() error {
	return fault.New(fault.Conflict, "Somebody moved one of the folders at this moment; try again")
}

func folderTarget(folder id.ID) audit.Target {
	return audit.Target{Type: "folder", ID: folder.String()}
}

// auditedFolder is what the audit log shows of a folder.
func auditedFolder(f workflow.Folder) json.RawMessage {
	return audit.Snapshot(map[string]any{"name": f.Name, "namespace": f.NamespaceID, "folder": idOrNil(f.ParentID())})
}

// idOrNil is an id for a snapshot.
func idOrNil(x id.ID) any {
	if x.IsZero() {
		return nil
	}
	return x
}

// CreateFolder implements workflow.FolderStore.
func (s *Store) CreateFolder(ctx context.Context, f workflow.Folder) error {
	return s.write(ctx, "create a folder", func(t *tx) error {
		if err := lockNamespace(t, f.OrganizationID, f.NamespaceID); err != nil {
			return err
		}
		if err := stands(t, f.NamespaceID, f.Folders); err != nil {
			return err
		}
		if len(f.Folders) >= workflow.MaxFolderDepth {
			return tooDeep()
		}
		var n int
		if _, err := t.one(`SELECT COUNT(*) FROM folders WHERE namespace_id = ?`, args{f.NamespaceID}, &n); err != nil {
			return err
		}
		if n >= workflow.MaxFolders {
			return fault.New(fault.Limited, "the namespace has %d folders, which is the limit", n)
		}
		_, err := t.exec(`
			INSERT INTO folders (id, organization_id, namespace_id, parent_id, name, path, created_by_id, created_at, updated_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			f.ID, f.OrganizationID, f.NamespaceID, f.ParentID(), f.Name, pathOf(f.Inside()), f.CreatedByID, f.CreatedAt, f.UpdatedAt)
		if t.unique(err) {
			return folderNameTaken(err)
		}
		s.record(ctx, t, audit.Entry{
			OrganizationID: f.OrganizationID, Action: audit.CreateFolder, Target: folderTarget(f.ID), After: auditedFolder(f),
		})
		return err
	})
}

func tooDeep() error {
	return fault.New(fault.Limited, "at most %d folders can be inside each other", workflow.MaxFolderDepth)
}

// Folder implements workflow.FolderStore.
func (s *Store) Folder(ctx context.Context, organizations []id.ID, wanted id.ID) (workflow.Folder, error) {
	list, values := in(organizations, wanted)
	var found []workflow.Folder
	err := s.read(ctx, "read a folder", func(v *view) (err error) {
		found, err = folders(v, ` JOIN organizations o ON o.id = f.organization_id
			WHERE f.id = ? AND f.organization_id IN `+list+` AND o.deleted_at IS NULL`, values)
		return err
	})
	if err == nil && len(found) == 0 {
		err = folderNotFound()
	}
	if err != nil {
		return workflow.Folder{}, err
	}
	return found[0], nil
}

// folders reads folders f.
func folders(v *view, tail string, values args) (found []workflow.Folder, err error) {
	err = v.each(`SELECT `+folderColumns+` FROM folders f`+tail, values, func(scan scanner) error {
		f, err := scanFolder(scan)
		found = append(found, f)
		return err
	})
	return found, err
}

// Folders implements workflow.FolderStore.
func (s *Store) Folders(ctx context.Context, f workflow.FolderFilter) (workflow.FolderPage, error) {
	list, values := in(f.Organizations)
	where := ` WHERE f.organization_id IN ` + list
	switch {
	case f.Deep:
	case f.Search != "":
		where += ` AND LOWER(f.name) LIKE ? ESCAPE '\'`
		values = append(values, "%"+escapeLike(strings.ToLower(f.Search))+"%")
	case f.ParentID.IsZero():
		where += ` AND f.parent_id IS NULL`
	default:
		where += ` AND f.parent_id = ?`
		values = append(values, f.ParentID)
	}
	if !f.NamespaceID.IsZero() {
		where += ` AND f.namespace_id = ?`
		values = append(values, f.NamespaceID)
	}
	var page workflow.FolderPage
	err := s.read(ctx, "list folders", func(v *view) (err error) {
		if _, err := v.one(`SELECT COUNT(*) FROM folders f`+where, values, &page.Total); err != nil {
			return err
		}
		page.Folders, err = folders(v, where+` ORDER BY f.name, f.id LIMIT ? OFFSET ?`, append(values, f.Limit, f.Offset))
		return err
	})
	return page, err
}

// FoldersByID implements workflow.FolderStore.
func (s *Store) FoldersByID(ctx context.Context, organization id.ID, wanted []id.ID) (found []workflow.Folder, err error) {
	list, values := in(wanted, organization)
	err = s.read(ctx, "read folders", func(v *view) (err error) {
		found, err = folders(v, ` WHERE f.organization_id = ? AND f.id IN `+list, values)
		return err
	})
	slices.SortFunc(found, func(a, b workflow.Folder) int { return slices.Index(wanted, a.ID) - slices.Index(wanted, b.ID) })
	return found, err
}

// DeleteFolder implements workflow.FolderStore.
func (s *Store) DeleteFolder(ctx context.Context, deleted id.ID, r workflow.FolderRemoval, at time.Time) (emptied workflow.Emptied, err error) {
	err = s.writeWorkflows(ctx, "delete a folder", func(t *tx) error {
		before, err := lockFolder(t, deleted)
		if err == nil && !slices.Equal(before.Folders, r.Around) {
			err = placeChanged()
		}
		if err != nil {
			return err
		}
		e := emptying{tx: t, folder: before, removal: r, at: at}
		if err := e.run(); err != nil {
			return err
		}
		emptied = e.Emptied
		s.record(ctx, t, audit.Entry{
			OrganizationID: before.OrganizationID, Action: audit.DeleteFolder, Target: folderTarget(deleted), Before: auditedFolder(before),
		})
		for _, statement := range []string{grantsOnFolder, `DELETE FROM folders WHERE id = ?`} {
			if _, err := t.exec(statement, deleted); err != nil {
				return err
			}
		}
		return nil
	})
	return emptied, err
}

// emptying takes what is in a folder to where the folder is.
type emptying struct {
	workflow.Emptied
	tx      *tx
	folder  workflow.Folder
	removal workflow.FolderRemoval
	at      time.Time
}

func (e *emptying) run() error {
	t, of := e.tx, e.folder.ID
	if err := lessFor(t, []id.ID{of}); err != nil {
		return err
	}
	children, err := folders(&t.view, ` WHERE f.parent_id = ? ORDER BY f.id`, args{of})
	if err != nil {
		return err
	}
	e.Emptied.Folders = len(children)
	if _, err := t.one(`SELECT COUNT(*) FROM workflows WHERE folder_id = ? AND deleted_at IS NULL`, args{of}, &e.Workflows); err != nil {
		return err
	}
	if e.Emptied != (workflow.Emptied{}) {
		if err := e.allowed(); err != nil {
			return err
		}
	}
	// Those that are hidden, too, for they point to the folder.
	if _, err := t.exec(`UPDATE workflows SET folder_id = ? WHERE folder_id = ?`, e.folder.ParentID(), of); err != nil {
		return err
	}
	for _, child := range children {
		if err := e.raise(child); err != nil {
			return err
		}
	}
	return nil
}

// allowed refuses when what is in the folder may not go to where that is.
func (e *emptying) allowed() error {
	what := fmt.Sprintf("the folder has %d folders and %d workflows in it, which would go to where it is", e.Emptied.Folders, e.Workflows)
	if !e.removal.MayFill {
		return fault.New(fault.Denied, "%s; your role there does not allow that", what)
	}
	if e.removal.MayGrant {
		return nil
	}
	granted, err := grantedOn(e.tx, []id.ID{e.folder.ID})
	if err == nil && granted {
		err = fault.New(fault.Denied, "%s and lose the roles granted on it; that needs the right to grant", what)
	}
	return err
}

// raise puts a folder beside the one that it is in.
func (e *emptying) raise(child workflow.Folder) error {
	_, err := e.tx.exec(`UPDATE folders SET parent_id = ?, updated_at = ? WHERE id = ?`, e.folder.ParentID(), e.at, child.ID)
	if e.tx.unique(err) {
		return fault.Because(err, fault.Conflict, "the folder %q that is in it would go to where it is, and there is one with this name already; rename or move one of them first", child.Name)
	}
	if err != nil {
		return err
	}
	return repath(e.tx, child.Inside(), append([]id.ID{child.ID}, e.folder.Folders...))
}
