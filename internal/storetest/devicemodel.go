package storetest

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/identity"
)

// testDeviceModel shows the tokens of a login in any order and at any time, and
// compares the answers with those of a model that is too simple to be wrong.
func testDeviceModel(t *testing.T, backend Backend) {
	w := NewWorld(t, backend(t))
	user := w.person()
	rapid.Check(t, func(r *rapid.T) {
		m := &deviceModel{w: w, user: user.ID, alive: true, until: w.Now().Add(identity.LoginTTL)}
		first := m.newToken()
		m.device = w.device(user.ID, first.name)
		r.Repeat(map[string]func(*rapid.T){
			"show a token": m.show,
			"time passes":  m.pass,
			"end":          m.end,
			"":             m.compare,
		})
	})
}

type modelToken struct {
	name       string
	replacedAt *time.Time
}

type deviceModel struct {
	w      *World
	user   id.ID
	device id.ID
	alive  bool
	until  time.Time
	tokens []*modelToken
}

func (m *deviceModel) newToken() *modelToken {
	x := &modelToken{name: m.w.ID().String()}
	m.tokens = append(m.tokens, x)
	return x
}

// answer is what must become of a token that is shown now.
func (m *deviceModel) answer(x *modelToken, now time.Time) identity.Outcome {
	if !m.alive || !m.until.After(now) {
		return identity.Unknown
	}
	if x.replacedAt == nil {
		for _, other := range m.tokens {
			if other.replacedAt == nil {
				other.replacedAt = &now
			}
		}
		return identity.Granted
	}
	if now.Sub(*x.replacedAt) > identity.RefreshGrace {
		m.alive = false
		return identity.Reused
	}
	good := 0
	for _, other := range m.tokens {
		if other.replacedAt == nil {
			good++
		}
	}
	if good >= identity.MaxSiblings {
		return identity.Crowded
	}
	return identity.Granted
}

func (m *deviceModel) show(r *rapid.T) {
	// The youngest are shown most.
	back := min(rapid.IntRange(0, len(m.tokens)-1).Draw(r, "back"), rapid.IntRange(0, len(m.tokens)-1).Draw(r, "at most"))
	x := m.tokens[len(m.tokens)-1-back]
	now := m.w.Now()
	want := m.answer(x, now)
	next := m.w.ID().String()
	if want == identity.Granted {
		next = m.newToken().name
		m.until = now.Add(identity.LoginTTL)
	}
	if got := m.w.refresh(x.name, next); got != want {
		r.Fatalf("the answer is %d, want %d", got, want)
	}
}

func (m *deviceModel) pass(r *rapid.T) {
	m.w.Pass(rapid.SampledFrom([]time.Duration{
		time.Second, identity.RefreshGrace, identity.RefreshGrace + time.Millisecond, time.Hour, identity.LoginTTL / 2,
	}).Draw(r, "time"))
}

func (m *deviceModel) end(r *rapid.T) {
	if rapid.IntRange(0, 9).Draw(r, "really") > 0 || !m.alive {
		return
	}
	m.alive = false
	if err := m.w.EndDevice(m.w.ctx(), m.user, m.device); err != nil {
		r.Fatal(err)
	}
}

func (m *deviceModel) compare(r *rapid.T) {
	_, err := m.w.PrincipalByDevice(m.w.ctx(), m.device, m.w.Now())
	if alive := m.alive && m.until.After(m.w.Now()); alive != (err == nil) || err != nil && !fault.Is(err, fault.NotFound) {
		r.Fatalf("alive is %t, and the login says %v", alive, err)
	}
}
