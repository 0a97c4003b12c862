package storetest

import (
	"bytes"
	"time"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/alert"
	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Fill puts rows into every table, and executions into every state, and
// returns the workflow that most of them belong to.
func (w *World) Fill() workflow.Workflow {
	w.t.Helper()
	n := w.Namespace()
	w.key(n.OrganizationID, "ci")
	u := w.User(n.OrganizationID, tenant.RoleMember)
	w.invite(n.OrganizationID, w.User(n.OrganizationID, tenant.RoleOwner).ID, tenant.RoleMember)
	w.Session(u.ID, "filled")
	w.must(w.CreateLink(w.ctx(), w.link("filled", u.ID)))
	w.device(u.ID, "filled")
	w.deviceCode()
	_, err := w.CheckEncryptionKey(w.ctx(), [][32]byte{{1}})
	w.must(err)
	f, triggers := w.Deployed(n, workflow.Options{}, workflow.Options{Concurrency: 1})
	w.granted(access.PrincipalRef{Type: access.UserPrincipal, ID: u.ID}, f, "user")
	w.receiver(f, alert.Webhook)
	w.certificate("example.com", "filled")
	w.fillKV(f)
	w.place(f, w.folder(n, "filled", w.folder(n, "around").Inside()...))
	w.secret(n, "filled", "default")
	gone := w.Activation(f)
	gone.Version, gone.Remove = 2, []id.ID{triggers[1].ID}
	w.end(triggers[0], execution.Completed)
	_, err = w.FoldTotals(w.ctx(), 10)
	w.must(err)
	finished := w.Run(triggers[0])
	w.must(w.AppendLog(w.ctx(), finished.Lease, execution.LogChunk{First: 1, Lines: Lines(2, w.Now())}))
	w.must(w.FinishExecution(w.ctx(), &finished, w.Outcome()))
	for _, state := range []execution.State{execution.Failed, execution.TimedOut, execution.Cancelled} {
		w.end(triggers[0], state)
	}
	for range 2 {
		interrupted := w.Run(triggers[1])
		_, err := w.InterruptExecution(w.ctx(), interrupted.Lease, execution.Interruption{Reason: "test", EndedAt: w.Now()})
		w.must(err)
		w.must(w.FinishExecution(w.ctx(), &w.Claim(1)[0], w.Outcome()))
	}
	w.must(w.ActivateDeployment(w.ctx(), gone))
	w.fail(w.Run(triggers[0]), time.Hour)
	later := w.Acceptance(triggers[0])
	at := w.Now().Add(time.Hour)
	later.AvailableAt = &at
	w.accept(later)
	w.accept(w.delivered(triggers[0], "k", "x"))
	_, scheduled := w.Scheduled(n, w.Now())
	w.accept(w.turn(scheduled, w.Now()))
	w.develop(f, u.ID, triggers[:1], w.devTrigger(f, "developed"))
	w.batch(f, execution.ReplayEach, execution.Failed)
	w.runtime(n, "filled")
	large := w.Acceptance(triggers[0])
	large.Event.Body = bytes.Repeat([]byte("x"), 100_000)
	w.accept(large)
	f.Version = 3
	return f
}

// ReadAll calls every method that reads.
func (w *World) ReadAll(f workflow.Workflow) {
	w.t.Helper()
	mine := []id.ID{f.OrganizationID}
	off, on := false, true
	var errs []error
	note := func(_ any, err error) { errs = append(errs, err) }
	note(w.Organizations(w.ctx(), mine))
	note(w.Namespaces(w.ctx(), mine, 10))
	note(w.Store.Namespace(w.ctx(), mine, f.NamespaceID))
	w.readOrganization(f.OrganizationID, note)
	keys, err := w.APIKeys(w.ctx(), 10)
	note(nil, err)
	note(w.PrincipalByKeyHash(w.ctx(), keys[0].Hash, w.Now()))
	w.readAccounts(f, note)
	note(w.RevokeAPIKeys(w.ctx(), identity.KeyMatch{ID: w.ID()}, w.Now()))
	w.readLogins(note)
	w.readDevices(note)
	w.readKV(f, note)
	w.readDev(f, note)
	w.readSecrets(f, note)
	w.readFolders(f, note)
	note(w.Store.Workflow(w.ctx(), mine, f.ID))
	note(w.Workflows(w.ctx(), workflow.ListFilter{Organizations: mine, NamespaceID: f.NamespaceID, Search: "w", Limit: 10}))
	note(w.ChangeWorkflow(w.ctx(), f.ID, workflow.Change{Active: &off}, w.Now()))
	note(w.Claim(10), nil)
	note(w.ChangeWorkflow(w.ctx(), f.ID, workflow.Change{Active: &on}, w.Now()))
	note(w.Triggers(w.ctx(), f.ID))
	note(w.WebhookWorkflow(w.ctx(), "/webhook/"+f.ID.String()+"/w"))
	d, _ := w.statuses(f.ID)
	note(w.Store.Deployment(w.ctx(), mine, d[0]))
	note(w.Source(w.ctx(), d[0]))
	note(w.QueueDepth(w.ctx()))
	for _, of := range []id.ID{{}, f.ID} {
		for _, state := range append([]execution.State{""}, execution.States...) {
			page, err := w.Executions(w.ctx(), execution.ListFilter{Organizations: mine, WorkflowID: of, State: state, Limit: 10})
			note(page, err)
			note(w.FindExecutions(w.ctx(), execution.FindFilter{Organizations: mine, WorkflowID: of, State: state, Limit: 10}))
			note(w.FindExecutions(w.ctx(), execution.FindFilter{Organizations: mine, WorkflowID: of, State: state, After: id.ID{15: 1}, Limit: 10}))
			for _, e := range page.Executions {
				note(w.Execution(w.ctx(), mine, e.ID))
				note(w.Logs(w.ctx(), e.ID, execution.Cursor{}, 10))
				note(w.FindLines(w.ctx(), e.ID, execution.LineFilter{Limit: 10}))
				note(w.FindLines(w.ctx(), e.ID, execution.LineFilter{First: true, Limit: 10}))
				note(w.Attempts(w.ctx(), e.ID, 10))
			}
		}
	}
	note(w.DailyCounts(w.ctx(), execution.SummaryFilter{OrganizationID: f.OrganizationID, NamespaceID: f.NamespaceID, Since: w.Now()}))
	note(w.LatestExecutions(w.ctx(), []id.ID{f.ID}))
	note(w.HourCounts(w.ctx(), []id.ID{f.ID}, w.Now()))
	note(w.HourSteps(w.ctx(), f.ID, w.Now()))
	note(w.NextSchedules(w.ctx(), []id.ID{f.ID}))
	note(w.SearchLogs(w.ctx(), execution.LogQuery{WorkflowID: f.ID, Limit: 10}))
	for _, organization := range []id.ID{{}, f.OrganizationID} {
		note(w.AuditChain(w.ctx(), organization, 0, 10))
		note(w.AuditPage(w.ctx(), audit.Filter{OrganizationID: organization, Since: w.Now(), Until: w.Now(), Limit: 10}))
	}
	for _, search := range []string{"", "ada", w.ID().String()} {
		note(w.UsersPage(w.ctx(), identity.UserFilter{Search: search, Limit: 10}))
	}
	admin := w.User(f.OrganizationID, tenant.RoleViewer)
	note(w.ChangeUser(w.ctx(), admin.ID, identity.UserChange{Admin: &on, At: w.Now()}))
	_, err = w.ChangeUser(w.ctx(), admin.ID, identity.UserChange{Admin: &off, Approved: []string{"x", w.ID().String()}, Provider: "test", At: w.Now()})
	if !fault.Is(err, fault.Conflict) {
		note(nil, err)
	}
	note(w.SignOutUser(w.ctx(), admin.ID))
	note(w.KnowsEncryptionKey(w.ctx(), nil))
	note(w.VerifyAudit(w.ctx()))
	note(w.WebhookPatterns(w.ctx(), f.ID))
	w.readBatches(f, note)
	w.readRuntimes(f, note)
	w.readAlerts(f, note)
	_, _, err = w.DueSchedules(w.ctx(), w.Now(), 10)
	note(nil, err)
	note(w.TriggerRuns(w.ctx(), f.ID, 10))
	for _, t := range w.triggers(f.ID) {
		note(w.Trigger(w.ctx(), mine, t.ID))
	}
	_, _, err = w.WakePostponed(w.ctx(), w.Now(), 10)
	note(nil, err)
	note(w.Claims(w.ctx(), w.inc, 10))
	note(w.TakeBackClaims(w.ctx(), "test", w.Now()))
	note(w.PurgeExpired(w.ctx(), w.Now().Add(-time.Hour), w.Now(), 10))
	for _, err := range errs {
		w.must(err)
	}
}

// readLogins calls what people log in with.
func (w *World) readLogins(note func(any, error)) {
	s, p, _ := w.open("filled")
	note(w.Sessions(w.ctx(), p.ID, w.Now(), 10))
	note(w.ClaimRenewal(w.ctx(), s.ID, w.Now(), w.Now(), w.Now()))
	note(nil, w.RenewSession(w.ctx(), s.ID, nil, nil))
	note(w.HasAccounts(w.ctx()))
	note(w.LinkUser(w.ctx(), hashOf("filled"), w.Now()))
	made, err := w.SetUp(w.ctx(), w.account("first"), "h", nil)
	note(made, err)
	note(w.PasswordOf(w.ctx(), made.ID))
	_, _, err = w.UserByLogin(w.ctx(), "first")
	note(nil, err)
	note(nil, w.ChangePassword(w.ctx(), made.ID, "h", "h2", id.ID{}, w.Now()))
	note(w.ChoosePassword(w.ctx(), hashOf("filled"), "h", w.Now()))
}

// readOrganization calls what reads and changes one organization.
func (w *World) readOrganization(of id.ID, note func(any, error)) {
	w.t.Helper()
	members, err := w.Members(w.ctx(), of, 10, 0)
	note(nil, err)
	who := members[0].Person.ID
	note(w.FindMembers(w.ctx(), []id.ID{of}, "", 10))
	note(w.OrganizationRemoval(w.ctx(), of))
	note(nil, w.SetMember(w.ctx(), of, who, tenant.RoleOwner, w.Now()))
	note(w.ChangeMember(w.ctx(), tenant.MemberChange{OrganizationID: of, UserID: who, CallerID: who, Role: tenant.RoleOwner, At: w.Now()}))
	note(nil, w.NameOrganization(w.ctx(), of, "org_filled", w.Now()))
	i := w.invite(of, who, tenant.RoleMember)
	note(w.Store.Invitations(w.ctx(), of, 10, 0))
	note(w.InvitationByHash(w.ctx(), i.Hash, w.Now()))
	note(w.RenewInvitation(w.ctx(), tenant.Renewal{OrganizationID: of, InvitationID: i.ID, CallerID: who, Hash: i.Hash, At: w.Now(), ExpiresAt: i.ExpiresAt}))
	_, _, err = w.AcceptInvitation(w.ctx(), i.Hash, w.guest().ID, w.Now())
	note(nil, err)
	note(w.RevokeInvitation(w.ctx(), of, w.invite(of, who, tenant.RoleMember).ID, w.Now()))
	note(nil, w.SettleInvitations(w.ctx(), of, nil, w.Now()))
	note(w.ImportMembers(w.ctx(), of, []tenant.Import{{UserID: w.ID(), Provider: "test", DirectoryMember: tenant.DirectoryMember{Subject: "filled", Role: tenant.RoleMember}}}, w.Now()))
	name := "renamed"
	note(w.ChangeOrganization(w.ctx(), of, tenant.OrganizationChange{Name: &name}, w.Now()))
	note(nil, w.DeleteOrganization(w.ctx(), of, w.Now()))
	note(w.DeletedOrganizations(w.ctx(), who, w.Now().Add(-time.Hour), 10))
	note(w.RestoreOrganization(w.ctx(), of, who, w.Now().Add(-time.Hour), w.Now()))
}

// readAccounts calls what reads and changes service accounts and grants.
func (w *World) readAccounts(f workflow.Workflow, note func(any, error)) {
	a := w.serviceAccount(f.OrganizationID, tenant.RoleMember)
	k := w.keyOf(a, "rotated")
	note(nil, w.AddKey(w.ctx(), k, 10))
	_, _, err := w.RotateKey(w.ctx(), identity.Rotation{AccountID: a.ID, KeyID: k.ID, Next: w.keyOf(a, "-"), Until: w.Now()})
	note(nil, err)
	note(w.RevokeKey(w.ctx(), a.ID, k.ID, w.Now()))
	note(w.ServiceAccounts(w.ctx(), f.OrganizationID, 10, 0))
	note(w.ServiceAccount(w.ctx(), []id.ID{f.OrganizationID}, a.ID))
	note(w.ChangeServiceAccount(w.ctx(), a.ID, identity.AccountChange{}))
	p := access.PrincipalRef{Type: access.AccountPrincipal, ID: a.ID}
	for _, word := range []string{"user", "owner"} {
		note(w.SaveGrant(w.ctx(), w.grant(p, f, word)))
	}
	on := workflowLink(f.ID)
	note(w.GrantsOn(w.ctx(), f.OrganizationID, []access.Link{on, workflowLink(w.ID())}, 10))
	note(w.GrantsOf(w.ctx(), []id.ID{f.OrganizationID}, p, 10))
	note(w.Member(w.ctx(), f.OrganizationID, p))
	note(w.Resource(w.ctx(), []id.ID{f.OrganizationID}, on))
	note(nil, w.DeleteGrant(w.ctx(), f.OrganizationID, p, on))
	note(nil, w.DeleteServiceAccount(w.ctx(), a.ID))
}
