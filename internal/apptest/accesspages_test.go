package apptest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/usefloww/flowwd/internal/apptest"
)

// The page about access says who may do what and why, and gives and takes roles
// for those who may.
func TestPageOfAccess(t *testing.T) {
	t.Parallel()
	s, b := withAda(t)
	d := s.Deploy(t, "mine", apptest.Handler(`return 1`))
	page := "/workflows/" + d.WorkflowID + "/access"
	account := s.Account(t, "viewer")
	viewer := s.AccountKey(t, account, nil)
	who := "service_account:" + account
	wantText(t, b.Get(t, page), "Nobody was given a role on it", "Everybody in the organization sees", apptest.AdminLogin, `value="`+who+`"`, "sees it and its runs")
	wantText(t, b.Get(t, page+"?who="+who+"&action=workflow.run"), ">no<", "the role in the organization is viewer, which is too little")

	if to := b.Post(t, page, map[string]string{"who": who, "role": "user"}).Location(t); to != page+"?done=granted" {
		t.Errorf("given, and led to %s", to)
	}
	wantText(t, b.Get(t, page+"?done=granted"), "Access is given.", "Take it back")
	wantText(t, b.Get(t, page+"?who="+who+"&action=workflow.run"), ">yes<", "the role user is granted on the resource itself")

	folder := makeFolder(t, s.Client, `"><img src=x>`, "")
	if to := b.Post(t, "/workflows/"+d.WorkflowID+"/settings", map[string]string{"place": folder}).Location(t); !strings.HasSuffix(to, "?done=saved") {
		t.Errorf("moved, and led to %s", to)
	}
	s.JSON(t, http.StatusOK, "POST", "/api/access/grant", map[string]string{
		"principalType": "service_account", "principalId": account, "resourceType": "folder", "resourceId": folder, "role": "owner",
	})
	held := b.Get(t, page)
	wantText(t, held, "by the folder", "&#34;&gt;&lt;img src=x&gt;", ">owner<")
	if strings.Contains(string(held.Body), "<img src=x>") {
		t.Error("the page has a hostile name as it is")
	}
	if to := b.Post(t, page+"/revoke", map[string]string{"who": who}).Location(t); to != page+"?done=revoked" {
		t.Errorf("taken back, and led to %s", to)
	}
	for name, c := range map[string]struct {
		path   string
		values map[string]string
		status int
		text   string
	}{
		"nobody":            {page, map[string]string{"role": "user"}, 400, "nobody was chosen"},
		"somebody unknown":  {page, map[string]string{"who": "user:" + d.WorkflowID, "role": "user"}, 404, "Principal not found"},
		"no sort":           {page, map[string]string{"who": "run:" + d.WorkflowID, "role": "user"}, 400, "nothing that roles can be granted to"},
		"no role":           {page, map[string]string{"who": who, "role": "admin"}, 400, "must be owner or user"},
		"nothing to revoke": {page + "/revoke", map[string]string{"who": who}, 404, "Access grant not found"},
	} {
		if r := b.Post(t, c.path, c.values); r.Status != c.status || !strings.Contains(string(r.Body), c.text) {
			t.Errorf("%s: %d, want %d with %q", name, r.Status, c.status, c.text)
		}
	}
	for query, status := range map[string]int{"?who=" + who + "&action=kv.read": 400, "?who=x&action=workflow.run": 400, "?who=user:" + d.WorkflowID + "&action=workflow.run": 404} {
		if r := b.Get(t, page+query, "Accept", "text/html"); r.Status != status {
			t.Errorf("GET %s: %d, want %d", query, r.Status, status)
		}
	}
	other := s.Account(t, "viewer")
	plain := s.AccountKey(t, other, nil)
	self := plain.Do(t, "GET", page+"?who=service_account:"+other+"&action=workflow.read", nil, "Accept", "text/html")
	wantText(t, self, ">yes<", "Ask about yourself")
	if strings.Contains(string(self.Body), "Give access") {
		t.Error("a viewer is offered to give access")
	}
	if r := plain.Do(t, "GET", page+"?who="+who+"&action=workflow.read", nil, "Accept", "text/html"); r.Status != http.StatusForbidden {
		t.Errorf("a viewer asks about somebody else: %d", r.Status)
	}
	// By the folder, the first one may give access too.
	wantText(t, viewer.Do(t, "GET", page, nil, "Accept", "text/html"), "Give access")
	form := []string{"Content-Type", "application/x-www-form-urlencoded", "Accept", "text/html"}
	for _, path := range []string{page, page + "/revoke"} {
		if r := plain.Do(t, "POST", path, "who="+who+"&role=user", form...); r.Status != http.StatusForbidden {
			t.Errorf("POST %s by a viewer: %d, want 403", path, r.Status)
		}
		if r := s.OtherTenant(t).Do(t, "POST", path, "who="+who+"&role=user", form...); r.Status != http.StatusNotFound {
			t.Errorf("POST %s by another tenant: %d, want 404", path, r.Status)
		}
	}
	if r := s.OtherTenant(t).Do(t, "GET", page, nil, "Accept", "text/html"); r.Status != http.StatusNotFound {
		t.Errorf("another tenant: %d", r.Status)
	}
}

