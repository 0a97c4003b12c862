package storetest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/workflow"
)

func folderLink(of id.ID) access.Link { return access.Link{Type: tenant.FolderResource, ID: of} }

// aFolder is a folder that is not stored yet, in those around it, the nearest
// first.
func (w *World) aFolder(n tenant.Namespace, name string, around ...id.ID) workflow.Folder {
	return workflow.Folder{
		ID: w.ID(), OrganizationID: n.OrganizationID, NamespaceID: n.ID, Name: name, Folders: around,
		CreatedByID: w.ID(), CreatedAt: w.Now(), UpdatedAt: w.Now(),
	}
}

// folder makes one.
func (w *World) folder(n tenant.Namespace, name string, around ...id.ID) workflow.Folder {
	w.t.Helper()
	f := w.aFolder(n, name, around...)
	w.must(w.CreateFolder(w.ctx(), f))
	return f
}

// place moves a workflow into a folder; to the root without one.
func (w *World) place(f workflow.Workflow, into ...workflow.Folder) {
	w.t.Helper()
	now, err := w.workflow(f.OrganizationID, f.ID)
	w.must(err)
	m := workflow.Move{From: now.Folders, MayGrant: true}
	if len(into) > 0 {
		m.To = into[0].Inside()
	}
	_, err = w.ChangeWorkflow(w.ctx(), f.ID, workflow.Change{Move: &m}, w.Now())
	w.must(err)
}

// Bury puts a workflow into so many folders inside each other.
func (w *World) Bury(f workflow.Workflow, depth int) {
	w.t.Helper()
	n := tenant.Namespace{ID: f.NamespaceID, OrganizationID: f.OrganizationID}
	var around []id.ID
	for range depth {
		in := w.folder(n, "deep", around...)
		around = in.Inside()
		w.place(f, in)
	}
}

// around reads the folders around a folder.
func (w *World) around(organization, folder id.ID) []id.ID {
	w.t.Helper()
	f, err := w.Store.Folder(w.ctx(), []id.ID{organization}, folder)
	w.must(err)
	return f.Folders
}

func (w *World) grantOn(p access.PrincipalRef, organization id.ID, on access.Link, word string) access.Grant {
	w.t.Helper()
	g, err := w.SaveGrant(w.ctx(), access.Grant{
		ID: w.ID(), OrganizationID: organization, Principal: p, Resource: on, Role: access.GrantableRole(word), CreatedAt: w.Now(),
	})
	w.must(err)
	return g
}

// readFolders calls what reads and changes folders.
func (w *World) readFolders(f workflow.Workflow, note func(any, error)) {
	mine := []id.ID{f.OrganizationID}
	n := tenant.Namespace{ID: f.NamespaceID, OrganizationID: f.OrganizationID}
	outer := w.folder(n, "read")
	inner := w.folder(n, "inner", outer.Inside()...)
	w.place(f, inner)
	note(w.Resource(w.ctx(), mine, folderLink(inner.ID)))
	note(w.Folders(w.ctx(), workflow.FolderFilter{Organizations: mine, Search: "RE", Limit: 10}))
	for _, parent := range []id.ID{{}, outer.ID} {
		note(w.Folders(w.ctx(), workflow.FolderFilter{Organizations: mine, NamespaceID: n.ID, ParentID: parent, Limit: 10}))
		note(w.Folders(w.ctx(), workflow.FolderFilter{Organizations: mine, ParentID: parent, Limit: 10}))
	}
	note(w.Inside(w.ctx(), mine, []id.ID{outer.ID, inner.ID}, 10))
	note(w.FolderNames(w.ctx(), f.OrganizationID, inner.Inside()))
	note(w.FoldersByID(w.ctx(), f.OrganizationID, inner.Inside()))
	note(w.Workflows(w.ctx(), workflow.ListFilter{Organizations: mine, FolderID: inner.ID, Limit: 10}))
	note(w.Workflows(w.ctx(), workflow.ListFilter{Organizations: mine, Root: true, Limit: 10}))
	name := "renamed"
	note(w.ChangeFolder(w.ctx(), inner.ID, workflow.FolderChange{Name: &name, Move: &workflow.Move{From: inner.Folders}}, w.Now()))
	note(w.DeleteFolder(w.ctx(), inner.ID, workflow.FolderRemoval{MayFill: true}, w.Now()))
}

