package api

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/workflow"
)

// withFolders puts folder 7 into folder 6. Folder 8 is of another namespace, and
// folder 9 of another organization.
func withFolders(w *world) {
	for number, namespace := range map[byte]byte{6: namespaceNumber, 7: namespaceNumber, 8: 1} {
		w.folders.all = append(w.folders.all, workflow.Folder{ID: n(number), OrganizationID: n(orgNumber), NamespaceID: n(namespace), Name: "f"})
	}
	w.folders.all = append(w.folders.all, workflow.Folder{ID: n(9), OrganizationID: n(98), NamespaceID: n(97)})
	for i := range w.folders.all {
		if w.folders.all[i].ID == n(7) {
			w.folders.all[i].Folders = []id.ID{n(6)}
		}
	}
}

// oneFolder leaves the world with folder 7 alone, as it is shown.
func oneFolder(w *world) {
	w.folders.all = []workflow.Folder{{
		ID: n(7), OrganizationID: n(orgNumber), NamespaceID: n(namespaceNumber), Name: "f", Folders: []id.ID{n(6)},
		CreatedByID: n(memberNumber), CreatedAt: clock, UpdatedAt: clock,
	}}
}

const shownFolder = `"id":"#7","name":"f","namespaceId":"#2","namespace_id":"#2","parentFolderId":"#6","parent_folder_id":"#6","createdById":"#9",` +
	`"createdAt":"2026-03-04T04:06:07.008Z","updatedAt":"2026-03-04T04:06:07.008Z"`

func TestShowFolders(t *testing.T) {
	t.Parallel()
	w := newWorld(t, oneFolder)
	wantJSON(t, w.ask(t, "GET", ids("/api/folders/#7"), ""), 200, `{`+shownFolder+`}`)
	wantJSON(t, w.ask(t, "GET", ids("/api/folders/#7/path"), ""), 200, `{`+shownFolder+`,"path":[{`+shownFolder+`}],"results":[{`+shownFolder+`}]}`)
	wantJSON(t, w.ask(t, "GET", "/api/folders", ""), 200, `{"results":[{`+shownFolder+`}],"total":7}`)
	wantError(t, w.ask(t, "GET", ids("/api/folders/#8"), ""), 404, "Folder not found")
	wantError(t, w.ask(t, "GET", ids("/api/folders/#7"), "", "Authorization: Bearer stranger"), 404, "Folder not found")
	mine := []id.ID{n(orgNumber)}
	for query, want := range map[string]workflow.FolderFilter{
		"":                      {Organizations: mine, Limit: 1000},
		"?parentFolderId=null":  {Organizations: mine, Limit: 1000},
		"?namespace_id=#2":      {Organizations: mine, NamespaceID: n(2), Limit: 1000},
		"?parent_folder_id=#6":  {Organizations: mine, ParentID: n(6), Limit: 1000},
		"?limit=1&offset=2":     {Organizations: mine, Limit: 1, Offset: 2},
		"?parent_folder_id=#9":  {ParentID: n(9), Limit: 1000}, // another's shows nothing
		"?parent_folder_id=#98": {ParentID: n(98), Limit: 1000},
	} {
		w := newWorld(t, withFolders)
		if query == "?parent_folder_id=#98" {
			query = "?parent_folder_id=" + n(98).String()
		}
		if r := w.ask(t, "GET", ids("/api/folders"+query), ""); r.status != 200 {
			t.Errorf("%s: %d %s", query, r.status, r.text)
		}
		if diff := cmp.Diff(want, w.folders.filter); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
	}
	for query, text := range map[string]string{"?limit=0": "query.limit", "?limit=1001": "query.limit", "?namespaceId=x": "query.namespaceId", "?parentFolderId=x": "query.parentFolderId"} {
		wantError(t, newWorld(t).ask(t, "GET", "/api/folders"+query, ""), 400, text)
	}
}

