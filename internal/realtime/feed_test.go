package realtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/usefloww/flowwd/internal/id"
)

// transport is a home of channels whose trouble a test decides about.
type transport struct {
	mu sync.Mutex
	// trouble is asked before each publication; nil for none.
	trouble   func(ctx context.Context, data []byte) error
	heard     map[string][]string
	rechecked []id.ID
}

func (p *transport) Publish(ctx context.Context, channel string, data []byte, _ Options) error {
	p.mu.Lock()
	trouble := p.trouble
	p.mu.Unlock()
	if trouble != nil {
		if err := trouble(ctx, data); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var e struct{ Type string }
	if err := json.Unmarshal(data, &e); err != nil {
		return err
	}
	p.heard[channel] = append(p.heard[channel], e.Type)
	return nil
}

func (p *transport) set(trouble func(context.Context, []byte) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.trouble = trouble
}

func (p *transport) hears(workflow id.ID) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.heard[Channel(workflow)]...)
}

func (p *transport) Wanted(string) bool                                   { return true }
func (p *transport) Present(context.Context, string, id.ID) (bool, error) { return false, nil }
func (p *transport) Here(string, id.ID) (present, known bool)             { return false, true }
func (p *transport) Healthy(context.Context) error                        { return nil }
func (p *transport) Recheck(_ context.Context, user id.ID) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.trouble != nil {
		return p.trouble(context.Background(), nil)
	}
	p.rechecked = append(p.rechecked, user)
	return nil
}

// hanging is a transport that never answers.
func hanging(ctx context.Context, _ []byte) error {
	<-ctx.Done()
	return ctx.Err()
}

func refusing(context.Context, []byte) error { return errors.New("no") }

// started returns a Feed that publishes to a transport, in the time of a test,
// and what stops it.
func started(t *testing.T, p *transport) (f *Feed, stop func()) {
	t.Helper()
	f = NewFeed(FeedConfig{Transport: p, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err := f.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return f, func() {
		if err := f.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}
}

// say has an event published that is known by its type.
func (f *Feed) say(workflow id.ID, kind string) {
	f.put(workflow, overhead, Options{}, func() ([]byte, error) { return encode(kind, workflow, f.Now(), nil) })
}

func newTransport() *transport { return &transport{heard: map[string][]string{}} }

// inTime runs a test whose waits take no time.
func inTime(t *testing.T, test func(t *testing.T)) {
	t.Parallel()
	synctest.Test(t, test)
}

func TestPublicationIsTriedAgain(t *testing.T) {
	inTime(t, func(t *testing.T) {
		p := newTransport()
		failures := 0
		p.set(func(context.Context, []byte) error {
			if failures++; failures < tries {
				return errors.New("not now")
			}
			return nil
		})
		f, stop := started(t, p)
		defer stop()
		workflow := id.ID{1}
		f.say(workflow, "one")
		f.say(workflow, "two")
		time.Sleep(time.Second)
		if got := p.hears(workflow); fmt.Sprint(got) != "[one two]" {
			t.Errorf("heard %v", got)
		}
		if published, dropped := f.Counts(); published != 2 || dropped != 0 {
			t.Errorf("%d published, %d dropped", published, dropped)
		}
	})
}

// However little the transport does, nobody waits for it, and no more waits for
// it than is bounded.
func TestFeedNeverBlocks(t *testing.T) {
	inTime(t, func(t *testing.T) {
		p := newTransport()
		p.set(hanging)
		f, stop := started(t, p)
		begin := time.Now()
		const n = lanes*laneLength + 50_000
		for i := range n {
			f.say(id.ID{byte(i), byte(i >> 8)}, "event")
		}
		big := id.ID{15: 1}
		for range 64 {
			f.put(big, 1<<20, Options{}, func() ([]byte, error) { return nil, errors.New("it was never made") })
		}
		if waited := time.Since(begin); waited != 0 {
			t.Errorf("who tells the feed waited for %v", waited)
		}
		if f.Waiting() > lanes*laneLength || f.bytes.Load() > maxWaiting {
			t.Errorf("%d events of %d bytes wait", f.Waiting(), f.bytes.Load())
		}
		if _, dropped := f.Counts(); dropped < 50_000-lanes+32 {
			t.Errorf("%d were dropped", dropped)
		}
		for i := range f.lanes {
			if got := len(f.lanes[i].gaps); got > maxGaps {
				t.Errorf("%d workflows are remembered for a gap", got)
			}
		}
		stop() // ends although the transport hangs
		if waited := time.Since(begin); waited != 0 {
			t.Errorf("the end of the feed took %v", waited)
		}
	})
}

// While a transport is gone it is asked now and then, not for each event.
func TestFeedIsSilentWhereNobodyAnswers(t *testing.T) {
	inTime(t, func(t *testing.T) {
		p := newTransport()
		asked := 0
		p.set(func(context.Context, []byte) error {
			asked++
			return errors.New("gone")
		})
		f, stop := started(t, p)
		defer stop()
		for range 1000 {
			f.say(id.ID{1}, "event")
			time.Sleep(10 * time.Millisecond)
		}
		if most := int(10*time.Second/silence+2) * tries * 2; asked == 0 || asked > most {
			t.Errorf("asked %d times in 10 s, want at most %d", asked, most)
		}
	})
}

// What was dropped last is told although nothing comes after it, also while
// others are told much.
func TestGapIsToldByItself(t *testing.T) {
	inTime(t, func(t *testing.T) {
		p := newTransport()
		p.set(refusing)
		f, stop := started(t, p)
		defer stop()
		quiet := id.ID{1}
		busy := quiet
		for i := byte(2); busy == quiet || f.laneOf(busy) != f.laneOf(quiet); i++ {
			busy = id.ID{i}
		}
		f.say(quiet, "last")
		time.Sleep(time.Minute)
		p.set(nil)
		for range int(2 * maxSilence / time.Millisecond) {
			f.say(busy, "event")
			time.Sleep(time.Millisecond)
		}
		if got := p.hears(quiet); fmt.Sprint(got) != "[gap]" {
			t.Errorf("heard %v, want word of the gap once", got)
		}
	})
}

func TestEventWithoutFormIsLeftOut(t *testing.T) {
	inTime(t, func(t *testing.T) {
		p := newTransport()
		f, stop := started(t, p)
		defer stop()
		workflow := id.ID{1}
		f.put(workflow, 1, Options{}, func() ([]byte, error) { return encode("x", workflow, f.Now(), func() {}) })
		f.say(workflow, "next")
		synctest.Wait()
		if got := p.hears(workflow); fmt.Sprint(got) != "[next]" {
			t.Errorf("heard %v", got)
		}
	})
}

// Whatever happens to publications, each workflow's events are heard in order,
// once, and what is missing is told before what comes after it.
func TestFeedTellsInOrderOrTellsAGap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		workflows := rapid.IntRange(1, 12).Draw(rt, "workflows")
		steps := rapid.SliceOfN(rapid.SampledFrom([]string{"event", "event", "event", "refuse", "hang", "heal", "wait", "wait long"}), 1, 200).Draw(rt, "steps")
		wrong := ""
		synctest.Test(t, func(t *testing.T) { wrong = tryFeed(t, workflows, steps) })
		if wrong != "" {
			rt.Fatal(wrong)
		}
	})
}

