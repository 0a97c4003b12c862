package api

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

const helloWorkflow = `"id":"#3","name":"hello","description":"about","namespaceId":"#2","parentFolderId":null,"createdById":"#9",` +
	`"createdAt":"2026-03-04T04:06:07.008Z","updatedAt":"2026-03-04T04:06:07.008Z","active":true`

func withActive(w *world) {
	w.workflows.all[0].ActiveDeployment = &workflow.ActiveDeployment{
		ID: n(5), DeployedAt: clock, Providers: []workflow.ProviderRef{{Type: "builtin", Alias: "default"}},
	}
}

func TestListWorkflows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		query string
		want  workflow.ListFilter
	}{
		{"", workflow.ListFilter{Limit: 50}},
		{"?limit=100&offset=3&search=a%20b", workflow.ListFilter{Limit: 100, Offset: 3, Search: "a b"}},
		{"?namespaceId=#2", workflow.ListFilter{Limit: 50, NamespaceID: n(2)}},
		{"?namespace_id=#2&folder_id=null&root_only=false", workflow.ListFilter{Limit: 50, NamespaceID: n(2), Root: true}},
		{"?root_only=true", workflow.ListFilter{Limit: 50, Root: true}},
		{"?parent_folder_id=#6&root_only=true", workflow.ListFilter{Limit: 50, FolderID: n(6)}},
		{"?folderId=#7", workflow.ListFilter{Limit: 50, FolderID: n(7)}},
	} {
		w := newWorld(t, withFolders)
		wantJSON(t, w.ask(t, "GET", ids("/api/workflows"+c.query), ""), 200, `{"results":[{`+helloWorkflow+`,"lastDeployment":null}],"total":7}`)
		c.want.Organizations = []id.ID{n(orgNumber)}
		if diff := cmp.Diff(c.want, w.workflows.filter); diff != "" {
			t.Errorf("%s: %s", c.query, diff)
		}
	}
	for query, text := range map[string]string{
		"?limit=0": "query.limit", "?limit=101": "query.limit", "?limit=x": "query.limit", "?offset=-1": "query.offset",
		"?namespaceId=x": "query.namespaceId: must be a UUID", "?parentFolderId=x": "query.parentFolderId: must be a UUID", "?rootOnly=x": "query.rootOnly", "?limit=1&limit=2": "given twice",
	} {
		wantError(t, newWorld(t).ask(t, "GET", "/api/workflows"+query, ""), 400, text)
	}
	w := newWorld(t, withActive, func(w *world) { w.workflows.all = append(w.workflows.all[:1:1], w.workflows.all[0]) })
	r := w.ask(t, "GET", "/api/workflows", "")
	const deployed = `{` + helloWorkflow + `,"lastDeployment":{"deployedAt":"2026-03-04T04:06:07.008Z","providerDefinitions":[{"type":"builtin","alias":"default"}]}}`
	wantJSON(t, r, 200, `{"results":[`+deployed+`,`+deployed+`],"total":7}`)

	empty := newWorld(t, func(w *world) { w.workflows.all = nil })
	wantJSON(t, empty.ask(t, "GET", "/api/workflows", ""), 200, `{"results":[],"total":7}`)
}