func TestMakeAndChangeFolders(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withFolders)
	wantJSON(t, w.ask(t, "POST", "/api/folders", ids(`{"name":"x","namespace_id":"#2","parent_folder_id":"#7"}`)), 200, `{"id":"#4","name":"x","namespaceId":"#2","namespace_id":"#2",
		"parentFolderId":"#7","parent_folder_id":"#7","createdById":"#9","createdAt":"2026-03-04T04:06:07.008Z","updatedAt":"2026-03-04T04:06:07.008Z"}`)
	if diff := cmp.Diff([]id.ID{n(7), n(6)}, w.folders.created.Folders); diff != "" {
		t.Error(diff)
	}
	for body, text := range map[string]string{
		`{"namespaceId":"#2"}`:                                      "name",
		`{"name":"","namespaceId":"#2"}`:                            "body.name",
		`{"name":"x"}`:                                              "namespaceId",
		`{"name":"x","namespaceId":"#3"}`:                           "Namespace not found",
		`{"name":"x","namespaceId":"x"}`:                            "Namespace not found",
		`{"name":"x","namespaceId":"#2","parentFolderId":"x"}`:      "Parent folder not found",
		`{"name":"x","namespaceId":"#2","parentFolderId":"#9"}`:     "Parent folder not found",
		`{"name":"x","namespaceId":"#2","parentFolderId":"#8"}`:     "Parent folder must be in the same namespace",
		`{"name":"x","namespaceId":"#2","parentFolderId":["#6"]}`:   "body.parentFolderId",
		`{"name":"x","namespaceId":"#2","parent_folder_id":"null"}`: "Parent folder not found",
	} {
		wantError(t, newWorld(t, withFolders).ask(t, "POST", "/api/folders", ids(body)), 400, text)
	}
	name := "y"
	for body, want := range map[string]*workflow.FolderChange{
		`{}`:                                    nil,
		`{"parentFolderId":"#6"}`:               nil, // it is there
		`{"name":"y","namespaceId":"#2"}`:       {Name: &name},
		`{"parent_folder_id":null}`:             {Move: &workflow.Move{From: []id.ID{n(6)}}},
		`{"name":"y","parent_folder_id":"#7"}`:  {Name: &name, Move: &workflow.Move{From: []id.ID{n(6)}, To: []id.ID{n(7), n(6)}}},
		`{"parentFolderId":null,"name":"y"}   `: {Name: &name, Move: &workflow.Move{From: []id.ID{n(6)}}},
	} {
		w := newWorld(t, withFolders)
		if r := w.ask(t, "PATCH", ids("/api/folders/#7"), ids(body)); r.status != 200 {
			t.Errorf("%s: %d %s", body, r.status, r.text)
		}
		if diff := cmp.Diff(want, w.folders.change); diff != "" {
			t.Errorf("%s: %s", body, diff)
		}
	}
	for body, text := range map[string]string{
		`{"name":null}`: "body.name", `{"namespaceId":"#3"}`: "another namespace", `{"parentFolderId":"#8"}`: "same namespace", `{"parentFolderId":"#9"}`: "Parent folder not found",
	} {
		wantError(t, newWorld(t, withFolders).ask(t, "PATCH", ids("/api/folders/#7"), ids(body)), 400, text)
	}
	for _, key := range []string{"viewer", "mixed"} {
		wantError(t, newWorld(t, withFolders).ask(t, "PATCH", ids("/api/folders/#7"), `{"name":"y"}`, "Authorization: Bearer "+key), 403, "folder.write")
		wantError(t, newWorld(t, withFolders).ask(t, "DELETE", ids("/api/folders/#7"), "", "Authorization: Bearer "+key), 403, "folder.write")
	}
	wantError(t, newWorld(t, withFolders).ask(t, "POST", "/api/folders", ids(`{"name":"x","namespaceId":"#2"}`), "Authorization: Bearer mixed"), 403, "folder.write")
	for key, want := range map[string]workflow.FolderRemoval{
		"member": {Around: []id.ID{n(6)}, MayFill: true}, "admin": {Around: []id.ID{n(6)}, MayFill: true, MayGrant: true},
	} {
		w := newWorld(t, withFolders)
		wantJSON(t, w.ask(t, "DELETE", ids("/api/folders/#7"), "", "Authorization: Bearer "+key), 200,
			`{"id":"#7","message":"folder deleted successfully","success":true,"moved":{"folders":1,"workflows":2}}`)
		if diff := cmp.Diff(&want, w.folders.removal); diff != "" {
			t.Errorf("%s: %s", key, diff)
		}
	}
}
