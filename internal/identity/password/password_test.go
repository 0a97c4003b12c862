package password_test

import (
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/audit"
	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity/password"
	"github.com/usefloww/flowwd/internal/store"
	"github.com/usefloww/flowwd/internal/tenant"
)

func newService(t *testing.T) *password.Service {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), "db"), Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	start := time.Now()
	now := func() time.Time { return start } // a test takes no time
	ids := id.NewSource(now)
	tenants := &tenant.Service{Store: s, IDs: ids, Now: now}
	return password.New(password.Config{
		Store: s, Users: s, Recorder: &audit.Recorder{Store: s, Now: time.Now, Log: slog.New(slog.DiscardHandler)},
		Fresh: tenants.Fresh, IDs: ids, Now: now,
	})
}

// What tells accounts apart by time is the hash, so every refusal makes one.
func TestRefusalsCostTheSame(t *testing.T) {
	t.Parallel()
	s := newService(t)
	if _, err := s.EnsureFirst(t.Context(), password.Account{Login: "ada"}, "correct horse"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Create(t.Context(), password.Account{Login: "invited"}); err != nil {
		t.Fatal(err)
	}
	for _, login := range []string{"ada", "invited", "nobody"} {
		before := s.Hasher.Done()
		_, err := s.Check(t.Context(), login, "wrong password", "192.0.2.1")
		if !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%s: %v", login, err)
		}
		if n := s.Hasher.Done() - before; n != 1 {
			t.Errorf("%s: %d hashes were made, want 1", login, n)
		}
	}
	// What nobody can have costs nothing, nor does what is throttled or has no link.
	before := s.Hasher.Done()
	for range 10 {
		_, _ = s.Check(t.Context(), "no body", strings.Repeat("x", 10_000), "192.0.2.1")
	}
	if _, err := s.SetUp(t.Context(), "x", password.Account{Login: "eve"}, "long enough"); !fault.Is(err, fault.Denied) {
		t.Errorf("set up without a link: %v", err)
	}
	if _, err := s.Choose(t.Context(), "x", "long enough"); !fault.Is(err, fault.Denied) {
		t.Errorf("choose without a link: %v", err)
	}
	if n := s.Hasher.Done() - before; n != 0 {
		t.Errorf("%d hashes were made for nothing", n)
	}
}

// Tries are counted before they are made: many at once are no way around.
func TestManyTriesAtOnceAreCounted(t *testing.T) {
	t.Parallel()
	s := newService(t)
	var wg sync.WaitGroup
	for range 40 {
		wg.Go(func() {
			if _, err := s.Check(t.Context(), "ada", "wrong password", "192.0.2.1"); err == nil {
				t.Error("a wrong password is let in")
			}
		})
	}
	wg.Wait()
	if n := s.Hasher.Done(); n != 5 {
		t.Errorf("%d of 40 tries were made, want 5", n)
	}
}

func TestOneAddressOfAProviderIsOneKey(t *testing.T) {
	t.Parallel()
	s := newService(t)
	limited := func(address string) bool {
		t.Helper()
		_, err := s.Check(t.Context(), "user-"+address, "x", address)
		return fault.Is(err, fault.Limited)
	}
	for i := range 30 {
		if limited("2001:db8::" + string("0123456789abcdef"[i%16]) + string("123456789abcdef"[i/16])) {
			t.Fatalf("limited after %d tries", i)
		}
	}
	if !limited("2001:db8::ffff") {
		t.Error("the addresses of one network are counted apart")
	}
	if limited("2001:db8:0:1::1") || limited("192.0.2.1") {
		t.Error("another network is limited, too")
	}
}

func TestPasswordsAreKeptAsHashes(t *testing.T) {
	t.Parallel()
	s := newService(t)
	var hashes []string
	for _, login := range []string{"ada", "bob"} {
		p, token, err := s.Create(t.Context(), password.Account{Login: login})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Choose(t.Context(), token, "one password"); err != nil {
			t.Fatal(err)
		}
		hash, err := s.Store.PasswordOf(t.Context(), p.ID)
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, hash)
	}
	if !strings.HasPrefix(hashes[0], "$argon2id$v=19$m=19456,t=2,p=1$") || hashes[0] == hashes[1] {
		t.Errorf("the hashes of one password are %q", hashes)
	}
}

func TestRulesOfPasswords(t *testing.T) {
	t.Parallel()
	s := newService(t)
	for text, ok := range map[string]bool{
		strings.Repeat("x", 7): false, strings.Repeat("x", 8): true, strings.Repeat("ü", 7): false, strings.Repeat("ü", 128): true,
		strings.Repeat("x", 129): false, "": false,
	} {
		_, token, err := s.Create(t.Context(), password.Account{Login: "user" + s.IDs.New().String()})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Choose(t.Context(), token, text); (err == nil) != ok || err != nil && !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, login := range []string{"", " ", "a b", "a\nb", strings.Repeat("x", 256)} {
		if _, _, err := s.Create(t.Context(), password.Account{Login: login}); !fault.Is(err, fault.Invalid) {
			t.Errorf("the login %q: %v", login, err)
		}
	}
}
