package secret

import (
	"context"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
)

// Bounds of secrets.
const (
	MaxName = 255
	// MaxValue bounds a value, in bytes.
	MaxValue = 64 << 10
	// MaxSecrets bounds the secrets of a namespace.
	MaxSecrets = 1000
	// CustomProvider is the provider of secrets that name none.
	CustomProvider = "custom"
)

// Mask stands for a value that is not shown. A value that is this text keeps
// what is stored.
const Mask = "********"

// Secret is a value that workflows of a namespace can ask for by provider and
// name. Its value is a JSON object of fields or a text of its own.
type Secret struct {
	ID, OrganizationID, NamespaceID id.ID
	// Provider is the first argument of Secret in code, and Name its alias, or
	// "<alias>:<field>" for a field of its own.
	Provider, Name string
	// Sealed is the encrypted value.
	Sealed               []byte
	CreatedByID          id.ID
	CreatedAt, UpdatedAt time.Time
}

// Filter selects secrets of a namespace. Provider and Name are exact; empty for
// all.
type Filter struct {
	NamespaceID    id.ID
	Provider, Name string
}

// Change is a partial update; nil members stay.
type Change struct {
	Provider *string
	Sealed   []byte
	At       time.Time
}

// Ref is a secret as code declares it.
type Ref struct{ Provider, Alias string }

// Use is what code names, a secret or something that is built in, with the number
// of workflows whose active deployment does so, and some of them.
type Use struct {
	Ref       Ref
	Count     int
	Workflows []User
}

// User is a workflow that names something.
type User struct {
	WorkflowID id.ID
	Name       string
}

// Ref is what code calls the secret, which may be one field of it.
func (s Secret) Ref() Ref {
	alias, _, _ := strings.Cut(s.Name, fieldMark)
	return Ref{Provider: s.Provider, Alias: alias}
}

// field is the name of a secret that is one field of a Ref.
const fieldMark = ":"

// Store keeps secrets. Each method is one atomic unit.
type Store interface {
	// CreateSecret stores a secret; fault.Conflict when the namespace has one of
	// this provider and name, or MaxSecrets.
	CreateSecret(ctx context.Context, s Secret) error
	// Secret returns a secret that one of the organizations owns; fault.NotFound
	// otherwise.
	Secret(ctx context.Context, organizations []id.ID, secret id.ID) (Secret, error)
	// Secrets returns the secrets that a filter selects, by provider and name.
	Secrets(ctx context.Context, f Filter) ([]Secret, error)
	// FindSecrets returns secrets of organizations whose name or provider has a
	// part, in whichever case.
	FindSecrets(ctx context.Context, organizations []id.ID, contains string, limit int) ([]Secret, error)
	// SecretUses returns up to limit things that workflows of a namespace name, each
	// with the oldest of these, up to shown.
	SecretUses(ctx context.Context, namespace id.ID, limit, shown int) ([]Use, error)
	// ChangeSecret applies a partial update; fault.Conflict when another secret
	// has the name at the new provider.
	ChangeSecret(ctx context.Context, secret id.ID, c Change) (Secret, error)
	DeleteSecret(ctx context.Context, secret id.ID) error
	// SecretsFor returns what code of a workflow gets for a reference: the secret
	// that has its alias as a name, and those of single fields.
	SecretsFor(ctx context.Context, workflow id.ID, r Ref) ([]Secret, error)
}

// Service seals values and gives them to code, and to nobody else.
type Service struct {
	Store Store
	Ring  *Keyring
	IDs   *id.Source
	Now   func() time.Time
}

func checkName(what, text string) error {
	bad := func(r rune) bool { return r < ' ' || r == 0x7f || r == utf8.RuneError }
	switch {
	case text == "" || len(text) > MaxName:
		return fault.New(fault.Invalid, "%s has %d bytes; it must have 1 to %d", what, len(text), MaxName)
	case strings.ContainsFunc(text, bad) || strings.TrimSpace(text) != text:
		return fault.New(fault.Invalid, "%s %.60q must have no control characters, and no spaces at its ends", what, text)
	}
	return nil
}

func checkNames(s Secret) error {
	if err := checkName("the name", s.Name); err != nil {
		return err
	}
	return checkName("the provider", s.Provider)
}

func checkValue(value string) error {
	switch {
	case value == "":
		return fault.New(fault.Invalid, "the value must not be empty")
	case len(value) > MaxValue:
		return fault.New(fault.Invalid, "the value has %d bytes; at most %d are allowed", len(value), MaxValue)
	case !utf8.ValidString(value):
		return fault.New(fault.Invalid, "the value must be text in UTF-8")
	}
	return nil
}

// Create stores a new secret. Its ID, times and Sealed are set.
func (s *Service) Create(ctx context.Context, made Secret, value string) (Secret, error) {
	if err := checkNames(made); err != nil {
		return Secret{}, err
	}
	sealed, err := s.seal(value)
	if err != nil {
		return Secret{}, err
	}
	made.ID, made.Sealed, made.CreatedAt, made.UpdatedAt = s.IDs.New(), sealed, s.Now(), s.Now()
	return made, s.Store.CreateSecret(ctx, made)
}

func (s *Service) seal(value string) ([]byte, error) {
	if err := checkValue(value); err != nil {
		return nil, err
	}
	return s.Ring.Seal([]byte(value))
}

