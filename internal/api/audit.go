package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/audit/lines"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/tenant"
)

// Audit is the log of who did what.
type Audit interface {
	AuditPage(ctx context.Context, f audit.Filter) (audit.Page, error)
	AuditChain(ctx context.Context, organization id.ID, after int64, limit int) ([]audit.Link, error)
}

// AuditRecorder records what changes nothing.
type AuditRecorder interface {
	Record(ctx context.Context, e audit.Entry)
}

const (
	adminAuditPath = "/api/admin/audit"
	// maxExport bounds the lines of one export, and exportStep those that are read
	// at a time.
	maxExport, defaultExport = 100_000, 10_000
	exportStep               = 500
)

func registerAudit(r *route.Router, d Deps) {
	o := auditOperations{d}
	const tag = "Audit"
	route.Operation(r, route.Spec{
		Method: http.MethodGet, Path: organizationPath + "/audit", Policy: access.Requires(access.ReadAudit),
		OperationID: "list-organization-audit", Summary: "Show what was done in an organization, newest first", Tag: tag,
	}, d.organization(), func(ctx context.Context, c route.Call[tenant.Organization], in *AuditQuery) (*auditList, error) {
		return o.list(ctx, c.Object.ID, in)
	})
	route.Operation(r, route.Spec{
		Method: http.MethodGet, Path: adminAuditPath, Policy: access.Admin(access.Administer),
		OperationID: "list-audit", Summary: "Show what was done on this installation, newest first", Tag: tag,
	}, route.NoObject(), func(ctx context.Context, _ route.Call[route.None], in *listAllAudit) (*auditList, error) {
		organization, err := parseOptionalID("query.organizationId", in.OrganizationID)
		if err != nil {
			return nil, err
		}
		return o.list(ctx, organization, &in.AuditQuery)
	})
	const exports = "One line for each entry, oldest first, with its number and its hash, so that the lines can be checked without this server " +
		"(`flowwd audit verify`). Query: `after`, the number of the last entry that is known, and `limit` (10000 at most 100000). " +
		"An answer without lines is the end."
	route.Raw(r, route.Spec{
		Method: http.MethodGet, Path: organizationPath + "/audit/export", Policy: access.Requires(access.ReadAudit), Stream: true,
		OperationID: "export-organization-audit", Summary: "Export the audit log of an organization as JSON lines", Tag: tag,
		Description: exports + " Numbers are missing where entries belong to others.", ContentType: lines.ContentType,
	}, d.organization(), func(w http.ResponseWriter, r *http.Request, c route.Call[tenant.Organization]) error {
		return o.export(w, r, c.Object.ID)
	})
	route.Raw(r, route.Spec{
		Method: http.MethodGet, Path: adminAuditPath + "/export", Policy: access.Admin(access.Administer), Stream: true,
		OperationID: "export-audit", Summary: "Export the whole audit log as JSON lines", Tag: tag,
		Description: exports, ContentType: lines.ContentType,
	}, route.NoObject(), func(w http.ResponseWriter, r *http.Request, _ route.Call[route.None]) error {
		return o.export(w, r, id.ID{})
	})
}

type auditOperations struct{ Deps }

func (o auditOperations) list(ctx context.Context, organization id.ID, in *AuditQuery) (*auditList, error) {
	f, err := in.filter()
	if err != nil {
		return nil, err
	}
	f.OrganizationID = organization
	page, err := o.Audit.AuditPage(ctx, f)
	if err != nil {
		return nil, err
	}
	return showAudit(page), nil
}

// export writes entries as they are read, each step within a time of its own.
func (o auditOperations) export(w http.ResponseWriter, r *http.Request, organization id.ID) error {
	query := r.URL.Query()
	after, err := number(query, "after", 0, 0, 1<<62)
	if err != nil {
		return err
	}
	left, err := number(query, "limit", defaultExport, 1, maxExport)
	if err != nil {
		return err
	}
	o.Recorder.Record(r.Context(), audit.Entry{OrganizationID: organization, Action: audit.ExportAudit})
	// The first step may fail, and then there is an answer that says so.
	step, err := o.Audit.AuditChain(r.Context(), organization, after, int(min(left, exportStep)))
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", lines.ContentType)
	h.Set("Content-Disposition", `attachment; filename="audit.jsonl"`)
	h.Set("Cache-Control", "no-store")
	out := route.NewStreamWriter(w, sendTimeout)
	for len(step) > 0 && r.Method != http.MethodHead && r.Context().Err() == nil {
		var text []byte
		for _, l := range step {
			if text, err = lines.Append(text, l); err != nil {
				return err
			}
			after = l.Seq
		}
		if err := out.Send(text); err != nil {
			return err
		}
		if left -= int64(len(step)); left <= 0 {
			return nil
		}
		if step, err = o.Audit.AuditChain(r.Context(), organization, after, int(min(left, exportStep))); err != nil {
			return err
		}
	}
	return nil
}

// number reads a number of a query that no operation reads.
func number(query url.Values, name string, unset, low, high int64) (int64, error) {
	text := query.Get(name)
	if text == "" {
		return unset, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < low || n > high {
		return 0, invalid("query."+name, "must be a number from "+strconv.FormatInt(low, 10)+" to "+strconv.FormatInt(high, 10))
	}
	return n, nil
}
