package cron

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// drawn is a field as it is written, with the numbers that are meant by it, which
// the parser has no part in.
type drawn struct {
	text  string
	means map[int]bool
	// star says that it restricts nothing.
	star bool
}

// drawField draws a list of up to three parts.
func drawField(r *rapid.T, f field) drawn {
	d := drawn{means: map[int]bool{}}
	var parts []string
	for range rapid.SampledFrom([]int{1, 1, 1, 2, 3}).Draw(r, f.name+" parts") {
		parts = append(parts, drawPart(r, f, &d))
	}
	d.text = strings.Join(parts, ",")
	if f.max == 7 && d.means[7] {
		d.means[0] = true // both are Sunday
	}
	return d
}

func drawPart(r *rapid.T, f field, d *drawn) string {
	number := func(what string) int { return rapid.IntRange(f.min, f.max).Draw(r, f.name+" "+what) }
	low, high, step, text := f.min, f.max, 1, ""
	if f.max == 7 {
		high = 6
	}
	switch rapid.IntRange(0, 4).Draw(r, f.name) {
	case 0, 1:
		text = rapid.SampledFrom([]string{"*", "*", "?"}).Draw(r, f.name+" star")
	case 2:
		a, b := number("from"), number("to")
		low, high = min(a, b), max(a, b)
		text = spelled(r, f, low) + "-" + spelled(r, f, high)
	default:
		low = number("value")
		high = low
		text = spelled(r, f, low)
	}
	if rapid.IntRange(0, 2).Draw(r, f.name+" stepped") == 0 {
		step = rapid.IntRange(1, f.max).Draw(r, f.name+" step")
		if !strings.ContainsAny(text, "*?-") {
			high = f.max // a step without an end goes on to the last
		}
		text += "/" + strconv.Itoa(step)
	}
	d.star = d.star || strings.ContainsAny(text, "*?") && step == 1
	for n := low; n <= high; n += step {
		d.means[n] = true
	}
	return text
}

// spelled writes a number, or its name in either case.
func spelled(r *rapid.T, f field, n int) string {
	at := n - f.min
	if at >= len(f.names) || rapid.Bool().Draw(r, f.name+" by number") {
		return strconv.Itoa(n)
	}
	return rapid.SampledFrom([]string{f.names[at], strings.ToLower(f.names[at])}).Draw(r, f.name+" name")
}

// model is an expression that is asked about every single time.
type model struct {
	fields [6]drawn
	place  *time.Location
}

// names reports whether the clock shows a time that the expression names.
func (m model) names(c time.Time) bool {
	for i, n := range map[int]int{second: c.Second(), minute: c.Minute(), hour: c.Hour(), month: int(c.Month())} {
		if !m.fields[i].means[n] {
			return false
		}
	}
	date, weekday := m.fields[dayOfMonth], m.fields[dayOfWeek]
	if date.star || weekday.star {
		return date.means[c.Day()] && weekday.means[int(c.Weekday())]
	}
	return date.means[c.Day()] || weekday.means[int(c.Weekday())]
}

// times are those of a stretch, found by looking at each of them: slow, and too
// simple to be wrong. What the clock shows twice counts once, and what it leaves
// out counts when it goes on, unless the expression names every hour.
func (m model) times(from, to time.Time, unit time.Duration) (found []time.Time) {
	everyHour := len(m.fields[hour].means) == 24
	seen := map[time.Time]bool{}
	for at := from.Add(-3 * time.Hour); at.Before(from); at = at.Add(unit) {
		seen[wall(at.In(m.place))] = true
	}
	before := wall(from.Add(-unit).In(m.place))
	for at := from; at.Before(to); at = at.Add(unit) {
		shown := wall(at.In(m.place))
		named := m.names(shown)
		if !everyHour {
			named = named && !seen[shown]
			for skipped := before.Add(unit); skipped.Before(shown); skipped = skipped.Add(unit) {
				named = named || m.names(skipped)
			}
		}
		if named {
			found = append(found, at)
		}
		seen[shown], before = true, shown
	}
	return found
}

var places = []string{
	"UTC", "Europe/Berlin", "America/New_York", "America/Santiago", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca", "America/St_Johns",
}