func testFolders(t *testing.T, backend Backend) {
	t.Run("a folder is kept as it was made", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n, other := w.Namespace(), w.Namespace()
		outer := w.folder(n, "Straße")
		inner := w.folder(n, "%_", outer.Inside()...)
		for _, f := range []workflow.Folder{outer, inner} {
			got, err := w.Store.Folder(w.ctx(), []id.ID{n.OrganizationID}, f.ID)
			w.must(err)
			equal(t, "folder", got, f)
			_, err = w.Store.Folder(w.ctx(), []id.ID{other.OrganizationID}, f.ID)
			w.refused(err, fault.NotFound, "Folder not found")
		}
		path, err := w.FoldersByID(w.ctx(), n.OrganizationID, []id.ID{outer.ID, inner.ID})
		w.must(err)
		equal(t, "path", path, []workflow.Folder{outer, inner})
		none, err := w.FoldersByID(w.ctx(), other.OrganizationID, []id.ID{outer.ID, inner.ID})
		w.must(err)
		equal(t, "another's", len(none), 0)
	})

	t.Run("names are unique among siblings", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		a, b := w.folder(n, "a"), w.folder(n, "b")
		inside := w.folder(n, "a", a.Inside()...)
		w.folder(w.Namespace(), "a")
		const taken = "A folder with this name is there already"
		w.refused(w.CreateFolder(w.ctx(), w.aFolder(n, "a")), fault.Conflict, taken)
		w.refused(w.CreateFolder(w.ctx(), w.aFolder(n, "a", a.Inside()...)), fault.Conflict, taken)
		name := "a"
		_, err := w.ChangeFolder(w.ctx(), b.ID, workflow.FolderChange{Name: &name}, w.Now())
		w.refused(err, fault.Conflict, taken)
		_, err = w.ChangeFolder(w.ctx(), inside.ID, workflow.FolderChange{Move: &workflow.Move{From: inside.Folders}}, w.Now())
		w.refused(err, fault.Conflict, taken)
		equal(t, "where it was", w.around(n.OrganizationID, inside.ID), inside.Folders)
	})

	t.Run("lists are by place, name and page", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n, other := w.Namespace(), w.Namespace()
		b, a := w.folder(n, "b"), w.folder(n, "a")
		inside := w.folder(n, "c", a.Inside()...)
		theirs := w.folder(other, "d")
		list := func(f workflow.FolderFilter, total int, want ...workflow.Folder) {
			t.Helper()
			got, err := w.Folders(w.ctx(), f)
			w.must(err)
			equal(t, "folders", got, workflow.FolderPage{Folders: want, Total: total})
		}
		mine, both := []id.ID{n.OrganizationID}, []id.ID{n.OrganizationID, other.OrganizationID}
		list(workflow.FolderFilter{Organizations: mine, Limit: 10}, 2, a, b)
		list(workflow.FolderFilter{Organizations: mine, Limit: 1, Offset: 1}, 2, b)
		list(workflow.FolderFilter{Organizations: both, Limit: 10}, 3, a, b, theirs)
		list(workflow.FolderFilter{Organizations: both, NamespaceID: other.ID, Limit: 10}, 1, theirs)
		list(workflow.FolderFilter{Organizations: mine, ParentID: a.ID, Limit: 10}, 1, inside)
		list(workflow.FolderFilter{Organizations: []id.ID{other.OrganizationID}, ParentID: a.ID, Limit: 10}, 0)
		list(workflow.FolderFilter{Organizations: mine, Deep: true, Limit: 10}, 3, a, b, inside)
		list(workflow.FolderFilter{Organizations: both, NamespaceID: n.ID, Deep: true, Limit: 1, Offset: 2}, 3, inside)
		list(workflow.FolderFilter{Limit: 10}, 0)
		list(workflow.FolderFilter{Organizations: mine, Search: "C", Limit: 10}, 1, inside)
		list(workflow.FolderFilter{Organizations: mine, Search: "_", Limit: 10}, 0)
	})

	t.Run("places are of the namespace and as they were", func(t *testing.T) {
		t.Parallel()
		testPlaces(t, NewWorld(t, backend(t)))
	})

	t.Run("there are bounds", func(t *testing.T) {
		t.Parallel()
		testFolderBounds(t, NewWorld(t, backend(t)))
	})

	t.Run("what is in a deleted folder stays", func(t *testing.T) {
		t.Parallel()
		testDeleteFolder(t, NewWorld(t, backend(t)))
	})

	t.Run("two moves at once make no circle", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		for i := range 5 {
			a, b := w.folder(n, fmt.Sprint("a", i)), w.folder(n, fmt.Sprint("b", i))
			var wg sync.WaitGroup
			for _, pair := range [][2]workflow.Folder{{a, b}, {b, a}} {
				wg.Go(func() {
					m := workflow.Move{To: pair[1].Inside()}
					if _, err := w.ChangeFolder(w.ctx(), pair[0].ID, workflow.FolderChange{Move: &m}, w.Now()); err != nil && !fault.Is(err, fault.Conflict) {
						t.Error(err)
					}
				})
			}
			wg.Wait()
			equal(t, "moved", len(w.around(n.OrganizationID, a.ID))+len(w.around(n.OrganizationID, b.ID)), 1)
		}
	})
}

