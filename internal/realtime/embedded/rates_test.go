package embedded

import (
	"fmt"
	"testing"
	"time"
)

func TestRatesAreOfTheLastMinute(t *testing.T) {
	t.Parallel()
	at := time.Unix(1000, 0)
	r := rates{channels: map[string]*meter{}}
	for range 60 {
		r.published("a", 3, at)
		r.published("b", 0, at)
		at = at.Add(time.Second)
	}
	for _, c := range []struct {
		after                          time.Duration
		events, messages, a, b, nobody int
	}{
		{0, 120, 180, 60, 60, 0},
		{30 * time.Second, 60, 90, 30, 30, 0},
		{59 * time.Second, 2, 3, 1, 1, 0},
		{61 * time.Second, 0, 0, 0, 0, 0},
		{time.Hour, 0, 0, 0, 0, 0},
	} {
		now := at.Add(c.after)
		if got := fmt.Sprint(r.events.minute(now), r.messages.minute(now), r.of("a", now), r.of("b", now), r.of("c", now)); got != fmt.Sprint(c.events, c.messages, c.a, c.b, c.nobody) {
			t.Errorf("%v later the rates are %s, want %v", c.after, got, c)
		}
	}
}

func TestRatesAreKeptOfSoManyChannels(t *testing.T) {
	t.Parallel()
	at := time.Unix(1000, 0)
	r := rates{channels: map[string]*meter{}}
	for i := range maxMetered + 10 {
		r.published(fmt.Sprint(i), 1, at)
	}
	if len(r.channels) != maxMetered || r.of("0", at) != 1 || r.of(fmt.Sprint(maxMetered), at) != 0 || r.events.minute(at) != maxMetered+10 {
		t.Errorf("%d channels are counted for", len(r.channels))
	}
	at = at.Add(3 * time.Minute)
	r.published("late", 1, at)
	if len(r.channels) != 1 || r.of("late", at) != 1 {
		t.Errorf("%d channels are counted for after a pause, want 1", len(r.channels))
	}
}
