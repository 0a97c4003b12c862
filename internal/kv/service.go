package kv

import (
	"context"
	"encoding/json"
	"math"
	"regexp"
	"time"
	"unicode/utf8"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

// Service checks what is asked for and passes it on to the store.
type Service struct {
	Store Store
	Now   func() time.Time
}

// reserved is the name that addresses of permissions have in the place of a
// table: section 1.9 of workflows-runtime.md of the wire contract.
const reserved = "permissions"

var names = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func checkName(what, name string) error {
	switch {
	case len(name) > MaxName:
		return fault.New(fault.Invalid, "%s has %d characters; at most %d are allowed", what, len(name), MaxName)
	case !names.MatchString(name):
		return fault.New(fault.Invalid, "%s %.60q must have alphanumeric characters, _ and - alone, and at least one", what, name)
	}
	return nil
}

func checkTable(t Table) error {
	if err := checkName("the alias of the store", t.Store); err != nil {
		return err
	}
	if t.Name == reserved {
		return fault.New(fault.Invalid, "a table can't be called %q: its addresses would be those of permissions", reserved)
	}
	return checkName("the name of the table", t.Name)
}

func checkKey(t Table, key string) error {
	if err := checkTable(t); err != nil {
		return err
	}
	return checkName("the key", key)
}

func checkVersion(version *int64) error {
	if version != nil && *version < 0 {
		return fault.New(fault.Invalid, "the expected version is %d; it is the version of the value that is replaced, or 0 for none", *version)
	}
	return nil
}

// Tables returns the names of tables.
func (s *Service) Tables(ctx context.Context, c Caller, store string) ([]string, error) {
	if err := checkName("the alias of the store", store); err != nil {
		return nil, err
	}
	return s.Store.KVTables(ctx, c, store)
}

// All returns the tables of all stores.
func (s *Service) All(ctx context.Context, c Caller) ([]TableInfo, error) {
	return s.Store.AllKVTables(ctx, c)
}

// List returns keys, and their values when asked.
func (s *Service) List(ctx context.Context, c Caller, l Listing) (Page, error) {
	if err := checkTable(l.Table); err != nil {
		return Page{}, err
	}
	for what, text := range map[string]string{"the prefix": l.Prefix, "the cursor": l.After} {
		if text == "" {
			continue
		}
		if err := checkName(what, text); err != nil {
			return Page{}, err
		}
	}
	if l.Limit < 1 || l.Limit > MaxPage {
		return Page{}, fault.New(fault.Invalid, "the limit is %d; it must be 1 to %d", l.Limit, MaxPage)
	}
	if l.MaxBytes < 1 {
		l.MaxBytes = MaxPageBytes
	}
	return s.Store.KVItems(ctx, c, l)
}

// Get returns a value.
func (s *Service) Get(ctx context.Context, c Caller, t Table, key string) (Item, error) {
	if err := checkKey(t, key); err != nil {
		return Item{}, err
	}
	return s.Store.KVItem(ctx, c, t, key)
}

// Put stores a value. Its At is set.
func (s *Service) Put(ctx context.Context, c Caller, p Put) (Item, error) {
	if err := checkKey(p.Table, p.Key); err != nil {
		return Item{}, err
	}
	if err := checkVersion(p.IfVersion); err != nil {
		return Item{}, err
	}
	if err := checkValue(p.Value); err != nil {
		return Item{}, err
	}
	p.At = s.Now()
	return s.Store.PutKV(ctx, c, p)
}

func checkValue(value json.RawMessage) error {
	switch {
	case len(value) == 0:
		return fault.New(fault.Invalid, "there is no value; null is one")
	case len(value) > MaxValue:
		return fault.New(fault.Invalid, "the value has %d bytes of JSON; at most %d are allowed", len(value), MaxValue)
	case !json.Valid(value) || !utf8.Valid(value):
		return fault.New(fault.Invalid, "the value is no JSON")
	case tooDeep(value):
		return fault.New(fault.Invalid, "the value is nested deeper than %d levels", MaxDepth)
	}
	return nil
}

// tooDeep counts the brackets of a valid JSON text that are open at once.
func tooDeep(value []byte) bool {
	depth, inText := 0, false
	for i := 0; i < len(value); i++ {
		switch b := value[i]; {
		case inText && b == '\\':
			i++
		case b == '"':
			inText = !inText
		case inText:
		case b == '{' || b == '[':
			if depth++; depth > MaxDepth {
				return true
			}
		case b == '}' || b == ']':
			depth--
		}
	}
	return false
}

// Add counts a number up. Its At is set.
func (s *Service) Add(ctx context.Context, c Caller, a Addition) (Item, error) {
	if err := checkKey(a.Table, a.Key); err != nil {
		return Item{}, err
	}
	if math.IsNaN(a.By) || math.IsInf(a.By, 0) {
		return Item{}, fault.New(fault.Invalid, "what is added must be a number")
	}
	a.At = s.Now()
	return s.Store.AddKV(ctx, c, a)
}

// maxExact is the greatest number up to which all whole numbers can be counted.
const maxExact = 1 << 53

// Sum is the JSON text of a stored number with an addition.
func (a Addition) Sum(stored json.RawMessage) (json.RawMessage, error) {
	var n *float64
	if err := json.Unmarshal(stored, &n); err != nil || n == nil {
		return nil, fault.New(fault.Conflict, "the value of the key %q is no number, so nothing can be added to it", a.Key)
	}
	sum := *n + a.By
	if math.Abs(sum) > maxExact {
		return nil, fault.New(fault.Conflict, "the key %q would be beyond %d, where numbers are not exact any more", a.Key, maxExact)
	}
	return json.Marshal(sum)
}

// Delete removes a key.
func (s *Service) Delete(ctx context.Context, c Caller, t Table, key string, ifVersion *int64) error {
	if err := checkKey(t, key); err != nil {
		return err
	}
	if err := checkVersion(ifVersion); err != nil {
		return err
	}
	return s.Store.DeleteKV(ctx, c, t, key, ifVersion)
}

// Permissions returns who may use a table.
func (s *Service) Permissions(ctx context.Context, c Caller, t Table) ([]Permission, error) {
	if err := checkTable(t); err != nil {
		return nil, err
	}
	return s.Store.KVPermissions(ctx, c, t)
}

// Grant lets a workflow use a table.
func (s *Service) Grant(ctx context.Context, c Caller, t Table, p Permission) (Permission, error) {
	if err := checkTable(t); err != nil {
		return Permission{}, err
	}
	p.CreatedAt = s.Now()
	return s.Store.GrantKV(ctx, c, t, p)
}

// Revoke takes that back.
func (s *Service) Revoke(ctx context.Context, c Caller, t Table, workflow id.ID) error {
	if err := checkTable(t); err != nil {
		return err
	}
	return s.Store.RevokeKV(ctx, c, t, workflow)
}