func testPlaces(t *testing.T, w *World) {
	n, other := w.Namespace(), w.Namespace()
	a, b, theirs := w.folder(n, "a"), w.folder(n, "b"), w.folder(other, "theirs")
	f := w.Workflow(n)
	const missing, moved = "Parent folder not found", "Somebody moved one of the folders at this moment; try again"
	for _, c := range []struct {
		from, to []id.ID
		kind     fault.Kind
		text     string
	}{
		{nil, theirs.Inside(), fault.NotFound, missing},
		{nil, []id.ID{w.ID()}, fault.NotFound, missing},
		{nil, []id.ID{a.ID, b.ID}, fault.Conflict, moved},
		{b.Inside(), a.Inside(), fault.Conflict, moved},
	} {
		m := workflow.Move{From: c.from, To: c.to, MayGrant: true}
		_, err := w.ChangeWorkflow(w.ctx(), f.ID, workflow.Change{Move: &m}, w.Now())
		w.refused(err, c.kind, c.text)
		_, err = w.ChangeFolder(w.ctx(), a.ID, workflow.FolderChange{Move: &m}, w.Now())
		if !fault.Is(err, c.kind) && !fault.Is(err, fault.Invalid) {
			t.Errorf("moving a folder: %v", err)
		}
		if c.from == nil {
			w.refused(w.CreateFolder(w.ctx(), w.aFolder(n, "new", c.to...)), c.kind, c.text)
			w.refused(w.CreateWorkflow(w.ctx(), workflow.Workflow{
				ID: w.ID(), OrganizationID: n.OrganizationID, NamespaceID: n.ID, Name: "new", Folders: c.to, Version: 1,
			}), c.kind, c.text)
		}
	}
	_, err := w.ChangeFolder(w.ctx(), a.ID, workflow.FolderChange{Move: &workflow.Move{To: []id.ID{b.ID, a.ID}}}, w.Now())
	w.refused(err, fault.Invalid, "Cannot move folder into its own descendant")
	w.place(f, a)
	page, err := w.Workflows(w.ctx(), workflow.ListFilter{Organizations: []id.ID{n.OrganizationID}, FolderID: a.ID, Limit: 10})
	w.must(err)
	equal(t, "workflows in the folder", page.Total, 1)
	equal(t, "the folder of the workflow", page.Workflows[0].FolderID(), a.ID)
	page, err = w.Workflows(w.ctx(), workflow.ListFilter{Organizations: []id.ID{n.OrganizationID}, Root: true, Limit: 10})
	w.must(err)
	equal(t, "workflows at the root", page.Total, 0)
}

