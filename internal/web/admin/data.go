package admin

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/records"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/web/ui"
)

// dataPath is where rows are shown, in the way of 5.3 of identity-realtime-admin.md
// of the wire contract, so that bookmarks work.
const dataPath = adminPath + "/api"

// maxBriefCell is how many characters of a text a list shows.
const maxBriefCell = 80

// registerData registers the lists of all entities, and the pages of their rows.
func registerData(r *route.Router, d Deps) {
	d.adminPage(r, dataPath, d.getEntities)
	recorded := func(path string, get func(http.ResponseWriter, *http.Request, route.Call[route.None]) error) {
		route.Raw(r, route.Spec{
			Method: http.MethodGet, Path: path, Policy: access.Admin(access.Administer), Page: true,
		}, route.NoObject(), func(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
			// What was looked for is not recorded: it may be somebody's e-mail.
			d.opened(r, r.URL.Path)
			return get(w, r, c)
		})
	}
	recorded(dataPath+"/{entity}/list", d.getList)
	recorded(dataPath+"/{entity}/details/{key}", d.getDetails)
	route.Raw(r, route.Spec{
		Method: http.MethodPost, Path: dataPath + "/{entity}/details/{key}/{action}", Policy: access.Admin(access.Administer), Page: true, Body: true, BodyLimit: ui.MaxForm,
	}, route.NoObject(), d.postDetails)
}

func listPath(e records.Entity) string { return dataPath + "/" + e.Name + "/list" }

func detailsPath(entity, key string) string {
	return dataPath + "/" + entity + "/details/" + url.PathEscape(key)
}

// entityGroup are entities that are listed together.
type entityGroup struct {
	Name     string
	Entities []records.Entity
}

func (d Deps) getEntities(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
	var groups []entityGroup
	for _, e := range records.All() {
		if len(groups) == 0 || groups[len(groups)-1].Name != e.Group {
			groups = append(groups, entityGroup{Name: e.Group})
		}
		last := &groups[len(groups)-1]
		last.Entities = append(last.Entities, e)
	}
	return ui.Show(w, r, http.StatusOK, d.frame("Data", c.Principal), entitiesPage(groups))
}

// listView is a page of rows with what it was asked for.
type listView struct {
	Entity  records.Entity
	Columns []records.Column
	// Search, Column and Value are as they were typed.
	Search, Column, Value string
	Problem               string
	Rows                  []rowView
	First, Older          string
}

// rowView is a row of a list.
type rowView struct {
	Path  string
	Cells []cellView
}

// cellView is a value as it is shown.
type cellView struct {
	Name string
	Null bool
	Text string
	Time time.Time
	// Path leads to what the value is the key of; empty for nothing.
	Path string
	// Code says that the value is no prose.
	Code bool
}

// narrowing are the columns by which a list can be narrowed.
func (v listView) narrowing() []ui.Option {
	options := []ui.Option{{Value: "", Name: "Everything"}}
	for _, c := range v.Entity.Columns {
		if c.Indexed {
			options = append(options, ui.Option{Value: c.Name, Name: columnName(c.Name)})
		}
	}
	return options
}

func (d Deps) getList(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
	e, known := records.Named(c.Param("entity"))
	if !known {
		return fault.New(fault.NotFound, "There is no such table")
	}
	query := r.URL.Query()
	v := listView{Entity: e, Search: strings.TrimSpace(query.Get("search")), Column: query.Get("column"), Value: strings.TrimSpace(query.Get("value"))}
	for _, one := range e.Shown() {
		if !one.Detail {
			v.Columns = append(v.Columns, one)
		}
	}
	q := records.Query{Search: v.Search, Before: query.Get("before"), Limit: records.DefaultPage}
	if v.Column != "" && v.Value != "" {
		q.Column, q.Value = v.Column, v.Value
	}
	status := http.StatusOK
	page, err := d.list(r, e, q, query.Get("pageSize"))
	if err != nil {
		if status, v.Problem, err = ui.Problem(w, err); err != nil {
			return err
		}
	}
	for _, row := range page.Rows {
		v.Rows = append(v.Rows, rowView{detailsPath(e.Name, e.KeyOf(row)), cells(e, row, false)})
	}
	if q.Before != "" {
		query.Del("before")
		v.First = listPath(e) + "?" + query.Encode()
	}
	if page.Next != "" {
		query.Set("before", page.Next)
		v.Older = listPath(e) + "?" + query.Encode()
	}
	f := d.frame(e.Title, c.Principal)
	return ui.Show(w, r, status, f, listPage(v))
}

func (d Deps) list(r *http.Request, e records.Entity, q records.Query, size string) (records.Page, error) {
	if size != "" {
		n, err := strconv.Atoi(size)
		if err != nil || n < 1 || n > records.MaxPage {
			return records.Page{}, fault.New(fault.Invalid, "pageSize must be a number from 1 to %d", records.MaxPage)
		}
		q.Limit = n
	}
	return d.Records.Records(r.Context(), e, q)
}

