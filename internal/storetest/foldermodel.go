package storetest

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/workflow"
)

// testFolderModel makes, moves and deletes folders, moves workflows between them,
// grants and revokes, in any order, and compares what is decided by what the
// store reads with a model that walks up from each thing.
func testFolderModel(t *testing.T, backend Backend) {
	w := NewWorld(t, backend(t))
	m := &folderModel{w: w, n: w.Namespace(), up: map[access.Link]access.Link{}, granted: map[folderGrant]tenant.Role{}}
	of := m.n.OrganizationID
	m.principals = []access.PrincipalRef{
		w.member(of), w.member(of), {Type: access.AccountPrincipal, ID: w.serviceAccount(of, tenant.RoleViewer).ID},
	}
	m.begin(w.User(of, tenant.RoleMember).ID)
	rapid.Check(t, func(r *rapid.T) {
		defer m.end()
		// Fewer steps than rapid would make: each is a transaction.
		actions := []func(*rapid.T){m.makeFolder, m.makeFolder, m.moveFolder, m.moveFolder, m.moveWorkflow, m.moveWorkflow, m.grant, m.grant, m.deleteFolder}
		for range rapid.IntRange(1, 20).Draw(r, "steps") {
			rapid.SampledFrom(actions).Draw(r, "action")(r)
			m.compare(r)
		}
	})
}

type folderGrant struct {
	to access.PrincipalRef
	on access.Link
}

type folderModel struct {
	w          *World
	n          tenant.Namespace
	principals []access.PrincipalRef
	// up is what each thing is in; the zero link for the root.
	up      map[access.Link]access.Link
	granted map[folderGrant]tenant.Role
	// folders are those that there are, and of the deployed workflow what hangs
	// under it is read too.
	folders   []access.Link
	workflows []access.Link
	deployed  map[string]func() (access.Resource, error)
}

// begin makes a workflow with all that hangs under one, and another.
func (m *folderModel) begin(developer id.ID) {
	w := m.w
	f, triggers := w.Deployed(m.n)
	m.workflows = []access.Link{workflowLink(f.ID), workflowLink(w.Workflow(m.n).ID)}
	for _, x := range m.workflows {
		m.up[x] = access.Link{}
	}
	mine := []id.ID{f.OrganizationID}
	deployments, _ := w.statuses(f.ID)
	run, session, batch := w.Accept(triggers[0]), w.develop(f, developer, triggers), w.batch(f, execution.ReplayEach, execution.Failed)
	in := func(workflow id.ID, folders []id.ID) access.Resource {
		return access.InWorkflow(f.OrganizationID, workflow, folders, "")
	}
	m.deployed = map[string]func() (access.Resource, error){
		"deployment": func() (access.Resource, error) {
			x, err := w.Store.Deployment(w.ctx(), mine, deployments[0])
			return in(x.WorkflowID, x.Folders), err
		},
		"trigger": func() (access.Resource, error) {
			x, err := w.Trigger(w.ctx(), mine, triggers[0].ID)
			return in(x.WorkflowID, x.Folders), err
		},
		"execution": func() (access.Resource, error) {
			x, err := w.Execution(w.ctx(), mine, run)
			return in(x.WorkflowID, x.Folders), err
		},
		"session": func() (access.Resource, error) {
			x, err := w.DevSession(w.ctx(), mine, session.ID)
			return in(x.WorkflowID, x.Folders), err
		},
		"batch": func() (access.Resource, error) {
			x, err := w.Batch(w.ctx(), mine, batch.ID)
			return in(x.Filter.WorkflowID, x.Folders), err
		},
	}
}

// end takes away what a sequence has made.
func (m *folderModel) end() {
	for g := range m.granted {
		m.w.must(m.w.DeleteGrant(m.w.ctx(), m.n.OrganizationID, g.to, g.on))
	}
	for _, f := range m.folders {
		around := m.w.around(m.n.OrganizationID, f.ID)
		_, err := m.w.DeleteFolder(m.w.ctx(), f.ID, workflow.FolderRemoval{Around: around, MayFill: true, MayGrant: true}, m.w.Now())
		m.w.must(err)
	}
	clear(m.granted)
	m.folders = nil
	clear(m.up)
	for _, x := range m.workflows {
		m.up[x] = access.Link{}
	}
}

// chain is a thing and what is around it, by walking up.
func (m *folderModel) chain(of access.Link) (all []access.Link) {
	for ; of != (access.Link{}); of = m.up[of] {
		all = append(all, of)
	}
	return all
}

// inside are the folders around what is put into a folder.
func (m *folderModel) inside(folder access.Link) (all []id.ID) {
	for _, x := range m.chain(folder) {
		all = append(all, x.ID)
	}
	return all
}

// role is the greatest that a principal has on a thing.
func (m *folderModel) role(p access.PrincipalRef, of access.Link) (greatest tenant.Role) {
	for _, x := range m.chain(of) {
		greatest = max(greatest, m.granted[folderGrant{p, x}])
	}
	return greatest
}

// grantedBetween reports whether anybody has a role on one of the folders that are
// around one of two places alone.
func (m *folderModel) grantedBetween(a, b access.Link) bool {
	for g := range m.granted {
		if slices.Contains(m.chain(a), g.on) != slices.Contains(m.chain(b), g.on) {
			return true
		}
	}
	return false
}

// somewhere draws a folder or the root.
func (m *folderModel) somewhere(r *rapid.T) access.Link {
	return rapid.SampledFrom(append([]access.Link{{}}, m.folders...)).Draw(r, "folder")
}