// Folders are renamed, moved and deleted on a page of their own, which says what
// becomes of what is in them.
func TestPagesOfFolders(t *testing.T) {
	t.Parallel()
	s, b := withAda(t)
	outer := makeFolder(t, s.Client, "outer", "")
	inner := makeFolder(t, s.Client, "inner", outer)
	page := "/folders/" + inner
	made := b.Post(t, "/workflows", map[string]string{"folder": inner, "name": "inside"}).Location(t)
	wantText(t, b.Get(t, "/workflows?folder="+inner), "Change this folder", page)
	shown := b.Get(t, page)
	wantText(t, shown, "Folder inner", "(in no folder)", ">outer<")
	if strings.Contains(string(shown.Body), "outer / inner") {
		t.Error("a folder can be moved into itself")
	}
	if to := b.Post(t, page, map[string]string{"name": "<b>new"}).Location(t); to != page+"?done=saved" {
		t.Errorf("renamed, and led to %s", to)
	}
	wantText(t, b.Get(t, made+"/settings"), "outer / &lt;b&gt;new")
	wantText(t, b.Get(t, page+"/delete"), "Delete the folder &lt;b&gt;new?", "What is in it goes to the folder outer", "<dd>1</dd>")
	b.Post(t, page, map[string]string{"place": ""}).Location(t)
	wantText(t, b.Get(t, page+"/delete"), "the list of all workflows")
	theirs := makeFolder(t, s.OtherTenant(t), "theirs", "")
	for name, c := range map[string]struct {
		values map[string]string
		status int
		text   string
	}{
		"no name":          {map[string]string{"name": " "}, 400, "name must not be empty"},
		"a name twice":     {map[string]string{"name": "outer"}, 409, "there already"},
		"into itself":      {map[string]string{"place": inner}, 400, "itself"},
		"into no folder":   {map[string]string{"place": "x"}, 404, "Folder not found"},
		"another tenant's": {map[string]string{"place": theirs}, 404, "Folder not found"},
	} {
		if r := b.Post(t, page, c.values); r.Status != c.status || !strings.Contains(string(r.Body), c.text) {
			t.Errorf("%s: %.2000s, want %d with %q", name, r, c.status, c.text)
		}
	}
	if r := b.Post(t, made+"/settings", map[string]string{"place": theirs}); r.Status != http.StatusNotFound {
		t.Errorf("a workflow is moved to another tenant: %d", r.Status)
	}
	refusesOthers(t, s, page)
	refusesOthers(t, s, page+"/delete")
	if to := b.Post(t, page+"/delete", nil).Location(t); to != "/workflows" {
		t.Errorf("deleted, and led to %s", to)
	}
	wantText(t, b.Get(t, "/workflows"), "1 in all", made)
	for i := range 101 {
		makeFolder(t, s.Client, "f"+strings.Repeat("x", i), "")
	}
	wantText(t, b.Get(t, "/workflows"), "100 of 102 folders are shown.", "?folders=100")
	wantText(t, b.Get(t, "/workflows?folders=100"), "2 of 102 folders are shown.", "?folders=0", ">outer<")
	if r := b.Get(t, "/workflows?folders=x", "Accept", "text/html"); r.Status != http.StatusBadRequest {
		t.Errorf("the folders x: %d", r.Status)
	}
}

// The page about access to a folder is the same for what is in it.
func TestPageOfAccessToAFolder(t *testing.T) {
	t.Parallel()
	s, b := withAda(t)
	d := s.Deploy(t, "mine", apptest.Handler(`return 1`))
	outer := makeFolder(t, s.Client, `"><img src=x>`, "")
	inner := makeFolder(t, s.Client, "inner", outer)
	page := "/folders/" + inner + "/access"
	account := s.Account(t, "viewer")
	viewer := s.AccountKey(t, account, nil)
	who := "service_account:" + account
	wantText(t, b.Get(t, "/workflows?folder="+inner), page)
	wantText(t, b.Get(t, page), "Access to the folder inner", "Nobody was given a role on it", "sees it and the runs of what is in it")
	wantText(t, b.Get(t, page+"?who="+who+"&action=folder.write"), ">no<", "the role in the organization is viewer, which is too little")

	above := "/folders/" + outer + "/access"
	if to := b.Post(t, above, map[string]string{"who": who, "role": "user"}).Location(t); to != above+"?done=granted" {
		t.Errorf("given, and led to %s", to)
	}
	held := b.Get(t, page+"?who="+who+"&action=workflow.deploy")
	wantText(t, held, ">yes<", "by the folder", "&#34;&gt;&lt;img src=x&gt;", "sees, runs, deploys and changes what is in it")
	if strings.Contains(string(held.Body), "<img src=x>") {
		t.Error("the page has a hostile name as it is")
	}
	moveInto(t, s.Client, http.StatusOK, "/api/workflows/"+d.WorkflowID, inner)
	viewer.JSON(t, http.StatusOK, "PATCH", "/api/workflows/"+d.WorkflowID, map[string]any{"name": "renamed"})
	form := []string{"Content-Type", "application/x-www-form-urlencoded", "Accept", "text/html"}
	if r := viewer.Do(t, "POST", page, "who="+who+"&role=owner", form...); r.Status != http.StatusForbidden {
		t.Errorf("a user of the folder gives access: %d", r.Status)
	}
	if to := b.Post(t, above+"/revoke", map[string]string{"who": who}).Location(t); to != above+"?done=revoked" {
		t.Errorf("taken back, and led to %s", to)
	}
	wantText(t, viewer.Do(t, "GET", page, nil, "Accept", "text/html"), "Nobody was given a role on it", "Ask about yourself")
	if r := b.Get(t, page+"?who="+who+"&action=kv.read", "Accept", "text/html"); r.Status != http.StatusBadRequest {
		t.Errorf("what can't be asked: %d", r.Status)
	}
	stranger := s.OtherTenant(t)
	for _, method := range []string{"GET", "POST"} {
		if r := stranger.Do(t, method, page, "who="+who+"&role=user", form...); r.Status != http.StatusNotFound {
			t.Errorf("%s by another tenant: %d", method, r.Status)
		}
	}
}
