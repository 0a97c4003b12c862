package dashboard

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"

	"github.com/usefloww/flowwd/internal/access"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
	"github.com/usefloww/flowwd/internal/objects"
	"github.com/usefloww/flowwd/internal/route"
	"github.com/usefloww/flowwd/internal/secret"
	"github.com/usefloww/flowwd/internal/tenant"
	"github.com/usefloww/flowwd/internal/web/ui"
)

const (
	providersPath = "/providers"
	// maxUses is how much of what code names is listed, and shownUses how many of the
	// workflows that name one thing are shown.
	maxUses   = 1000
	shownUses = 5
	// builtInType and tablesType are what code names without anything being stored.
	builtInType, tablesType = "builtin", "kvstore"
)

func registerProviders(r *route.Router, d Deps) {
	route.Raw(r, route.Spec{
		Method: http.MethodGet, Path: providersPath, Policy: access.Requires(access.ReadSecret), Page: true,
	}, route.NoObject(), d.getProviders)
	route.Raw(r, route.Spec{
		Method: http.MethodPost, Path: providersPath + "/of/{id}/delete", Policy: access.Requires(access.WriteSecret), Page: true, Body: true, BodyLimit: ui.MaxForm,
	}, objects.Namespace(d.Tenants.Namespace), d.postDeleteProvider)
}

// secretTabs are the pages about what code asks for.
func secretTabs(organization string) []ui.Link {
	q := "?" + url.Values{"organization": {organization}}.Encode()
	return []ui.Link{{Path: secretsPath + q, Name: "Secrets"}, {Path: providersPath + q, Name: "Providers"}}
}

func secretsTab(organization string) string   { return secretTabs(organization)[0].Path }
func providersTab(organization string) string { return secretTabs(organization)[1].Path }

// builtIn reports whether code gets something without anything being stored.
func builtIn(r secret.Ref) bool { return r.Provider == builtInType || r.Provider == tablesType }

// uses returns which workflows of a namespace name what.
func (d Deps) uses(ctx context.Context, namespace id.ID) (map[secret.Ref]usesView, error) {
	all, err := d.Own.Secrets.Uses(ctx, namespace, maxUses, shownUses)
	used := make(map[secret.Ref]usesView, len(all))
	for _, u := range all {
		v := usesView{More: u.Count - len(u.Workflows)}
		for _, w := range u.Workflows {
			v.Workflows = append(v.Workflows, ui.Link{Path: workflowPath(w.WorkflowID), Name: w.Name})
		}
		used[u.Ref] = v
	}
	return used, err
}

func sortedRefs[T any](of map[secret.Ref]T) []secret.Ref {
	return slices.SortedFunc(maps.Keys(of), func(a, b secret.Ref) int {
		return cmp.Or(cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Alias, b.Alias))
	})
}

// providersView is the page of what code can name.
type providersView struct {
	Organization string
	Choices      []ui.Option
	Namespaces   []namespaceProviders
	Writes       bool
	Done         string
}

type namespaceProviders struct {
	ID        string
	Providers []providerRow
}

// providerRow is something that code names. Secrets are the names under which it is
// stored; Path leads to where that is done.
type providerRow struct {
	Type, Alias, Path string
	BuiltIn           bool
	Secrets           []string
	Uses              usesView
}

func (d Deps) getProviders(w http.ResponseWriter, r *http.Request, c route.Call[route.None]) error {
	o, err := d.chosen(r, c.Principal, access.ReadSecret)
	if err != nil {
		return err
	}
	v := providersView{Organization: o.ID.String(), Writes: mayWriteSecrets(c.Principal, o.ID)}
	if r.URL.Query().Get("done") == "deleted" {
		v.Done = "The provider is deleted; runs that name it fail from now on."
	}
	if v.Choices, err = d.choices(r.Context(), c.Principal, access.ReadSecret); err != nil {
		return err
	}
	err = d.eachNamespace(r.Context(), o.ID, func(n tenant.Namespace, all []secret.Secret, used map[secret.Ref]usesView) {
		v.Namespaces = append(v.Namespaces, providersOf(n, all, used))
	})
	if err != nil {
		return err
	}
	f := d.Frame("Providers", c.Principal)
	f.Here = secretsPath
	return ui.Show(w, r, http.StatusOK, f, providersPage(v))
}

// providersOf lists what is built in, what is stored, and what code asks for
// without it being stored.
func providersOf(n tenant.Namespace, all []secret.Secret, used map[secret.Ref]usesView) namespaceProviders {
	found := map[secret.Ref]providerRow{{Provider: builtInType, Alias: "default"}: {}, {Provider: tablesType, Alias: "default"}: {}}
	for ref := range used {
		found[ref] = providerRow{}
	}
	for _, s := range all {
		row := found[s.Ref()]
		row.Secrets = append(row.Secrets, s.Name)
		found[s.Ref()] = row
	}
	v := namespaceProviders{ID: n.ID.String()}
	for _, ref := range sortedRefs(found) {
		row := found[ref]
		row.Type, row.Alias, row.Uses, row.BuiltIn = ref.Provider, ref.Alias, used[ref], builtIn(ref)
		switch {
		case ref.Provider == tablesType:
			row.Path = ofOrganization(kvPath, n.OrganizationID)
		case !row.BuiltIn:
			q := url.Values{"organization": {n.OrganizationID.String()}, "provider": {ref.Provider}, "name": {ref.Alias}}
			row.Path = secretsPath + "?" + q.Encode() + "#store"
		}
		v.Providers = append(v.Providers, row)
	}
	return v
}

func mayWriteSecrets(p identity.Principal, organization id.ID) bool {
	return access.Decide(p, access.WriteSecret, access.Resource{OrganizationID: organization}).Allowed
}

// postDeleteProvider deletes all secrets that code gets by one name.
func (d Deps) postDeleteProvider(w http.ResponseWriter, r *http.Request, c route.Call[tenant.Namespace]) error {
	f, err := ui.ReadForm(r, c.Body)
	if err != nil {
		return err
	}
	ref := secret.Ref{Provider: f.Get("provider"), Alias: f.Get("alias")}
	all, err := d.Own.Secrets.List(r.Context(), secret.Filter{NamespaceID: c.Object.ID, Provider: ref.Provider})
	if err != nil {
		return err
	}
	deleted := false
	for _, s := range all {
		if s.Provider != ref.Provider || s.Ref() != ref {
			continue
		}
		if err := d.Own.Secrets.Delete(r.Context(), s.ID); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		deleted = true
	}
	if !deleted {
		return fault.New(fault.NotFound, "There is no such provider")
	}
	ui.Redirect(w, r, ofOrganization(providersPath, c.Object.OrganizationID)+"&done=deleted")
	return nil
}