func TestCreateWorkflow(t *testing.T) {
	t.Parallel()
	text := "about"
	for name, c := range map[string]struct {
		body string
		want workflow.Workflow
	}{
		"least":      {`{"name":"a","namespaceId":"#2"}`, workflow.Workflow{Name: "a"}},
		"snake_case": {`{"name":"a","namespace_id":"#2","description":"about","parent_folder_id":null}`, workflow.Workflow{Name: "a", Description: &text}},
		"null":       {`{"name":"a","namespaceId":"#2","description":null}`, workflow.Workflow{Name: "a"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			description := "null"
			if c.want.Description != nil {
				description = `"about"`
			}
			wantJSON(t, w.ask(t, "POST", "/api/workflows", ids(c.body)), 201,
				`{"id":"#4","name":"a","description":`+description+`,"namespaceId":"#2","parentFolderId":null,"createdById":"#9",
				"createdAt":"2026-03-04T04:06:07.008Z","updatedAt":"2026-03-04T04:06:07.008Z","active":true,"lastDeployment":null}`)
			c.want.OrganizationID, c.want.NamespaceID, c.want.CreatedByID = n(orgNumber), n(namespaceNumber), n(memberNumber)
			if diff := cmp.Diff(c.want, w.workflows.created); diff != "" {
				t.Error(diff)
			}
		})
	}
	for name, c := range map[string]struct{ body, key, wrong string }{
		"no name":             {`{"namespaceId":"#2"}`, "member", "name"},
		"empty name":          {`{"name":"","namespaceId":"#2"}`, "member", "body.name"},
		"no namespace":        {`{"name":"a"}`, "member", "namespaceId"},
		"unknown namespace":   {`{"name":"a","namespaceId":"#3"}`, "member", "Namespace not found"},
		"malformed namespace": {`{"name":"a","namespaceId":"x"}`, "member", "Namespace not found"},
		"foreign namespace":   {`{"name":"a","namespaceId":"#2"}`, "stranger", "Namespace not found"},
		"folder":              {`{"name":"a","namespaceId":"#2","parentFolderId":"#3"}`, "member", "Parent folder not found"},
		"description type":    {`{"name":"a","namespaceId":"#2","description":7}`, "member", "body.description"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			wantError(t, w.ask(t, "POST", "/api/workflows", ids(c.body), "Authorization: Bearer "+c.key), 400, c.wrong)
			if w.workflows.created.Name != "" {
				t.Error("it was created all the same")
			}
		})
	}
	taken := newWorld(t, func(w *world) {
		w.workflows.err = fault.New(fault.Conflict, "A workflow with this name already exists")
	})
	wantError(t, taken.ask(t, "POST", "/api/workflows", ids(`{"name":"a","namespaceId":"#2"}`)), 409, "already exists")
}

func TestGetWorkflow(t *testing.T) {
	t.Parallel()
	wantJSON(t, newWorld(t).ask(t, "GET", ids("/api/workflows/#3"), ""), 200, `{`+helloWorkflow+`,"lastDeployment":null}`)
	wantJSON(t, newWorld(t, withActive).ask(t, "GET", ids("/api/workflows/#3/"), ""), 200, `{`+helloWorkflow+`,
		"lastDeployment":{"deployedAt":"2026-03-04T04:06:07.008Z","providerDefinitions":[{"type":"builtin","alias":"default"}]},
		"activeDeployment":{"id":"#5","deployedAt":"2026-03-04T04:06:07.008Z","status":"ACTIVE"}}`)
	wantError(t, newWorld(t).ask(t, "GET", ids("/api/workflows/#4"), ""), 404, "Workflow not found")
}

func TestChangeWorkflow(t *testing.T) {
	t.Parallel()
	name, text, no := "b", "text", false
	var none *string
	textPointer := &text
	for body, want := range map[string]*workflow.Change{
		`{}`:                     nil,
		`{"triggersMetadata":1}`: nil,
		`{"name":"b"}`:           {Name: &name},
		`{"active":false}`:       {Active: &no},
		`{"description":"text"}`: {Description: &textPointer},
		`{"description":null}`:   {Description: &none},
		`{"name":"b","namespaceId":"#2","parent_folder_id":null}`: {Name: &name},
	} {
		w := newWorld(t)
		wantJSON(t, w.ask(t, "PATCH", ids("/api/workflows/#3"), ids(body)), 200, `{`+helloWorkflow+`,"lastDeployment":null}`)
		if diff := cmp.Diff(want, w.workflows.change); diff != "" {
			t.Errorf("%s: %s", body, diff)
		}
	}
	for body, wrong := range map[string]string{
		`{"name":null}`:           "body.name: must not be null",
		`{"name":7}`:              "body.name",
		`{"active":null}`:         "body.active: must be true or false",
		`{"active":"yes"}`:        "body.active",
		`{"namespaceId":"#4"}`:    "can't move to another namespace",
		`{"parentFolderId":"#4"}`: "Parent folder not found",
		`[]`:                      "body",
		``:                        "Request body is required",
	} {
		w := newWorld(t)
		wantError(t, w.ask(t, "PATCH", ids("/api/workflows/#3"), ids(body)), 400, wrong)
		if w.workflows.change != nil {
			t.Errorf("%s changed something", body)
		}
	}
}

func TestDeleteWorkflow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	wantJSON(t, w.ask(t, "DELETE", ids("/api/workflows/#3"), ""), 200, `{"id":"#3","message":"workflow deleted successfully","success":true}`)
	if w.workflows.deleted != n(3) {
		t.Errorf("deleted %s", w.workflows.deleted)
	}
}
