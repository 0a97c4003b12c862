package admin

import (
	"bytes"
	"encoding/csv"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/audit/lines"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/route"
)

const (
	filteredExport = adminAuditPath + "/export"
	// maxExported bounds the entries of one download, exportSteps the pages that are
	// looked at for them, and exportPatience how long a client may take for one.
	maxExported    = 100_000
	exportSteps    = 10_000
	exportPatience = 10 * time.Second
	csvType        = "text/csv; charset=utf-8"
)

// auditNames are what the log can be asked for.
var auditNames = []string{"actor", "action", "target", "outcome", "since", "until"}

func registerAuditExport(r *route.Router, d Deps) {
	route.Raw(r, route.Spec{
		Method: http.MethodGet, Path: filteredExport, Policy: access.Admin(access.Administer), Stream: true,
	}, route.NoObject(), d.exportAudit)
}

// exportAddress leads to what was asked for, in a format.
func (v auditView) exportAddress(format string) string {
	q := url.Values{"format": {format}}
	for i, text := range []string{v.Actor, v.Action, v.Target, v.Outcome, v.Since, v.Until} {
		if text != "" {
			q.Set(auditNames[i], text)
		}
	}
	return filteredExport + "?" + q.Encode()
}

// exportAudit writes the entries that a filter selects, newest first, as they are
// read.
func (d Deps) exportAudit(w http.ResponseWriter, r *http.Request, _ route.Call[route.None]) error {
	query := r.URL.Query()
	f, problem := viewOf(query).filter(query)
	if problem != "" {
		return fault.New(fault.Invalid, "%s", strings.TrimSuffix(problem, "."))
	}
	f.Limit = audit.MaxPage
	form, write, contentType := query.Get("format"), appendLine, lines.ContentType
	switch form {
	case "csv":
		write, contentType = appendCSV, csvType
	case "jsonl":
	default:
		return fault.New(fault.Invalid, "the format must be csv or jsonl")
	}
	d.Recorder.Record(r.Context(), audit.Entry{Action: audit.ExportAudit})
	// The first step may fail, and then there is an answer that says so.
	page, err := d.Audit.AuditPage(r.Context(), f)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Disposition", `attachment; filename="audit.`+form+`"`)
	h.Set("Cache-Control", "no-store")
	out := route.NewStreamWriter(w, exportPatience)
	if form == "csv" {
		if err := sendCSV(out, auditColumns); err != nil {
			return err
		}
	}
	left := maxExported
	for range exportSteps {
		var text []byte
		for _, l := range page.Links[:min(len(page.Links), left)] {
			if text, err = write(text, l); err != nil {
				return err
			}
		}
		left -= len(page.Links)
		if len(text) > 0 {
			if err := out.Send(text); err != nil {
				return err
			}
		}
		if page.Next == 0 || left <= 0 || r.Method == http.MethodHead || r.Context().Err() != nil {
			break
		}
		f.Before = page.Next
		if page, err = d.Audit.AuditPage(r.Context(), f); err != nil {
			return err
		}
	}
	return nil
}

func appendLine(text []byte, l audit.Link) ([]byte, error) { return lines.Append(text, l) }

// auditColumns are the columns of a table of entries.
var auditColumns = []string{
	"entry", "time", "who", "kind", "id", "address", "action", "outcome", "target type", "target", "organization", "request", "before", "after",
}

func sendCSV(out *route.StreamWriter, row []string) error {
	text, err := csvRow(nil, row)
	if err != nil {
		return err
	}
	return out.Send(text)
}

func appendCSV(text []byte, l audit.Link) ([]byte, error) {
	orNone := func(x id.ID) string {
		if x.IsZero() {
			return ""
		}
		return x.String()
	}
	return csvRow(text, []string{
		strconv.FormatInt(l.Seq, 10), l.At.UTC().Format(time.RFC3339Nano), l.Actor.Name, l.Actor.Kind, orNone(l.Actor.ID), l.Actor.Address,
		string(l.Action), string(l.Outcome), l.Target.Type, l.Target.ID, orNone(l.OrganizationID), l.Actor.RequestID, string(l.Before), string(l.After),
	})
}

// csvRow appends a row. What a spreadsheet would take for a formula gets a mark
// before it that has it be text: names are what anybody chose.
func csvRow(text []byte, row []string) ([]byte, error) {
	safe := make([]string, len(row))
	for i, cell := range row {
		if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
			cell = "'" + cell
		}
		safe[i] = cell
	}
	b := bytes.NewBuffer(text)
	w := csv.NewWriter(b)
	if err := w.Write(safe); err != nil {
		return nil, err
	}
	w.Flush()
	return b.Bytes(), w.Error()
}