// drawModel draws an expression with five fields, or with six.
func drawModel(t *testing.T, r *rapid.T, seconds bool) (model, string) {
	t.Helper()
	m := model{place: place(t, rapid.SampledFrom(places).Draw(r, "place"))}
	var words []string
	for i, f := range fields() {
		if i == second && !seconds {
			m.fields[i] = drawn{means: map[int]bool{0: true}}
			continue
		}
		m.fields[i] = drawField(r, f)
		words = append(words, m.fields[i].text)
	}
	return m, strings.Join(words, rapid.SampledFrom([]string{" ", "  ", "\t"}).Draw(r, "space"))
}

// compare wants the schedule to have the model's times, and no others.
func compare(r *rapid.T, m model, expression string, from, to time.Time, unit time.Duration) {
	s, err := Parse(expression, m.place)
	if err != nil {
		if !strings.Contains(err.Error(), "no month that it names has such a day") {
			r.Fatal(err)
		}
		if found := m.times(from, to, unit); len(found) > 0 {
			r.Fatalf("%v, but it names %v", err, found[0])
		}
		return
	}
	at := from.Add(-time.Second)
	for _, want := range m.times(from, to, unit) {
		next := s.Next(at)
		if !next.Equal(want) {
			r.Fatalf("%s in %s after %v: %v, want %v", expression, m.place, at.UTC(), next.UTC(), want.UTC())
		}
		// Asked at any moment between the two it is the same.
		between := at.Add(time.Duration(rapid.Int64Range(0, int64(want.Sub(at)-1)).Draw(r, "between")))
		if again := s.Next(between); !again.Equal(want) {
			r.Fatalf("%s in %s after %v: %v, want %v", expression, m.place, between.UTC(), again.UTC(), want.UTC())
		}
		at = want
	}
	if next := s.Next(at); !next.IsZero() && next.Before(to) {
		r.Fatalf("%s in %s after %v: %v, want none before %v", expression, m.place, at.UTC(), next.UTC(), to)
	}
}

// TestNextIsTheModels compares a few days around changes of clocks, leap days
// and ends of years.
func TestNextIsTheModels(t *testing.T) {
	t.Parallel()
	starts := []time.Time{
		time.Date(2026, 3, 7, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 28, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 24, 0, 0, 0, 0, time.UTC),
		time.Date(2026, 10, 31, 0, 0, 0, 0, time.UTC), time.Date(2026, 4, 4, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 3, 0, 0, 0, 0, time.UTC),
		time.Date(2026, 9, 5, 0, 0, 0, 0, time.UTC), time.Date(2028, 2, 28, 0, 0, 0, 0, time.UTC), time.Date(2026, 12, 30, 0, 0, 0, 0, time.UTC),
		time.Date(2026, 2, 14, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 21, 0, 0, 0, 0, time.UTC), time.Date(2100, 2, 27, 0, 0, 0, 0, time.UTC),
	}
	rapid.Check(t, func(r *rapid.T) {
		m, expression := drawModel(t, r, false)
		from := rapid.SampledFrom(starts).Draw(r, "start")
		compare(r, m, expression, from, from.Add(3*24*time.Hour), time.Minute)
	})
}

// TestSecondsAreTheModels does the same second by second, for the hours around a
// change of a clock: that of New York, London, Lord Howe (by half an hour) and
// none.
func TestSecondsAreTheModels(t *testing.T) {
	t.Parallel()
	changes := []time.Time{
		time.Date(2026, 3, 8, 7, 0, 0, 0, time.UTC), time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC), time.Date(2026, 3, 29, 1, 0, 0, 0, time.UTC),
		time.Date(2026, 10, 25, 1, 0, 0, 0, time.UTC), time.Date(2026, 4, 4, 15, 0, 0, 0, time.UTC), time.Date(2026, 10, 3, 15, 30, 0, 0, time.UTC),
		time.Date(2028, 2, 29, 0, 0, 0, 0, time.UTC),
	}
	rapid.Check(t, func(r *rapid.T) {
		m, expression := drawModel(t, r, true)
		change := rapid.SampledFrom(changes).Draw(r, "change")
		compare(r, m, expression, change.Add(-90*time.Minute), change.Add(90*time.Minute), time.Second)
	})
}
