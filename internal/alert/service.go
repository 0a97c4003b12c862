package alert

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/mail"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/trigger"
	"github.com/usefloww/flowwd/internal/workflow"
)

// Bounds of addresses, in bytes.
const (
	maxURL  = 2000
	maxMail = 254
)

// Sealer encrypts what is kept of webhooks.
type Sealer interface {
	Seal(text []byte) ([]byte, error)
	Open(sealed []byte) ([]byte, error)
}

// Executions shows what failed.
type Executions interface {
	Get(ctx context.Context, organizations []id.ID, execution id.ID) (execution.Execution, error)
}

// Workflows shows whose executions fail, with their triggers.
type Workflows interface {
	Workflow(ctx context.Context, organizations []id.ID, workflow id.ID) (workflow.Workflow, error)
	Triggers(ctx context.Context, workflow id.ID) ([]workflow.Trigger, error)
}

// Letter is a mail.
type Letter struct{ To, Subject, Text, HTML string }

// Config is what a Service is made of. All fields are required but Mail.
type Config struct {
	Store      Store
	Ring       Sealer
	Executions Executions
	Workflows  Workflows
	// Accepter starts runs of handlers.
	Accepter trigger.Accepter
	// Post sends a request and returns the status of its answer. A fault of the
	// kind Invalid says that trying again is of no use.
	Post func(ctx context.Context, url string, headers [][2]string, body []byte) (status int, err error)
	// Mail sends a mail; nil where there is no server for that.
	Mail func(ctx context.Context, l Letter) error
	// PublicURL returns the address of this server, without a slash at its end.
	PublicURL func() string
	IDs       *id.Source
	Now       func() time.Time
	Log       *slog.Logger
}

// Service keeps receivers and tells them.
type Service struct {
	Config

	slots chan struct{}
	stop  context.CancelFunc
	work  sync.WaitGroup
}

// New returns a Service that sends nothing before Start.
func New(c Config) *Service {
	return &Service{Config: c, slots: make(chan struct{}, maxSending), stop: func() {}}
}

// Request asks for another set of receivers. Members that are nil stay; those
// that point to nil remove.
type Request struct {
	WebhookURL, Mail **string
	By               id.ID
}

// hook is what is kept of a webhook.
type hook struct {
	URL string `json:"url"`
	Key []byte `json:"key"`
}

// Receivers returns who is told of a workflow's failures.
func (s *Service) Receivers(ctx context.Context, workflow id.ID) ([]Receiver, error) {
	return s.Store.Receivers(ctx, workflow)
}

// Change replaces receivers of a workflow. The secret of a webhook's signatures
// is returned when there is a new one, which every new address gets.
func (s *Service) Change(ctx context.Context, w workflow.Workflow, r Request) (secret string, err error) {
	c := Change{OrganizationID: w.OrganizationID, WorkflowID: w.ID}
	set := func(of Receiver) {
		of.OrganizationID, of.WorkflowID, of.CreatedByID, of.UpdatedAt = w.OrganizationID, w.ID, r.By, s.Now()
		c.Set = append(c.Set, of)
	}
	switch {
	case r.WebhookURL == nil:
	case *r.WebhookURL == nil:
		c.Remove = append(c.Remove, Webhook)
	default:
		var hook Receiver
		if hook, secret, err = s.hook(ctx, w.ID, **r.WebhookURL); err != nil {
			return "", err
		}
		set(hook)
	}
	switch {
	case r.Mail == nil:
	case *r.Mail == nil:
		c.Remove = append(c.Remove, Mail)
	default:
		if err := s.checkMail(**r.Mail); err != nil {
			return "", err
		}
		set(Receiver{Kind: Mail, Label: **r.Mail})
	}
	if len(c.Set)+len(c.Remove) == 0 {
		return "", nil
	}
	return secret, s.Store.ChangeReceivers(ctx, c)
}

// hook is the receiver at an address. One that has the address already keeps
// its key.
func (s *Service) hook(ctx context.Context, workflow id.ID, address string) (r Receiver, secret string, err error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || len(address) > maxURL {
		return r, "", fault.New(fault.Invalid, "webhookUrl must be an address of http or https without a user name, of at most %d bytes", maxURL)
	}
	before, err := s.Store.Receivers(ctx, workflow)
	if err != nil {
		return r, "", err
	}
	for _, old := range before {
		if had, err := s.open(old); err == nil && old.Kind == Webhook && had.URL == address {
			return old, "", nil
		}
	}
	made := hook{URL: address, Key: newKey()}
	text, err := json.Marshal(made)
	if err != nil {
		return r, "", err
	}
	sealed, err := s.Ring.Seal(text)
	return Receiver{Kind: Webhook, Label: u.Host, Sealed: sealed}, secretText(made.Key), err
}

func (s *Service) open(r Receiver) (h hook, err error) {
	text, err := s.Ring.Open(r.Sealed)
	if err == nil {
		err = json.Unmarshal(text, &h)
	}
	if err != nil {
		err = fault.Because(err, fault.Invalid, "the address can't be decrypted with this ENCRYPTION_KEY; set it anew")
	}
	return h, err
}

func (s *Service) checkMail(address string) error {
	if s.Mail == nil {
		return fault.New(fault.Invalid, "this server sends no mail; whoever runs it can set SMTP_URL")
	}
	parsed, err := mail.ParseAddress(address)
	if err != nil || parsed.Address != address || len(address) > maxMail || strings.ContainsAny(address, " \r\n") {
		return fault.New(fault.Invalid, "email must be one address, such as alerts@example.com")
	}
	return nil
}
