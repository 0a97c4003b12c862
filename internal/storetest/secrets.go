package storetest

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/secret"
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/workflow"
)

// secret makes a secret of a namespace.
func (w *World) secret(n tenant.Namespace, provider, name string) secret.Secret {
	w.t.Helper()
	x := secret.Secret{
		ID: w.ID(), OrganizationID: n.OrganizationID, NamespaceID: n.ID, Provider: provider, Name: name, Sealed: []byte("sealed " + name),
		CreatedByID: w.ID(), CreatedAt: w.Now(), UpdatedAt: w.Now(),
	}
	w.must(w.CreateSecret(w.ctx(), x))
	return x
}

func namesOf(all []secret.Secret) (names []string) {
	for _, x := range all {
		names = append(names, x.Provider+" "+x.Name)
	}
	return names
}

func (w *World) allSecrets(n tenant.Namespace) []secret.Secret {
	w.t.Helper()
	all, err := w.Secrets(w.ctx(), secret.Filter{NamespaceID: n.ID})
	w.must(err)
	return all
}

func testSecrets(t *testing.T, backend Backend) {
	t.Run("they are stored, changed and deleted", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		mine := []id.ID{n.OrganizationID}
		made := w.secret(n, "stripe", "default")
		got, err := w.Secret(w.ctx(), mine, made.ID)
		w.must(err)
		equal(t, "secret", got, made)
		twice := made
		twice.ID = w.ID()
		w.refused(w.CreateSecret(w.ctx(), twice), fault.Conflict, `A secret "default" of the provider "stripe" already exists in this namespace`)
		other := w.secret(n, "github", "default")
		provider := "stripe"
		_, err = w.ChangeSecret(w.ctx(), other.ID, secret.Change{Provider: &provider, At: w.Now()})
		w.refused(err, fault.Conflict, `A secret "default" of the provider "stripe" already exists in this namespace`)
		w.Pass(time.Second)
		got, err = w.ChangeSecret(w.ctx(), made.ID, secret.Change{Sealed: []byte("new"), At: w.Now()})
		w.must(err)
		if !bytes.Equal(got.Sealed, []byte("new")) || got.Provider != "stripe" || !got.UpdatedAt.Equal(w.Now()) {
			t.Errorf("changed to %+v", got)
		}
		_, err = w.Secret(w.ctx(), []id.ID{w.Namespace().OrganizationID}, made.ID)
		w.refused(err, fault.NotFound, "Secret not found")
		w.must(w.DeleteSecret(w.ctx(), made.ID))
		w.refused(w.DeleteSecret(w.ctx(), made.ID), fault.NotFound, "Secret not found")
		foreign := made
		foreign.ID, foreign.OrganizationID = w.ID(), w.Namespace().OrganizationID
		w.refused(w.CreateSecret(w.ctx(), foreign), fault.NotFound, "Namespace not found")
	})
	t.Run("code gets those of its namespace", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		f := w.Workflow(n)
		for _, name := range []string{"default:b", "default", "default:a", "defaults", "default-x", "default;", "other"} {
			w.secret(n, "stripe", name)
		}
		w.secret(n, "github", "default")
		w.secret(w.Namespace(), "stripe", "default")
		all, err := w.SecretsFor(w.ctx(), f.ID, secret.Ref{Provider: "stripe", Alias: "default"})
		w.must(err)
		equal(t, "given", namesOf(all), []string{"stripe default", "stripe default:a", "stripe default:b"})
		all, err = w.Secrets(w.ctx(), secret.Filter{NamespaceID: n.ID, Name: "default"})
		w.must(err)
		equal(t, "by name", namesOf(all), []string{"github default", "stripe default"})
		all, err = w.Secrets(w.ctx(), secret.Filter{NamespaceID: n.ID, Provider: "github"})
		w.must(err)
		equal(t, "by provider", namesOf(all), []string{"github default"})
		for contains, want := range map[string][]string{
			"": namesOf(w.allSecrets(n)), "HUB": {"github default"}, ":A": {"stripe default:a"}, "%": nil, "nothing": nil,
		} {
			all, err = w.FindSecrets(w.ctx(), []id.ID{n.OrganizationID}, contains, 100)
			w.must(err)
			equal(t, "found by "+contains, namesOf(all), want)
		}
	})
	t.Run("a program remembers what it asks for", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		f := w.Workflow(n)
		a := w.Activation(f)
		a.Program.Secrets = []workflow.ProviderRef{{Type: "stripe", Alias: "default"}, {Type: "b", Alias: "c"}}
		a.Deployment.Providers = a.Program.Secrets
		w.must(w.ActivateDeployment(w.ctx(), a))
		p, err := w.Program(w.ctx(), a.Program.Hash)
		w.must(err)
		equal(t, "program", *p, *a.Program)
	})
	t.Run("uses", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		n := w.Namespace()
		used := func(what string, want ...secret.Use) {
			t.Helper()
			uses, err := w.SecretUses(w.ctx(), n.ID, 10, 2)
			w.must(err)
			equal(t, what, uses, want)
		}
		stripe, long := workflow.ProviderRef{Type: "stripe", Alias: "default"}, workflow.ProviderRef{Type: "x", Alias: strings.Repeat("y", secret.MaxName+1)}
		var users []secret.User
		var first workflow.Workflow
		for i := range 3 {
			f := w.Workflow(n)
			a := w.Activation(f)
			a.Deployment.Providers = []workflow.ProviderRef{stripe, long, stripe}
			if i == 0 {
				first = f
				a.Deployment.Providers = append(a.Deployment.Providers, workflow.ProviderRef{Type: "b", Alias: "c"})
			}
			w.must(w.ActivateDeployment(w.ctx(), a))
			users = append(users, secret.User{WorkflowID: f.ID, Name: f.Name})
		}
		ofStripe := secret.Use{Ref: secret.Ref{Provider: stripe.Type, Alias: stripe.Alias}, Count: 3, Workflows: users[:2]}
		used("all", secret.Use{Ref: secret.Ref{Provider: "b", Alias: "c"}, Count: 1, Workflows: users[:1]}, ofStripe)
		// Another deployment names other things, and none names nothing.
		next := w.Activation(first)
		next.Version, next.Deployment.Providers = 2, []workflow.ProviderRef{stripe}
		w.must(w.ActivateDeployment(w.ctx(), next))
		used("after another deployment", ofStripe)
		w.must(w.DeactivateDeployment(w.ctx(), next.Deployment.ID, w.Now()))
		ofStripe.Count, ofStripe.Workflows = 2, users[1:]
		used("without the active one", ofStripe)
		w.must(w.DeleteWorkflow(w.ctx(), users[1].WorkflowID, w.Now()))
		ofStripe.Count, ofStripe.Workflows = 1, users[2:]
		used("without a workflow", ofStripe)
		elsewhere, err := w.SecretUses(w.ctx(), w.Namespace().ID, 10, 2)
		w.must(err)
		equal(t, "elsewhere", len(elsewhere), 0)
	})
}

// readSecrets calls what reads and changes secrets.
func (w *World) readSecrets(f workflow.Workflow, note func(any, error)) {
	x := w.secret(tenant.Namespace{ID: f.NamespaceID, OrganizationID: f.OrganizationID}, "read", "read")
	for _, filter := range []secret.Filter{{}, {Provider: "read"}, {Name: "read"}, {Provider: "read", Name: "read"}} {
		filter.NamespaceID = f.NamespaceID
		note(w.Secrets(w.ctx(), filter))
	}
	note(w.FindSecrets(w.ctx(), []id.ID{f.OrganizationID}, "read", 10))
	note(w.SecretUses(w.ctx(), f.NamespaceID, 10, 10))
	note(w.SecretsFor(w.ctx(), f.ID, secret.Ref{Provider: "read", Alias: "read"}))
	note(w.Secret(w.ctx(), []id.ID{f.OrganizationID}, x.ID))
	note(w.ChangeSecret(w.ctx(), x.ID, secret.Change{Sealed: []byte("x"), At: w.Now()}))
	note(nil, w.DeleteSecret(w.ctx(), x.ID))
}
