package storetest

import (
	"sync"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/tenant"
)

func testTenants(t *testing.T, backend Backend) {
	t.Run("the default organization is made once", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		got := make([]tenant.Namespace, 8)
		var wg sync.WaitGroup
		for i := range got {
			wg.Go(func() {
				at := start().Add(123456 * time.Microsecond)
				o := tenant.Organization{ID: w.ID(), Name: "default-" + w.ID().String(), DisplayName: "Default Organization", CreatedAt: at, UpdatedAt: at}
				n, err := w.EnsureDefaultOrganization(w.ctx(), o, tenant.Namespace{ID: w.ID(), CreatedAt: at})
				if err != nil {
					t.Error(err)
				}
				got[i] = n
			})
		}
		wg.Wait()
		stored, err := w.namespaceOf(got[0].OrganizationID, got[0].ID)
		w.must(err)
		equal(t, "time of the stored namespace", stored.CreatedAt, start().Add(123*time.Millisecond))
		for _, n := range got {
			if n.ID != stored.ID || n.OrganizationID != stored.OrganizationID || n.Organization.ID != stored.OrganizationID {
				t.Errorf("got namespace %v, want %v", n, stored)
			}
		}
	})

	t.Run("a namespace is seen by its organization alone", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		mine, other := w.Namespace(), w.Namespace()
		got, err := w.namespaceOf(mine.OrganizationID, mine.ID)
		w.must(err)
		equal(t, "namespace", got, mine)
		for name, organizations := range map[string][]id.ID{
			"another organization": {other.OrganizationID}, "none": nil, "an unknown one": {w.ID()},
		} {
			_, err := w.Store.Namespace(w.ctx(), organizations, mine.ID)
			t.Log(name)
			w.refused(err, fault.NotFound, "Namespace not found")
		}
	})

	t.Run("lists are ordered and bounded", func(t *testing.T) {
		t.Parallel()
		w := NewWorld(t, backend(t))
		var all []tenant.Namespace
		var owners []id.ID
		var organizations []tenant.Organization
		for range 3 {
			n := w.Namespace()
			all, owners, organizations = append(all, n), append(owners, n.OrganizationID), append(organizations, n.Organization)
			w.Pass(time.Second)
		}
		got, err := w.Namespaces(w.ctx(), owners, 10)
		w.must(err)
		equal(t, "namespaces", got, all)
		got, err = w.Namespaces(w.ctx(), owners[1:], 1)
		w.must(err)
		equal(t, "the first of two", got, all[1:2])
		got, err = w.Namespaces(w.ctx(), nil, 10)
		w.must(err)
		equal(t, "of no organization", len(got), 0)
		listed, err := w.Organizations(w.ctx(), append(owners, w.ID()))
		w.must(err)
		equal(t, "organizations", listed, organizations)
	})
}

// namespaceOf reads a namespace as a member of one organization.
func (w *World) namespaceOf(organization, namespace id.ID) (tenant.Namespace, error) {
	return w.Store.Namespace(w.ctx(), []id.ID{organization}, namespace)
}