// cells are the values of a row: those of a list, or all of them.
func cells(e records.Entity, row records.Row, all bool) []cellView {
	var shown []cellView
	for i, c := range e.Shown() {
		if c.Detail && !all {
			continue
		}
		value := row[i]
		cell := cellView{Name: columnName(c.Name), Null: value.Null, Text: value.Text, Time: value.Time, Code: c.Kind == records.ID || c.Kind == records.Hash}
		if c.Of != "" && !value.Null && (c.Of != e.Name || !slices.Contains(e.Key, c.Name)) {
			cell.Path = detailsPath(c.Of, value.Text)
		}
		if c.Kind == records.Size && !value.Null {
			cell.Text += " bytes"
		}
		if runes := []rune(cell.Text); !all && len(runes) > maxBriefCell {
			cell.Text = string(runes[:maxBriefCell]) + "…"
		}
		shown = append(shown, cell)
	}
	return shown
}

// columnName writes the name of a column for people.
func columnName(name string) string {
	for _, end := range []string{"_id", "_at"} {
		if cut := strings.TrimSuffix(name, end); cut != "" {
			name = cut
		}
	}
	text := strings.TrimPrefix(strings.ReplaceAll(name, "_", " "), "is ")
	return strings.ToUpper(text[:1]) + text[1:]
}

// detailsView is the page of a row.
type detailsView struct {
	Entity        records.Entity
	Key           string
	Cells         []cellView
	Pointing      []ui.Link
	Actions       []rowAction
	Done, Problem string
	// See leads to a page of its own that there is about it.
	See ui.Link
}

func (d Deps) getDetails(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
	e, row, err := d.row(r, c)
	if err != nil {
		return err
	}
	v := d.details(e, row)
	for _, a := range d.actions()[e.Name] {
		if a.Name == r.URL.Query().Get("done") {
			v.Done = a.Done
		}
	}
	return ui.Show(w, r, http.StatusOK, d.detailsFrame(e, c), detailsPage(v))
}

func (d Deps) detailsFrame(e records.Entity, c route.Call[route.None]) ui.Frame {
	return d.frame(e.One, c.Principal)
}

// row loads the row that a path names.
func (d Deps) row(r *http.Request, c route.Call[route.None]) (records.Entity, records.Row, error) {
	e, known := records.Named(c.Param("entity"))
	if !known {
		return e, nil, fault.New(fault.NotFound, "There is no such table")
	}
	row, err := d.Records.Record(r.Context(), e, c.Param("key"))
	return e, row, err
}

func (d Deps) details(e records.Entity, row records.Row) detailsView {
	v := detailsView{Entity: e, Key: e.KeyOf(row), Cells: cells(e, row, true)}
	if len(e.Key) == 1 {
		for _, p := range records.Pointing(e.Name) {
			if p.Entity.Name == e.Name && slices.Contains(e.Key, p.Column) {
				continue
			}
			name := p.Entity.Title
			if p.Entity.Name == e.Name {
				name += " inside"
			}
			v.Pointing = append(v.Pointing, ui.Link{Path: listPath(p.Entity) + "?" + url.Values{"column": {p.Column}, "value": {v.Key}}.Encode(), Name: name})
		}
		v.Pointing = append(v.Pointing, ui.Link{Path: adminAuditPath + "?" + url.Values{"target": {v.Key}}.Encode(), Name: "What was done to it"})
	}
	if e.Name == "user" {
		v.Pointing = append(v.Pointing, ui.Link{Path: adminAuditPath + "?" + url.Values{"actor": {v.Key}}.Encode(), Name: "What they did"})
		v.See = ui.Link{Path: adminUsersPath + "?" + url.Values{"search": {v.Key}}.Encode(), Name: "Disable, sign out or make an administrator"}
	}
	for _, a := range d.actions()[e.Name] {
		if a.Fits == nil || a.Fits(valueOf(e, row)) {
			v.Actions = append(v.Actions, a)
		}
	}
	return v
}

// valueOf returns the values of a row by the names of their columns.
func valueOf(e records.Entity, row records.Row) func(column string) records.Value {
	return func(column string) records.Value {
		i := slices.IndexFunc(e.Shown(), func(c records.Column) bool { return c.Name == column })
		if i < 0 {
			return records.Value{Null: true}
		}
		return row[i]
	}
}

// searchLabel says what a search of an entity looks into.
func searchLabel(e records.Entity) string {
	if !e.Searched() {
		return "An id"
	}
	var names []string
	for _, c := range e.Columns {
		if c.Found {
			names = append(names, strings.ToLower(columnName(c.Name)))
		}
	}
	return "An id, or a part of: " + strings.Join(names, ", ")
}
