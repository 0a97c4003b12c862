package dashboard

import (
	"cmp"
	"context"
	"net/http"
	"net/url"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/objects"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/secret"
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/web/ui"
)

const (
	secretsPath = ui.Secrets
	// maxSecretForm bounds a form with a value, which grows when it is sent.
	maxSecretForm = 4 * secret.MaxValue
)

// Secrets keeps values that only code gets.
type Secrets interface {
	Put(ctx context.Context, s secret.Secret, value string) (stored secret.Secret, updated bool, err error)
	Get(ctx context.Context, organizations []id.ID, secret id.ID) (secret.Secret, error)
	List(ctx context.Context, f secret.Filter) ([]secret.Secret, error)
	Delete(ctx context.Context, secret id.ID) error
	Find(ctx context.Context, organizations []id.ID, contains string, limit int) ([]secret.Secret, error)
	// Uses returns up to limit things that code in a namespace names, each with up to
	// shown workflows.
	Uses(ctx context.Context, namespace id.ID, limit, shown int) ([]secret.Use, error)
}

func registerSecrets(r *route.Router, d Deps) {
	route.Raw(r, route.Spec{
		Method: http.MethodGet, Path: secretsPath, Policy: access.Requires(access.ReadSecret), Page: true,
	}, route.NoObject(), d.getSecrets)
	route.Raw(r, route.Spec{
		Method: http.MethodPost, Path: secretsPath + "/of/{id}", Policy: access.Requires(access.WriteSecret), Page: true, Body: true, BodyLimit: maxSecretForm,
	}, objects.Namespace(d.Tenants.Namespace), d.postSecret)
	route.Raw(r, route.Spec{
		Method: http.MethodPost, Path: secretsPath + "/{id}/delete", Policy: access.Requires(access.WriteSecret), Page: true, Body: true, BodyLimit: ui.MaxForm,
	}, objects.Secret(d.Own.Secrets.Get), d.postDeleteSecret)
}

// secretsView is the page of an organization's secrets. What is in them is never
// on it.
type secretsView struct {
	Organization  string
	Choices       []ui.Option
	Namespaces    []namespaceSecrets
	Writes        bool
	Problem, Done string
	// Provider and Name are what was typed, when it was wrong, and what a link asks
	// to be stored.
	Provider, Name string
}

type namespaceSecrets struct {
	ID      string
	Secrets []secretView
	// Missing are what code asks for and is not stored.
	Missing []missingSecret
}

type secretView struct {
	secret.Secret
	Uses usesView
}

// usesView are the first workflows that name something, and how many more do.
type usesView struct {
	Workflows []ui.Link
	More      int
}

// missingSecret is what code asks for and is not stored. Path leads to where it can
// be.
type missingSecret struct {
	Provider, Alias, Path string
	Uses                  usesView
}

// secretDone says what was done, by the word in the address.
var secretDone = map[string]string{
	"stored":  "The secret is stored. Nobody is shown its value; code that asks for it gets it from its next run on.",
	"deleted": "The secret is deleted; runs that ask for it fail from now on.",
}

func (d Deps) getSecrets(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
	o, err := d.chosen(r, c.Principal, access.ReadSecret)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	return d.showSecrets(w, r, http.StatusOK, c.Principal, o.ID, secretsView{Done: secretDone[q.Get("done")], Provider: q.Get("provider"), Name: q.Get("name")})
}

func (d Deps) showSecrets(w http.ResponseWriter, r *http.Request, status int, p identity.Principal, organization id.ID, v secretsView) error {
	v.Organization = organization.String()
	v.Writes = mayWriteSecrets(p, organization)
	var err error
	if v.Choices, err = d.choices(r.Context(), p, access.ReadSecret); err != nil {
		return err
	}
	err = d.eachNamespace(r.Context(), organization, func(n tenant.Namespace, all []secret.Secret, used map[secret.Ref]usesView) {
		v.Namespaces = append(v.Namespaces, secretsOf(n, all, used))
	})
	if err != nil {
		return err
	}
	f := d.Frame("Secrets", p)
	f.Here = secretsPath
	return ui.Show(w, r, status, f, secretsPage(v))
}

// eachNamespace goes through an organization's namespaces, with the secrets in
// each and what its code asks for.
func (d Deps) eachNamespace(ctx context.Context, organization id.ID, do func(tenant.Namespace, []secret.Secret, map[secret.Ref]usesView)) error {
	namespaces, err := d.Tenants.Namespaces(ctx, []id.ID{organization})
	if err != nil {
		return err
	}
	for _, n := range namespaces {
		all, err := d.Own.Secrets.List(ctx, secret.Filter{NamespaceID: n.ID})
		if err != nil {
			return err
		}
		used, err := d.uses(ctx, n.ID)
		if err != nil {
			return err
		}
		do(n, all, used)
	}
	return nil
}

// secretsOf puts the secrets of a namespace beside what code asks for.
func secretsOf(n tenant.Namespace, all []secret.Secret, used map[secret.Ref]usesView) namespaceSecrets {
	v := namespaceSecrets{ID: n.ID.String()}
	stored := map[secret.Ref]bool{}
	for _, s := range all {
		stored[s.Ref()] = true
		v.Secrets = append(v.Secrets, secretView{s, used[s.Ref()]})
	}
	for _, ref := range sortedRefs(used) {
		if stored[ref] || builtIn(ref) {
			continue
		}
		q := url.Values{"organization": {n.OrganizationID.String()}, "provider": {ref.Provider}, "name": {ref.Alias}}
		v.Missing = append(v.Missing, missingSecret{ref.Provider, ref.Alias, secretsPath + "?" + q.Encode() + "#store", used[ref]})
	}
	return v
}

func (d Deps) postSecret(w http.ResponseWriter, r *http.Request, c route.Call[tenant.Namespace]) error {
	f, err := ui.ReadForm(r, c.Body)
	if err != nil {
		return err
	}
	wanted := secret.Secret{
		OrganizationID: c.Object.OrganizationID, NamespaceID: c.Object.ID, Name: f.Get("name"), Provider: cmp.Or(f.Get("provider"), secret.CustomProvider), CreatedByID: c.Principal.ID,
	}
	if _, _, err = d.Own.Secrets.Put(r.Context(), wanted, f.Get("value")); err == nil {
		return secretDid(w, r, c.Object.OrganizationID, "stored")
	}
	status, text, err := ui.Problem(w, err)
	if err != nil {
		return err
	}
	return d.showSecrets(w, r, status, c.Principal, c.Object.OrganizationID, secretsView{Problem: text, Provider: wanted.Provider, Name: wanted.Name})
}

func (d Deps) postDeleteSecret(w http.ResponseWriter, r *http.Request, c route.Call[secret.Secret]) error {
	if err := d.Own.Secrets.Delete(r.Context(), c.Object.ID); err != nil {
		return err
	}
	return secretDid(w, r, c.Object.OrganizationID, "deleted")
}

func secretDid(w http.ResponseWriter, r *http.Request, organization id.ID, what string) error {
	ui.Redirect(w, r, secretsPath+"?"+url.Values{"organization": {organization.String()}, "done": {what}}.Encode())
	return nil
}