func (m *folderModel) makeFolder(r *rapid.T) {
	in := m.somewhere(r)
	around := m.inside(in)
	if len(m.folders) >= 8 || len(around) >= 5 {
		return
	}
	f := m.w.aFolder(m.n, fmt.Sprint("folder ", m.w.ID()), around...)
	if err := m.w.CreateFolder(m.w.ctx(), f); err != nil {
		r.Fatal(err)
	}
	m.folders = append(m.folders, folderLink(f.ID))
	m.up[folderLink(f.ID)] = in
}

// folder draws one; the zero link when there is none.
func (m *folderModel) folder(r *rapid.T) access.Link {
	if len(m.folders) == 0 {
		return access.Link{}
	}
	return rapid.SampledFrom(m.folders).Draw(r, "which")
}

// moved checks an answer to a move, and takes note of it when it was one.
func (m *folderModel) moved(r *rapid.T, what, to access.Link, mayGrant bool, err error) {
	want := fault.Internal // for none
	switch {
	case slices.Contains(m.chain(to), what):
		want = fault.Invalid
	case !mayGrant && m.grantedBetween(m.up[what], to):
		want = fault.Denied
	}
	switch {
	case want == fault.Internal && err != nil, want != fault.Internal && !fault.Is(err, want):
		r.Fatalf("moving %v to %v: %v, want %v", what, to, err, want)
	case err == nil:
		m.up[what] = to
	}
}

func (m *folderModel) move(r *rapid.T, what access.Link) (to access.Link, move *workflow.Move) {
	to = m.somewhere(r)
	move = &workflow.Move{From: m.inside(m.up[what]), To: m.inside(to), MayGrant: rapid.Bool().Draw(r, "may grant")}
	return to, move
}

func (m *folderModel) moveFolder(r *rapid.T) {
	f := m.folder(r)
	if f == (access.Link{}) {
		return
	}
	to, move := m.move(r, f)
	_, err := m.w.ChangeFolder(m.w.ctx(), f.ID, workflow.FolderChange{Move: move}, m.w.Now())
	m.moved(r, f, to, move.MayGrant, err)
}

func (m *folderModel) moveWorkflow(r *rapid.T) {
	f := rapid.SampledFrom(m.workflows).Draw(r, "workflow")
	to, move := m.move(r, f)
	_, err := m.w.ChangeWorkflow(m.w.ctx(), f.ID, workflow.Change{Move: move}, m.w.Now())
	m.moved(r, f, to, move.MayGrant, err)
}

func (m *folderModel) deleteFolder(r *rapid.T) {
	f := m.folder(r)
	if f == (access.Link{}) {
		return
	}
	_, err := m.w.DeleteFolder(m.w.ctx(), f.ID, workflow.FolderRemoval{Around: m.inside(m.up[f]), MayFill: true, MayGrant: true}, m.w.Now())
	if err != nil {
		r.Fatal(err)
	}
	for x, in := range m.up {
		if in == f {
			m.up[x] = m.up[f]
		}
	}
	maps.DeleteFunc(m.granted, func(g folderGrant, _ tenant.Role) bool { return g.on == f })
	delete(m.up, f)
	m.folders = slices.DeleteFunc(m.folders, func(x access.Link) bool { return x == f })
}

func (m *folderModel) grant(r *rapid.T) {
	g := folderGrant{
		rapid.SampledFrom(m.principals).Draw(r, "principal"),
		rapid.SampledFrom(slices.Concat(m.workflows, m.folders)).Draw(r, "resource"),
	}
	word := rapid.SampledFrom([]string{"user", "owner", ""}).Draw(r, "role")
	if word != "" {
		_, err := m.w.SaveGrant(m.w.ctx(), access.Grant{
			ID: m.w.ID(), OrganizationID: m.n.OrganizationID, Principal: g.to, Resource: g.on, Role: access.GrantableRole(word), CreatedAt: m.w.Now(),
		})
		if err != nil {
			r.Fatal(err)
		}
		m.granted[g] = access.GrantableRole(word)
		return
	}
	err := m.w.DeleteGrant(m.w.ctx(), m.n.OrganizationID, g.to, g.on)
	if _, there := m.granted[g]; there != (err == nil) || err != nil && !fault.Is(err, fault.NotFound) {
		r.Fatalf("revoked: %v, want it there: %t", err, there)
	}
	delete(m.granted, g)
}

// compare looks at one thing with the eyes of one principal.
func (m *folderModel) compare(r *rapid.T) {
	p := rapid.SampledFrom(m.principals).Draw(r, "who")
	of := rapid.SampledFrom(slices.Concat(m.workflows, m.folders)).Draw(r, "what")
	got, err := m.w.Resource(m.w.ctx(), []id.ID{m.n.OrganizationID}, of)
	if of == m.workflows[0] {
		name := rapid.SampledFrom(append(slices.Sorted(maps.Keys(m.deployed)), "")).Draw(r, "under it")
		if name != "" {
			got, err = m.deployed[name]()
		}
	}
	if err != nil {
		r.Fatal(err)
	}
	who, err := m.w.Member(m.w.ctx(), m.n.OrganizationID, p)
	if err != nil {
		r.Fatal(err)
	}
	want := m.role(p, of)
	d := access.Decide(who, access.DeployWorkflow, got)
	if d.Granted != want || d.Allowed != (want >= tenant.RoleMember) || !slices.Equal(got.Chain, m.chain(of)) {
		r.Fatalf("%v on %v: %v by %v through %v, want %v through %v", p, of, d.Granted, d.By, got.Chain, want, m.chain(of))
	}
}
