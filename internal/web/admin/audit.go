package admin

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/web/ui"
)

const (
	adminAuditPath = adminPath + "/audit"
	// auditExport is where the log is downloaded.
	auditExport = "/api/admin/audit/export"
	dayLayout   = "2006-01-02"
)

// auditView is a page of the audit log with what it was asked for.
type auditView struct {
	// Actor, Action, Target, Outcome, Since and Until are as they were typed.
	Actor, Action, Target, Outcome, Since, Until string
	Problem                                      string
	Entries                                      []auditEntryView
	// Older is the address of the following page; empty on the last.
	Older string
}

// filtered reports whether anything was asked for.
func (v auditView) filtered() bool {
	return v.Actor+v.Action+v.Target+v.Outcome+v.Since+v.Until != ""
}

type auditEntryView struct {
	Seq                                  int64
	At                                   time.Time
	Action, Who, Kind, Target, Address   string
	Organization, Request, Before, After string
	Refused                              bool
}

func (d Deps) getAdminAudit(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
	query := r.URL.Query()
	v := viewOf(query)
	f, problem := v.filter(query)
	if problem != "" {
		v.Problem = problem
		return ui.Show(w, r, http.StatusBadRequest, d.frame("Audit log", c.Principal), auditPage(v))
	}
	page, err := d.Audit.AuditPage(r.Context(), f)
	if err != nil {
		return err
	}
	for _, l := range page.Links {
		v.Entries = append(v.Entries, showEntry(l))
	}
	if page.Next > 0 {
		older := url.Values{"before": {strconv.FormatInt(page.Next, 10)}}
		for _, name := range auditNames {
			if text := query.Get(name); text != "" {
				older.Set(name, text)
			}
		}
		v.Older = adminAuditPath + "?" + older.Encode()
	}
	return ui.Show(w, r, http.StatusOK, d.frame("Audit log", c.Principal), auditPage(v))
}

// viewOf is a page of what was asked for.
func viewOf(query url.Values) auditView {
	return auditView{
		Actor: query.Get("actor"), Action: query.Get("action"), Target: query.Get("target"), Outcome: query.Get("outcome"),
		Since: query.Get("since"), Until: query.Get("until"),
	}
}

// filter reads what was typed, and says what is wrong with it. Days are those of
// UTC, and the last one is a whole one.
func (v auditView) filter(query url.Values) (f audit.Filter, problem string) {
	f = audit.Filter{Actor: v.Actor, Action: audit.Action(v.Action), Target: v.Target, Outcome: audit.Outcome(v.Outcome), Limit: audit.DefaultPage}
	var err error
	if v.Since != "" {
		if f.Since, err = time.Parse(dayLayout, v.Since); err != nil {
			return f, "The first day must be one like 2026-03-04."
		}
	}
	if v.Until != "" {
		if f.Until, err = time.Parse(dayLayout, v.Until); err != nil {
			return f, "The last day must be one like 2026-03-04."
		}
		f.Until = f.Until.AddDate(0, 0, 1).Add(-time.Millisecond)
	}
	if before := query.Get("before"); before != "" {
		if f.Before, err = strconv.ParseInt(before, 10, 64); err != nil || f.Before < 1 {
			return f, "There is no such page."
		}
	}
	return f, ""
}

func showEntry(l audit.Link) auditEntryView {
	e := auditEntryView{
		Seq: l.Seq, At: l.At, Action: string(l.Action), Who: l.Actor.Name, Kind: l.Actor.Kind, Address: l.Actor.Address,
		Request: l.Actor.RequestID, Before: indented(l.Before), After: indented(l.After), Refused: l.Outcome == audit.Refused,
	}
	if e.Target = l.Target.ID; l.Target.Type != "" {
		e.Target = l.Target.Type + ":" + l.Target.ID
	}
	if !l.OrganizationID.IsZero() {
		e.Organization = l.OrganizationID.String()
	}
	if e.Who == "" && !l.Actor.ID.IsZero() {
		e.Who = l.Actor.ID.String()
	}
	return e
}

// indented writes a JSON text for people; what is none stays as it is.
func indented(text json.RawMessage) string {
	if text == nil {
		return ""
	}
	pretty, err := json.MarshalIndent(text, "", "  ")
	if err != nil {
		return string(text)
	}
	return string(pretty)
}
