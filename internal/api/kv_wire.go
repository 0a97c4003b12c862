package api

import (
	"encoding/json"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/kv"
)

// The keys of these are in snake_case: existing clients know no others.

type kvItem struct {
	Key       string          `json:"key"`
	Value     json.RawMessage `json:"value"`
	Version   int64           `json:"version" doc:"Differs for any two values that the key ever had"`
	CreatedAt timestamp       `json:"created_at"`
	UpdatedAt timestamp       `json:"updated_at"`
}

func showKV(i kv.Item) *kvItem {
	return &kvItem{Key: i.Key, Value: i.Value, Version: i.Version, CreatedAt: timestamp(i.CreatedAt), UpdatedAt: timestamp(i.UpdatedAt)}
}

type kvTables struct {
	Tables []string `json:"tables" nullable:"false"`
}

type kvPage struct {
	Keys  *[]string `json:"keys,omitempty" doc:"Without include_values"`
	Items *[]kvItem `json:"items,omitempty" doc:"With include_values"`
	Next  *string   `json:"next,omitempty" doc:"The cursor of the next page, when there is one"`
}

func showKVPage(p kv.Page, values bool) *kvPage {
	out := &kvPage{}
	if values {
		items := make([]kvItem, len(p.Items))
		for i, item := range p.Items {
			items[i] = *showKV(item)
		}
		out.Items = &items
	} else {
		keys := make([]string, len(p.Items))
		for i, item := range p.Items {
			keys[i] = item.Key
		}
		out.Keys = &keys
	}
	if p.More {
		out.Next = &p.Items[len(p.Items)-1].Key
	}
	return out
}

type kvPermission struct {
	WorkflowID id.ID     `json:"workflow_id"`
	CanRead    bool      `json:"can_read"`
	CanWrite   bool      `json:"can_write"`
	CreatedAt  timestamp `json:"created_at"`
}

func showKVPermission(p kv.Permission) kvPermission {
	return kvPermission{WorkflowID: p.WorkflowID, CanRead: p.CanRead, CanWrite: p.CanWrite, CreatedAt: timestamp(p.CreatedAt)}
}

type kvDeleted struct {
	Message string `json:"message"`
	Key     string `json:"key"`
	Table   string `json:"table"`
}

type kvRevoked struct {
	Message    string `json:"message"`
	Table      string `json:"table"`
	WorkflowID id.ID  `json:"workflow_id"`
}

// KVScope says where people ask; the token of a run says it itself. It has a
// capital because only then it is filled where it is embedded.
type KVScope struct {
	NamespaceID string `query:"namespaceId" doc:"The namespace whose tables are meant, where you have several"`
	WorkflowID  string `query:"workflowId" doc:"Act as this workflow, with its permissions alone"`
}

type listKV struct {
	KVScope
	IncludeValues bool   `query:"includeValues"`
	Prefix        string `query:"prefix" doc:"Only keys that begin with this"`
	Cursor        string `query:"cursor" doc:"The next of the page before"`
	Limit         int    `query:"limit" minimum:"1" maximum:"100000" default:"100000"`
}

type putKV struct {
	KVScope
	Body struct {
		Value     json.RawMessage `json:"value" doc:"Any JSON, null included, of at most 1,000,000 bytes"`
		IfVersion *int64          `json:"ifVersion,omitempty" doc:"Only in the place of this version, 0 for no value; 409 otherwise"`
	}
}

type addKV struct {
	KVScope
	Body *struct {
		By *float64 `json:"by,omitempty" doc:"1 when absent; may be negative"`
	}
}

type deleteKV struct {
	KVScope
	IfVersion int64 `query:"ifVersion" minimum:"0" doc:"Only this version; 409 otherwise"`
}

type grantKV struct {
	KVScope
	Body struct {
		WorkflowID string `json:"workflowId"`
		CanRead    *bool  `json:"canRead,omitempty" doc:"true when absent"`
		CanWrite   *bool  `json:"canWrite,omitempty" doc:"false when absent"`
	}
}
