package api

import (
	"context"
	"net/http"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/route"
)

// Sessions are those of browsers that are logged in.
type Sessions interface {
	List(ctx context.Context, user id.ID) ([]identity.Session, error)
	End(ctx context.Context, user, session id.ID) error
	EndOthers(ctx context.Context, user, but id.ID) (int, error)
}

type sessionBody struct {
	ID         id.ID     `json:"id"`
	Current    bool      `json:"current" doc:"The one that asks"`
	Address    string    `json:"address" doc:"Where the login came from"`
	UserAgent  string    `json:"userAgent" doc:"What the browser called itself then"`
	CreatedAt  timestamp `json:"createdAt"`
	LastUsedAt timestamp `json:"lastUsedAt" doc:"To the minute"`
	ExpiresAt  timestamp `json:"expiresAt" doc:"When it ends if it is not used"`
}

type sessionList struct {
	Results []sessionBody `json:"results" nullable:"false"`
	Total   int           `json:"total"`
}

type endedSessions struct {
	Ended int `json:"ended" doc:"How many sessions there were"`
}

func registerSessions(r *route.Router, d Deps) {
	route.Operation(r, route.Spec{
		Method: http.MethodGet, Path: "/api/sessions", Policy: access.Self(access.ReadWhoami),
		OperationID: "list-sessions", Summary: "List the browsers that you are logged in with", Tag: "Identity",
	}, route.NoObject(), func(ctx context.Context, c route.Call[route.None], _ *struct{}) (*sessionList, error) {
		all, err := d.Sessions.List(ctx, c.Principal.ID)
		if err != nil {
			return nil, err
		}
		list := sessionList{Results: make([]sessionBody, len(all)), Total: len(all)}
		for i, s := range all {
			list.Results[i] = sessionBody{
				ID: s.ID, Current: s.ID == c.Principal.SessionID, Address: s.Address, UserAgent: s.UserAgent,
				CreatedAt: timestamp(s.CreatedAt), LastUsedAt: timestamp(s.SeenAt), ExpiresAt: timestamp(s.ExpiresAt),
			}
		}
		return &list, nil
	})
	route.Operation(r, route.Spec{
		Method: http.MethodDelete, Path: "/api/sessions", Policy: access.Self(access.WriteSelf),
		OperationID: "end-sessions", Summary: "Log out of all browsers but the one that asks", Tag: "Identity",
	}, route.NoObject(), func(ctx context.Context, c route.Call[route.None], _ *struct{}) (*endedSessions, error) {
		n, err := d.Sessions.EndOthers(ctx, c.Principal.ID, c.Principal.SessionID)
		return &endedSessions{Ended: n}, err
	})
	route.Operation(r, route.Spec{
		Method: http.MethodDelete, Path: "/api/sessions/{id}", Policy: access.Self(access.WriteSelf),
		OperationID: "end-session", Summary: "Log out of a browser", Tag: "Identity",
	}, route.NoObject(), func(ctx context.Context, c route.Call[route.None], _ *struct{}) (*endedSessions, error) {
		session, err := id.Parse(c.Param("id"))
		if err != nil {
			return nil, fault.New(fault.NotFound, "Session not found")
		}
		return &endedSessions{Ended: 1}, d.Sessions.End(ctx, c.Principal.ID, session)
	})
}
