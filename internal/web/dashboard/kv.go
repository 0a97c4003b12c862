package dashboard

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/kv"
	"github.com/usefloww/flowwd/internal/objects"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/web/ui"
)

const (
	kvPath = ui.KV
	// shownKeys is how many keys a page lists, with up to shownValues bytes of their
	// values, of each the first briefValue characters.
	shownKeys   = 50
	shownValues = 1 << 20
	briefValue  = 160
	// maxKVForm bounds a form with a value, which grows when it is sent.
	maxKVForm = 4 * kv.MaxValue
)

// KeyValues keeps the tables of workflows.
type KeyValues interface {
	All(ctx context.Context, c kv.Caller) ([]kv.TableInfo, error)
	List(ctx context.Context, c kv.Caller, l kv.Listing) (kv.Page, error)
	Get(ctx context.Context, c kv.Caller, t kv.Table, key string) (kv.Item, error)
	Put(ctx context.Context, c kv.Caller, p kv.Put) (kv.Item, error)
	Delete(ctx context.Context, c kv.Caller, t kv.Table, key string, ifVersion *int64) error
	Permissions(ctx context.Context, c kv.Caller, t kv.Table) ([]kv.Permission, error)
}

func registerKV(r *route.Router, d Deps) {
	route.Raw(r, route.Spec{
		Method: http.MethodGet, Path: kvPath, Policy: access.Requires(access.ReadKV), Page: true,
	}, route.NoObject(), d.getTables)
	page := func(method, path string, action access.Action, handle func(http.ResponseWriter, *http.Request, route.Call[tenant.Namespace]) error) {
		route.Raw(r, route.Spec{
			Method: method, Path: kvPath + "/{id}" + path, Policy: access.Requires(action), Page: true, Body: method == http.MethodPost, BodyLimit: maxKVForm,
		}, objects.Namespace(d.Tenants.Namespace), handle)
	}
	page(http.MethodGet, "/table", access.ReadKV, d.getTable)
	page(http.MethodGet, "/value", access.ReadKV, d.getValue)
	page(http.MethodPost, "", access.WriteKV, d.postValue)
	page(http.MethodPost, "/delete", access.WriteKV, d.postDeleteValue)
}

// ownerIn is somebody who acts as the owner of a namespace's tables.
func ownerIn(n tenant.Namespace) kv.Caller {
	return kv.Caller{OrganizationID: n.OrganizationID, NamespaceID: n.ID}
}

func tablePath(namespace id.ID, t kv.Table) string {
	return kvPath + "/" + namespace.String() + "/table?" + url.Values{"store": {t.Store}, "table": {t.Name}}.Encode()
}

func keyPath(namespace id.ID, t kv.Table, key string) string {
	return kvPath + "/" + namespace.String() + "/value?" + url.Values{"store": {t.Store}, "table": {t.Name}, "key": {key}}.Encode()
}

// tableIn is the table that an address names.
func tableIn(q url.Values) kv.Table { return kv.Table{Store: q.Get("store"), Name: q.Get("table")} }

func mayWriteKV(p identity.Principal, organization id.ID) bool {
	return access.Decide(p, access.WriteKV, access.Resource{OrganizationID: organization}).Allowed
}

func (d Deps) kvFrame(title string, p identity.Principal) ui.Frame {
	f := d.Frame(title, p)
	f.Here = kvPath
	return f
}

// tablesView is the list of tables.
type tablesView struct {
	Organization string
	Choices      []ui.Option
	Namespaces   []namespaceTables
	Writes       bool
	Problem      string
	// Form is what was typed for a new value.
	Form valueForm
}

type namespaceTables struct {
	ID     string
	Tables []tableRow
}

type tableRow struct {
	Path, Store, Name string
	Keys              int
	Made              time.Time
}

// valueForm is what was typed to store a value.
type valueForm struct{ Store, Table, Key, Value string }

func (d Deps) getTables(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
	o, err := d.chosen(r, c.Principal, access.ReadKV)
	if err != nil {
		return err
	}
	return d.showTables(w, r, http.StatusOK, c.Principal, o.ID, tablesView{Form: valueForm{Store: "default"}})
}