func testFolderBounds(t *testing.T, w *World) {
	n := w.Namespace()
	var deepest workflow.Folder
	for i := range workflow.MaxFolderDepth {
		var around []id.ID
		if i > 0 {
			around = deepest.Inside()
		}
		deepest = w.folder(n, "deep", around...)
	}
	text := fmt.Sprintf("at most %d folders can be inside each other", workflow.MaxFolderDepth)
	w.refused(w.CreateFolder(w.ctx(), w.aFolder(n, "too deep", deepest.Inside()...)), fault.Limited, text)
	outer := w.folder(n, "outer")
	top := deepest.Folders[len(deepest.Folders)-1]
	_, err := w.ChangeFolder(w.ctx(), top, workflow.FolderChange{Move: &workflow.Move{To: outer.Inside()}}, w.Now())
	w.refused(err, fault.Limited, text)
	equal(t, "where it was", len(w.around(n.OrganizationID, deepest.ID)), workflow.MaxFolderDepth-1)
	// The deepest one has nothing below it and can go anywhere but deeper.
	_, err = w.ChangeFolder(w.ctx(), deepest.ID, workflow.FolderChange{Move: &workflow.Move{From: deepest.Folders, To: outer.Inside()}}, w.Now())
	w.must(err)
}

func testDeleteFolder(t *testing.T, w *World) {
	n := w.Namespace()
	outer := w.folder(n, "outer")
	folder := w.folder(n, "folder", outer.Inside()...)
	child := w.folder(n, "child", folder.Inside()...)
	grandchild := w.folder(n, "grandchild", child.Inside()...)
	f, hidden := w.Workflow(n), w.Workflow(n)
	w.place(f, folder)
	w.place(hidden, folder)
	w.must(w.DeleteWorkflow(w.ctx(), hidden.ID, w.Now()))
	user := w.member(n.OrganizationID)
	w.grantOn(user, n.OrganizationID, folderLink(folder.ID), "user")

	clash := w.folder(n, "child", outer.Inside()...)
	may := workflow.FolderRemoval{Around: folder.Folders, MayFill: true, MayGrant: true}
	remove := func(r workflow.FolderRemoval) error {
		_, err := w.DeleteFolder(w.ctx(), folder.ID, r, w.Now())
		return err
	}
	if err := remove(may); !fault.Is(err, fault.Conflict) {
		t.Errorf("a name that is there already: %v", err)
	}
	_, err := w.DeleteFolder(w.ctx(), clash.ID, workflow.FolderRemoval{Around: clash.Folders}, w.Now())
	w.must(err) // empty: nobody needs to be asked
	for name, r := range map[string]workflow.FolderRemoval{
		"elsewhere": {MayFill: true, MayGrant: true}, "may not fill": {Around: folder.Folders, MayGrant: true}, "may not grant": {Around: folder.Folders, MayFill: true},
	} {
		if err := remove(r); err == nil || name == "elsewhere" != fault.Is(err, fault.Conflict) {
			t.Errorf("%s: %v", name, err)
		}
	}
	equal(t, "nothing half done", w.around(n.OrganizationID, child.ID), child.Folders)
	emptied, err := w.DeleteFolder(w.ctx(), folder.ID, may, w.Now())
	w.must(err)
	equal(t, "emptied", emptied, workflow.Emptied{Folders: 1, Workflows: 1})
	equal(t, "the child", w.around(n.OrganizationID, child.ID), outer.Inside())
	equal(t, "the grandchild", w.around(n.OrganizationID, grandchild.ID), []id.ID{child.ID, outer.ID})
	got, err := w.workflow(n.OrganizationID, f.ID)
	w.must(err)
	equal(t, "the workflow", got.Folders, outer.Inside())
	equal(t, "roles", len(w.rolesOf(n.OrganizationID, user)), 0)
	w.refused(remove(may), fault.NotFound, "Folder not found")
	w.folder(n, "folder", outer.Inside()...)
}