// tryFeed runs a feed through steps and returns what it did wrong.
func tryFeed(t *testing.T, workflows int, steps []string) string {
	p := newTransport()
	f, stop := started(t, p)
	defer stop()
	said := map[id.ID]int{}
	all := 0
	for _, step := range steps {
		switch step {
		case "event":
			workflow := id.ID{byte(all%workflows) + 1}
			said[workflow]++
			all++
			f.say(workflow, fmt.Sprint(said[workflow]))
		case "refuse":
			p.set(refusing)
		case "hang":
			p.set(hanging)
		case "heal":
			p.set(nil)
		case "wait":
			time.Sleep(300 * time.Millisecond)
		case "wait long":
			time.Sleep(2500 * time.Millisecond)
		}
	}
	p.set(nil)
	time.Sleep(time.Minute)
	if published, dropped := f.Counts(); int(published+dropped) != all || f.Waiting() != 0 || f.bytes.Load() != 0 {
		return fmt.Sprintf("of %d events %d were published and %d dropped, %d of %d bytes wait", all, published, dropped, f.Waiting(), f.bytes.Load())
	}
	for workflow, n := range said {
		if wrong := judge(p.hears(workflow), n); wrong != "" {
			return wrong
		}
	}
	return ""
}

// judge returns what is wrong with what was heard of the events 1 to n.
func judge(heard []string, n int) string {
	next, gap := 1, false
	for _, kind := range heard {
		if kind == typeGap {
			gap = true
			continue
		}
		var at int
		if _, err := fmt.Sscan(kind, &at); err != nil || at < next {
			return fmt.Sprintf("heard %v: %s is double or out of order", heard, kind)
		}
		if at > next && !gap {
			return fmt.Sprintf("heard %v: %d was left out without a word", heard, next)
		}
		next, gap = at+1, false
	}
	if next <= n && !gap {
		return fmt.Sprintf("heard %v of %d events: the last are missing without a word", heard, n)
	}
	return ""
}