func (d Deps) showTables(w http.ResponseWriter, r *http.Request, status int, p identity.Principal, organization id.ID, v tablesView) error {
	v.Organization, v.Writes = organization.String(), mayWriteKV(p, organization)
	var err error
	if v.Choices, err = d.choices(r.Context(), p, access.ReadKV); err != nil {
		return err
	}
	namespaces, err := d.Tenants.Namespaces(r.Context(), []id.ID{organization})
	if err != nil {
		return err
	}
	for _, n := range namespaces {
		tables, err := d.Own.KeyValues.All(r.Context(), ownerIn(n))
		if err != nil {
			return err
		}
		shown := namespaceTables{ID: n.ID.String()}
		for _, t := range tables {
			shown.Tables = append(shown.Tables, tableRow{tablePath(n.ID, t.Table), t.Store, t.Name, t.Keys, t.CreatedAt})
		}
		v.Namespaces = append(v.Namespaces, shown)
	}
	return ui.Show(w, r, status, d.kvFrame("Key-value store", p), tablesPage(v))
}

// tableView is a page of a table's keys.
type tableView struct {
	Organization, Namespace, Path string
	kv.Table
	Prefix      string
	Items       []itemView
	Permissions []permissionView
	Pager       ui.Pager
	Writes      bool
	Done        string
}

type itemView struct {
	Path, Key, Value string
	Version          int64
	Changed          time.Time
}

type permissionView struct{ Path, Workflow, May string }

// kvDone says what was done, by the word in the address.
var kvDone = map[string]string{
	"stored":  "The value is stored; runs read it from now on.",
	"deleted": "The key is deleted.",
}

func (d Deps) getTable(w http.ResponseWriter, r *http.Request, c route.Call[tenant.Namespace]) error {
	q, who := r.URL.Query(), ownerIn(c.Object)
	t, path := tableIn(q), kvPath+"/"+c.Object.ID.String()+"/table"
	v := tableView{
		Organization: c.Object.OrganizationID.String(), Namespace: c.Object.ID.String(), Path: path, Table: t, Prefix: q.Get("prefix"),
		Writes: mayWriteKV(c.Principal, c.Object.OrganizationID), Done: kvDone[q.Get("done")],
	}
	page, err := d.Own.KeyValues.List(r.Context(), who, kv.Listing{Table: t, Prefix: v.Prefix, After: q.Get("after"), Limit: shownKeys, Values: true, MaxBytes: shownValues})
	if err != nil {
		return err
	}
	for _, i := range page.Items {
		v.Items = append(v.Items, itemView{keyPath(c.Object.ID, t, i.Key), i.Key, cut(string(i.Value), briefValue), i.Version, i.UpdatedAt})
	}
	if q.Get("after") != "" {
		v.Pager.Before = path + "?" + withOnly(q, "store", "table", "prefix").Encode()
	}
	if page.More {
		next := withOnly(q, "store", "table", "prefix")
		next.Set("after", page.Items[len(page.Items)-1].Key)
		v.Pager.After = path + "?" + next.Encode()
	}
	if v.Permissions, err = d.permissions(r.Context(), who, t); err != nil {
		return err
	}
	f := d.kvFrame(t.Name, c.Principal)
	f.Above = []ui.Link{{Path: ofOrganization(kvPath, c.Object.OrganizationID), Name: "Key-value store"}}
	return ui.Show(w, r, http.StatusOK, f, tablePage(v))
}

// withOnly are the values of a query that have one of the names.
func withOnly(q url.Values, names ...string) url.Values {
	kept := url.Values{}
	for _, name := range names {
		if text := q.Get(name); text != "" {
			kept.Set(name, text)
		}
	}
	return kept
}

// permissions are the workflows that may use a table, of which a page names the
// first.
func (d Deps) permissions(ctx context.Context, who kv.Caller, t kv.Table) ([]permissionView, error) {
	all, err := d.Own.KeyValues.Permissions(ctx, who, t)
	if err != nil {
		return nil, err
	}
	shown := make([]permissionView, 0, min(len(all), shownKeys))
	for _, p := range all[:min(len(all), shownKeys)] {
		of, err := d.Workflows.Workflow(ctx, []id.ID{who.OrganizationID}, p.WorkflowID)
		if fault.Is(err, fault.NotFound) {
			continue // it was deleted meanwhile
		}
		if err != nil {
			return nil, err
		}
		may := "reads"
		switch {
		case p.CanRead && p.CanWrite:
			may = "reads and writes"
		case p.CanWrite:
			may = "writes"
		}
		shown = append(shown, permissionView{workflowPath(p.WorkflowID), of.Name, may})
	}
	return shown, nil
}

