package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/kv"
	"github.com/usefloww/flowwd/internal/route"
)

// Asks answers what the code of a run asks over the pipe of its process: the
// same as over HTTP with the run's token, without a connection and a token.
type Asks struct {
	KV     KV
	Tokens interface {
		Issue(r identity.RunIdentity, limit time.Duration) (string, error)
	}
	// Limit is how long an attempt may take.
	Limit func(c *execution.Claim) time.Duration
	Log   *slog.Logger
}

// asked is the answer to a question: one of the two members.
type asked struct {
	OK    any       `json:"ok,omitempty"`
	Error *askError `json:"error,omitempty"`
}

type askError struct {
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

// Answer answers a question of a claim's code. What went wrong is part of the
// answer, as it is over HTTP; the error is for questions that there are not.
func (a *Asks) Answer(ctx context.Context, c *execution.Claim, name string, question []byte) ([]byte, error) {
	ctx = audit.WithActor(ctx, identity.RunActor(c.ExecutionID))
	var ok any
	var err error
	switch name {
	case "kv":
		ok, err = a.kv(ctx, c, question)
	case "token":
		ok, err = a.Tokens.Issue(identity.RunIdentity{WorkflowID: c.WorkflowID, ExecutionID: c.ExecutionID, Incarnation: c.Incarnation, Attempt: c.Attempt}, a.Limit(c))
	default:
		return nil, fmt.Errorf("this server has no %.40q", name)
	}
	answer := asked{OK: ok}
	if err != nil {
		answer = asked{Error: a.explain(ctx, c, name, err)}
	}
	return json.Marshal(answer)
}

// explain shows a failure as the answer over HTTP would.
func (a *Asks) explain(ctx context.Context, c *execution.Claim, name string, err error) *askError {
	if f, is := errors.AsType[*fault.Error](err); is && f.Kind != fault.Internal {
		return &askError{Status: route.Status(f.Kind), Detail: f.Message}
	}
	if ctx.Err() == nil {
		a.Log.Error("a run's question could not be answered", "execution", c.ExecutionID, "question", name, "error", err)
	}
	return &askError{Status: route.Status(fault.Internal), Detail: "Something went wrong on the server; its log has the reason under execution " + c.ExecutionID.String()}
}

// kvQuestion is what the module floww asks of the key-value store.
type kvQuestion struct {
	Op, Store, Table, Key string
	Value                 json.RawMessage
	IfVersion             *int64
	By                    float64
	Prefix, Cursor        string
	Limit                 int
	Values                bool
	WorkflowID            string
	CanRead, CanWrite     bool
}

// kvAnswerBytes bounds the values in one answer, which travels as one frame.
const kvAnswerBytes = 256 << 10

func (a *Asks) kv(ctx context.Context, c *execution.Claim, question []byte) (any, error) {
	var q kvQuestion
	if err := json.Unmarshal(question, &q); err != nil {
		return nil, fault.Because(err, fault.Invalid, "the question to the key-value store can't be read")
	}
	who := kv.Caller{Run: kv.Run{ExecutionID: c.ExecutionID, Incarnation: c.Incarnation, Attempt: c.Attempt}}
	t := kv.Table{Store: q.Store, Name: q.Table}
	switch q.Op {
	case "tables":
		names, err := a.KV.Tables(ctx, who, q.Store)
		return kvTables{Tables: append([]string{}, names...)}, err
	case "list":
		page, err := a.KV.List(ctx, who, kv.Listing{Table: t, Prefix: q.Prefix, After: q.Cursor, Limit: q.Limit, Values: q.Values, MaxBytes: kvAnswerBytes})
		return showKVPage(page, q.Values), err
	case "get":
		item, err := a.KV.Get(ctx, who, t, q.Key)
		return showKV(item), err
	case "put":
		item, err := a.KV.Put(ctx, who, kv.Put{Table: t, Key: q.Key, Value: q.Value, IfVersion: q.IfVersion})
		item.Value = nil // the code has it
		return showKV(item), err
	case "add":
		item, err := a.KV.Add(ctx, who, kv.Addition{Table: t, Key: q.Key, By: q.By})
		return showKV(item), err
	case "delete":
		return struct{}{}, a.KV.Delete(ctx, who, t, q.Key, q.IfVersion)
	}
	return a.kvPermissions(ctx, who, t, q)
}

func (a *Asks) kvPermissions(ctx context.Context, who kv.Caller, t kv.Table, q kvQuestion) (any, error) {
	switch q.Op {
	case "permissions":
		all, err := a.KV.Permissions(ctx, who, t)
		list := make([]kvPermission, len(all))
		for i, p := range all {
			list[i] = showKVPermission(p)
		}
		return list, err
	case "grant", "revoke":
		workflow, err := kvGrantee(q.WorkflowID)
		if err != nil {
			return nil, err
		}
		if q.Op == "revoke" {
			return struct{}{}, a.KV.Revoke(ctx, who, t, workflow)
		}
		p, err := a.KV.Grant(ctx, who, t, kv.Permission{WorkflowID: workflow, CanRead: q.CanRead, CanWrite: q.CanWrite})
		return showKVPermission(p), err
	}
	return nil, fault.New(fault.Invalid, "the key-value store does not know %.40q", q.Op)
}
