package api

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/id"
)

// AuditQuery is exported because the parameters of an embedded type are read
// only then.
type AuditQuery struct {
	Actor   string `query:"actor" maxLength:"320" doc:"Id, name or kind of who did it"`
	Action  string `query:"action" maxLength:"64" doc:"A whole action, or the word before its dot"`
	Target  string `query:"target" maxLength:"320" doc:"Id or type of what it was done to, or both as type:id"`
	Outcome string `query:"outcome" enum:"done,refused" doc:"Only what was done, or only what was refused"`
	Since   string `query:"since" format:"date-time" doc:"Not before this time"`
	Until   string `query:"until" format:"date-time" doc:"Not after this time"`
	Before  string `query:"before" maxLength:"20" doc:"Goes on from an earlier page: its next"`
	Limit   int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type listAllAudit struct {
	AuditQuery
	OrganizationID string `query:"organizationId" doc:"Only entries of this organization"`
}

type auditList struct {
	Results []auditBody `json:"results" nullable:"false"`
	Next    *string     `json:"next" doc:"The before of the following page; null on the last one. A page that has fewer entries than asked for, even none, can be followed by another"`
}

type auditBody struct {
	Seq            int64           `json:"seq" doc:"Place in the chain of all entries"`
	ID             id.ID           `json:"id"`
	At             timestamp       `json:"at"`
	OrganizationID *id.ID          `json:"organizationId" nullable:"true"`
	Actor          auditActor      `json:"actor"`
	Action         audit.Action    `json:"action"`
	Outcome        audit.Outcome   `json:"outcome" enum:"done,refused"`
	Target         auditTarget     `json:"target"`
	Before         json.RawMessage `json:"before" nullable:"true" doc:"An object; null where there was nothing"`
	After          json.RawMessage `json:"after" nullable:"true" doc:"An object; null where there is nothing"`
}

type auditActor struct {
	Kind      string `json:"kind" doc:"user, service_account, operator (at the command line), system or anonymous"`
	ID        *id.ID `json:"id" nullable:"true"`
	Name      string `json:"name"`
	Address   string `json:"address" doc:"Where the request came from"`
	RequestID string `json:"requestId"`
}

type auditTarget struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

func (in *AuditQuery) filter() (audit.Filter, error) {
	f := audit.Filter{
		Actor: in.Actor, Action: audit.Action(in.Action), Target: in.Target, Outcome: audit.Outcome(in.Outcome), Limit: in.Limit,
	}
	for _, bound := range []struct {
		name, text string
		into       *time.Time
	}{{"query.since", in.Since, &f.Since}, {"query.until", in.Until, &f.Until}} {
		if bound.text == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339, bound.text)
		if err != nil {
			return f, invalid(bound.name, "must be a time like 2026-03-04T05:06:07Z")
		}
		*bound.into = at
	}
	if in.Before != "" {
		before, err := strconv.ParseInt(in.Before, 10, 64)
		if err != nil || before < 1 {
			return f, invalid("query.before", "must be the next of an earlier page")
		}
		f.Before = before
	}
	return f, nil
}

func showAudit(page audit.Page) *auditList {
	list := auditList{Results: make([]auditBody, len(page.Links))}
	for i, l := range page.Links {
		list.Results[i] = auditBody{
			Seq: l.Seq, ID: l.ID, At: timestamp(l.At), OrganizationID: idOrNull(l.OrganizationID),
			Actor: auditActor{
				Kind: l.Actor.Kind, ID: idOrNull(l.Actor.ID), Name: l.Actor.Name, Address: l.Actor.Address, RequestID: l.Actor.RequestID,
			},
			Action: l.Action, Outcome: l.Outcome, Target: auditTarget{l.Target.Type, l.Target.ID},
			Before: shownJSON(l.Before), After: shownJSON(l.After),
		}
	}
	if page.Next > 0 {
		list.Next = textOrNull(strconv.FormatInt(page.Next, 10))
	}
	return &list
}

// shownJSON leaves out what is no JSON, which somebody must have changed: the rest
// of the page is worth showing.
func shownJSON(text json.RawMessage) json.RawMessage {
	if !json.Valid(text) {
		return nil
	}
	return text
}

func parseOptionalID(location, text string) (id.ID, error) {
	if text == "" {
		return id.ID{}, nil
	}
	x, err := id.Parse(text)
	if err != nil {
		return id.ID{}, invalid(location, "must be a UUID")
	}
	return x, nil
}