// valueView is the page of a key.
type valueView struct {
	Namespace, Table string
	Form             valueForm
	kv.Item
	Writes        bool
	Problem, Done string
}

func (d Deps) getValue(w http.ResponseWriter, r *http.Request, c route.Call[tenant.Namespace]) error {
	q := r.URL.Query()
	t := tableIn(q)
	item, err := d.Own.KeyValues.Get(r.Context(), ownerIn(c.Object), t, q.Get("key"))
	if err != nil {
		return err
	}
	v := valueView{Form: valueForm{t.Store, t.Name, item.Key, prettyJSON(item.Value)}, Item: item, Done: kvDone[q.Get("done")]}
	return d.showValue(w, r, http.StatusOK, c, t, v)
}

func (d Deps) showValue(w http.ResponseWriter, r *http.Request, status int, c route.Call[tenant.Namespace], t kv.Table, v valueView) error {
	v.Namespace, v.Table, v.Writes = c.Object.ID.String(), tablePath(c.Object.ID, t), mayWriteKV(c.Principal, c.Object.OrganizationID)
	f := d.kvFrame(v.Form.Key, c.Principal)
	f.Above = []ui.Link{{Path: ofOrganization(kvPath, c.Object.OrganizationID), Name: "Key-value store"}, {Path: v.Table, Name: t.Name}}
	return ui.Show(w, r, status, f, valuePage(v))
}

// prettyJSON writes a value in lines, as people read it.
func prettyJSON(value json.RawMessage) string {
	var b bytes.Buffer
	if json.Indent(&b, value, "", "  ") != nil {
		return string(value)
	}
	return b.String()
}

// compactJSON is a value without what was typed for people alone; what is none
// stays as it is, for the service to refuse.
func compactJSON(text string) json.RawMessage {
	var b bytes.Buffer
	if json.Compact(&b, []byte(text)) != nil {
		return json.RawMessage(text)
	}
	return b.Bytes()
}

// versionIn reads which version a form is about; nil for whatever there is.
func versionIn(f ui.Form) (*int64, error) {
	text := f.Get("version")
	if text == "" {
		return nil, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil, fault.New(fault.Invalid, "The version must be a number")
	}
	return &n, nil
}

func (d Deps) postValue(w http.ResponseWriter, r *http.Request, c route.Call[tenant.Namespace]) error {
	f, err := ui.ReadForm(r, c.Body)
	if err != nil {
		return err
	}
	form := valueForm{f.Get("store"), f.Get("table"), f.Get("key"), f["value"]}
	t := kv.Table{Store: form.Store, Name: form.Table}
	version, err := versionIn(f)
	if err == nil {
		_, err = d.Own.KeyValues.Put(r.Context(), ownerIn(c.Object), kv.Put{Table: t, Key: form.Key, Value: compactJSON(form.Value), IfVersion: version})
	}
	if err == nil {
		ui.Redirect(w, r, keyPath(c.Object.ID, t, form.Key)+"&done=stored")
		return nil
	}
	status, text, err := ui.Problem(w, err)
	if err != nil {
		return err
	}
	if version == nil || *version == 0 {
		return d.showTables(w, r, status, c.Principal, c.Object.OrganizationID, tablesView{Problem: text, Form: form})
	}
	item, err := d.Own.KeyValues.Get(r.Context(), ownerIn(c.Object), t, form.Key)
	if err != nil {
		return err
	}
	return d.showValue(w, r, status, c, t, valueView{Form: form, Item: item, Problem: text})
}

func (d Deps) postDeleteValue(w http.ResponseWriter, r *http.Request, c route.Call[tenant.Namespace]) error {
	f, err := ui.ReadForm(r, c.Body)
	if err != nil {
		return err
	}
	version, err := versionIn(f)
	if err != nil {
		return err
	}
	t := kv.Table{Store: f.Get("store"), Name: f.Get("table")}
	if err := d.Own.KeyValues.Delete(r.Context(), ownerIn(c.Object), t, f.Get("key"), version); err != nil {
		return err
	}
	ui.Redirect(w, r, tablePath(c.Object.ID, t)+"&done=deleted")
	return nil
}