// Put stores a secret in place of the one of its provider and name, and reports
// whether there was one.
func (s *Service) Put(ctx context.Context, wanted Secret, value string) (stored Secret, updated bool, err error) {
	if err := checkNames(wanted); err != nil {
		return Secret{}, false, err
	}
	for range 2 { // somebody else may create or delete it in between
		found, err := s.Store.Secrets(ctx, Filter{NamespaceID: wanted.NamespaceID, Provider: wanted.Provider, Name: wanted.Name})
		if err != nil {
			return Secret{}, false, err
		}
		if len(found) > 0 {
			stored, err = s.Change(ctx, found[0], nil, &value)
			if !fault.Is(err, fault.NotFound) {
				return stored, true, err
			}
			continue
		}
		stored, err = s.Create(ctx, wanted, value)
		if !fault.Is(err, fault.Conflict) {
			return stored, false, err
		}
	}
	return Secret{}, false, fault.New(fault.Conflict, "somebody else changed this secret at the same moment; try again")
}

// Change gives a secret another provider or value; nil members stay.
func (s *Service) Change(ctx context.Context, old Secret, provider, value *string) (Secret, error) {
	c := Change{Provider: provider, At: s.Now()}
	if provider != nil {
		if err := checkName("the provider", *provider); err != nil {
			return Secret{}, err
		}
	}
	if value != nil {
		text, err := s.unmask(old, *value)
		if err != nil {
			return Secret{}, err
		}
		if c.Sealed, err = s.seal(text); err != nil {
			return Secret{}, err
		}
	}
	return s.Store.ChangeSecret(ctx, old.ID, c)
}

// unmask puts what is stored where a client sends the mask back.
func (s *Service) unmask(old Secret, value string) (string, error) {
	if !strings.Contains(value, Mask) {
		return value, nil
	}
	stored, err := s.open(old)
	if err != nil {
		return "", err
	}
	if value == Mask {
		return stored, nil
	}
	before, now := fields(stored), fields(value)
	if now == nil {
		return value, nil
	}
	for name, text := range now {
		if had, is := before[name]; is && string(text) == `"`+Mask+`"` {
			now[name] = had
		}
	}
	made, err := json.Marshal(now)
	return string(made), err
}

func (s *Service) open(secret Secret) (string, error) {
	value, err := s.Ring.Open(secret.Sealed)
	if err != nil {
		return "", fault.Because(err, fault.Conflict, "the secret %q of %q can't be decrypted with this ENCRYPTION_KEY; store it anew", secret.Name, secret.Provider)
	}
	return string(value), nil
}

// Masked is the value as people see it: the fields that it has, with the mask in
// the place of what is in them.
func (s *Service) Masked(secret Secret) string {
	value, err := s.open(secret)
	all := fields(value)
	if err != nil || all == nil {
		return Mask
	}
	masked := make(map[string]string, len(all))
	for name := range all {
		masked[name] = Mask
	}
	text, err := json.Marshal(masked)
	if err != nil {
		return Mask
	}
	return string(text)
}

// fields are the members of a value that is a JSON object; nil for others.
func fields(value string) map[string]json.RawMessage {
	var all map[string]json.RawMessage
	if json.Unmarshal([]byte(value), &all) != nil {
		return nil
	}
	return all
}

// Delete removes a secret.
func (s *Service) Delete(ctx context.Context, secret id.ID) error {
	return s.Store.DeleteSecret(ctx, secret)
}

// Get returns a secret of one of the organizations, and List those of a
// namespace. Neither opens them.
func (s *Service) Get(ctx context.Context, organizations []id.ID, secret id.ID) (Secret, error) {
	return s.Store.Secret(ctx, organizations, secret)
}

// List returns the secrets that a filter selects.
func (s *Service) List(ctx context.Context, f Filter) ([]Secret, error) {
	return s.Store.Secrets(ctx, f)
}

// Fields returns what code of a workflow gets for a reference, by name; nil
// when there is no such secret.
func (s *Service) Fields(ctx context.Context, workflow id.ID, r Ref) (map[string]json.RawMessage, error) {
	found, err := s.Store.SecretsFor(ctx, workflow, r)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	all := map[string]json.RawMessage{}
	for _, one := range found { // the one without a field comes first
		value, err := s.open(one)
		if err != nil {
			return nil, err
		}
		_, name, single := strings.Cut(strings.TrimPrefix(one.Name, r.Alias), fieldMark)
		object := fields(value)
		switch {
		case single || object == nil:
			if !single {
				name = "value"
			}
			if all[name], err = json.Marshal(value); err != nil {
				return nil, err
			}
		default:
			for name, text := range object {
				all[name] = text
			}
		}
	}
	return all, nil
}

// Find returns secrets of organizations whose name or provider has a part.
func (s *Service) Find(ctx context.Context, organizations []id.ID, contains string, limit int) ([]Secret, error) {
	return s.Store.FindSecrets(ctx, organizations, contains, limit)
}

// Uses returns up to limit things that workflows of a namespace name, each with up
// to shown of these.
func (s *Service) Uses(ctx context.Context, namespace id.ID, limit, shown int) ([]Use, error) {
	return s.Store.SecretUses(ctx, namespace, limit, shown)
}
