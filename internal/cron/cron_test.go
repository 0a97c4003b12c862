package cron

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func place(t testing.TB, name string) *time.Location {
	t.Helper()
	l, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func schedule(t testing.TB, expression, at string) *Schedule {
	t.Helper()
	s, err := Parse(expression, place(t, at))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNext(t *testing.T) {
	t.Parallel()
	const berlin, york = "Europe/Berlin", "America/New_York"
	for _, tc := range []struct{ name, expression, place, after, want string }{
		{"every minute", "* * * * *", "UTC", "2026-01-01T00:00:30Z", "2026-01-01T00:01:00Z"},
		{"never at the same moment", "0 0 * * *", "UTC", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"},
		{"seconds", "*/20 * * * * *", "UTC", "2026-01-01T00:00:41.5Z", "2026-01-01T00:01:00Z"},
		{"names", "0 9 * jan-MAR mon,WED", "UTC", "2026-03-31T00:00:00Z", "2027-01-04T09:00:00Z"},
		{"7 is Sunday", "0 0 * * 7", "UTC", "2026-11-23T00:00:00Z", "2026-11-29T00:00:00Z"},
		{"weekend by a range to 7", "0 0 * * 6-7", "UTC", "2026-11-28T00:00:00Z", "2026-11-29T00:00:00Z"},
		{"either day", "0 0 13 * 5", "UTC", "2026-11-20T00:00:00Z", "2026-11-27T00:00:00Z"},
		{"a step is a restriction", "0 0 */10 * 5", "UTC", "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z"},
		{"leap day", "0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", "2104-02-29T00:00:00Z"},
		{"from a number on", "5/25 * * * *", "UTC", "2026-01-01T00:31:00Z", "2026-01-01T00:55:00Z"},
		{"macro", "@weekly", "UTC", "2026-11-23T12:00:00Z", "2026-11-29T00:00:00Z"},
		{"a place", "0 9 * * *", berlin, "2026-07-01T00:00:00Z", "2026-07-01T07:00:00Z"},
		{"half an hour off", "0 9 * * *", "Asia/Kolkata", "2026-07-01T00:00:00Z", "2026-07-01T03:30:00Z"},
		{"a gap counts once, after it", "30 2 * * *", berlin, "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"},
		{"and then as always", "30 2 * * *", berlin, "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"},
		{"several in a gap count once", "0,15,30 2 * * *", berlin, "2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z"},
		{"a doubled time counts the first time", "30 2 * * *", berlin, "2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z"},
		{"and not the second", "30 2 * * *", berlin, "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"},
		{"asked between the two", "30 2 * * *", berlin, "2026-10-25T01:10:00Z", "2026-10-26T01:30:00Z"},
		{"every hour goes on in a gap", "30 * * * *", berlin, "2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"},
		{"every hour goes on in a doubled hour", "30 * * * *", berlin, "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"},
		{"midnight that does not exist", "0 0 * * *", "America/Santiago", "2026-09-05T12:00:00Z", "2026-09-06T04:00:00Z"},
		{"a gap in New York", "@daily", york, "2026-03-08T05:00:00Z", "2026-03-09T04:00:00Z"},
		{"half an hour's gap", "15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", "2026-10-03T15:30:00Z"},
		{"a day that was skipped", "0 12 30 12 *", "Pacific/Apia", "2011-12-29T23:00:00Z", "2011-12-30T10:00:00Z"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			after, err := time.Parse(time.RFC3339Nano, tc.after)
			if err != nil {
				t.Fatal(err)
			}
			if got := schedule(t, tc.expression, tc.place).Next(after).UTC().Format(time.RFC3339); got != tc.want {
				t.Errorf("%s in %s after %s: %s, want %s", tc.expression, tc.place, tc.after, got, tc.want)
			}
		})
	}
}

func TestMistakesHaveAPlace(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		expression string
		column     int
		says       string
	}{
		{"", 1, "it has 0 fields"},
		{"* * * *", 1, "it has 4 fields"},
		{"* * * * * * *", 1, "it has 7 fields"},
		{"60 * * * *", 1, "the minute is 60; it must be 0 to 59"},
		{"0 24 * * *", 3, "the hour is 24"},
		{"0  0 0 * *", 6, "the day of the month is 0; it must be 1 to 31"},
		{"0 0 1 13 *", 7, "the month is 13"},
		{"0 0 1 JANU *", 7, `"JANU" is no month: a number from 1 to 12 or a name from JAN to DEC`},
		{"0 0 * * 8", 9, "the day of the week is 8"},
		{"0 0 * * MON-FRY", 13, `"FRY" is no day of the week`},
		{"0 0 * * FRI-MON", 9, "the range FRI-MON is backwards"},
		{"1,2,x * * * *", 5, `"x" is no minute`},
		{"*/0 * * * *", 3, "the step of the minute"},
		{"*/x * * * *", 3, "the step of the minute"},
		{"*/99 * * * *", 3, "it must be a number from 1 to 59"},
		{"-1 * * * *", 1, `"" is no minute`},
		{"+1 * * * *", 1, `"+1" is no minute`},
		{"1- * * * *", 3, `"" is no minute`},
		{"0 0 31 2 *", 5, "no month that it names has such a day"},
		{"0 0 30,31 FEB *", 5, "no month"},
		{"@reboot", 1, "@reboot is not known"},
		{"@every 5m", 1, "it has 2 fields"},
		{strings.Repeat("1,", 150) + "1 * * * *", 1, "at most 200"},
	} {
		_, err := Parse(tc.expression, time.UTC)
		var mistake *Error
		if !errors.As(err, &mistake) || mistake.Column != tc.column || !strings.Contains(mistake.Text, tc.says) {
			t.Errorf("%q: %v, want column %d: %s", tc.expression, err, tc.column, tc.says)
		}
	}
}

// model says which minutes of a stretch of time an expression names, by looking
// at each of them: slow and too simple to be wrong.
func model(s *Schedule, from, to time.Time) (found []time.Time) {
	seen := map[time.Time]bool{}
	before := wall(from.Add(-time.Minute).In(s.place))
	for at := from.Add(-3 * time.Hour); at.Before(from); at = at.Add(time.Minute) {
		seen[wall(at.In(s.place))] = true
	}
	for at := from; at.Before(to); at = at.Add(time.Minute) {
		shown := wall(at.In(s.place))
		named := s.names(shown)
		if !s.everyHour {
			named = named && !seen[shown]
			for skipped := before.Add(time.Minute); skipped.Before(shown); skipped = skipped.Add(time.Minute) {
				named = named || s.names(skipped)
			}
		}
		if named {
			found = append(found, at)
		}
		seen[shown], before = true, shown
	}
	return found
}

// names reports whether the expression names a minute.
func (s *Schedule) names(c time.Time) bool {
	has := func(position, n int) bool { return s.sets[position]&(1<<n) != 0 }
	return has(minute, c.Minute()) && has(hour, c.Hour()) && has(month, int(c.Month())) && s.day(c)
}

var places = []string{
	"UTC", "Europe/Berlin", "America/New_York", "America/Santiago", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca", "America/St_Johns",
}

func drawField(r *rapid.T, name string, low, high int) string {
	number := func(what string) int { return rapid.IntRange(low, high).Draw(r, name+" "+what) }
	switch rapid.IntRange(0, 4).Draw(r, name) {
	case 0, 1:
		return "*"
	case 2:
		return "*/" + itoa(rapid.IntRange(1, high).Draw(r, name+" step"))
	case 3:
		a, b := number("from"), number("to")
		return itoa(min(a, b)) + "-" + itoa(max(a, b))
	default:
		return itoa(number("a")) + "," + itoa(number("b"))
	}
}

func itoa(n int) string { return strconv.Itoa(n) }

// TestNextIsTheModels compares a few days around changes of clocks, leap days
// and ends of years.
func TestNextIsTheModels(t *testing.T) {
	t.Parallel()
	starts := []time.Time{
		time.Date(2026, 3, 7, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 28, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 24, 0, 0, 0, 0, time.UTC),
		time.Date(2026, 10, 31, 0, 0, 0, 0, time.UTC), time.Date(2026, 4, 4, 0, 0, 0, 0, time.UTC), time.Date(2026, 10, 3, 0, 0, 0, 0, time.UTC),
		time.Date(2026, 9, 5, 0, 0, 0, 0, time.UTC), time.Date(2028, 2, 28, 0, 0, 0, 0, time.UTC), time.Date(2026, 12, 30, 0, 0, 0, 0, time.UTC),
		time.Date(2026, 2, 14, 0, 0, 0, 0, time.UTC), time.Date(2026, 3, 21, 0, 0, 0, 0, time.UTC),
	}
	rapid.Check(t, func(r *rapid.T) {
		expression := strings.Join([]string{
			drawField(r, "minute", 0, 59), drawField(r, "hour", 0, 23), drawField(r, "day", 1, 31), drawField(r, "month", 1, 12), drawField(r, "weekday", 0, 7),
		}, " ")
		s, err := Parse(expression, place(t, rapid.SampledFrom(places).Draw(r, "place")))
		if err != nil {
			r.Skip(err)
		}
		from := rapid.SampledFrom(starts).Draw(r, "start")
		to := from.Add(3 * 24 * time.Hour)
		at := from.Add(-time.Second)
		for _, want := range model(s, from, to) {
			next := s.Next(at)
			if !next.Equal(want) {
				r.Fatalf("%s in %s after %v: %v, want %v", expression, s.place, at.UTC(), next.UTC(), want.UTC())
			}
			// Asked at any moment between the two it is the same.
			between := at.Add(time.Duration(rapid.Int64Range(0, int64(want.Sub(at)-1)).Draw(r, "between")))
			if again := s.Next(between); !again.Equal(want) {
				r.Fatalf("%s in %s after %v: %v, want %v", expression, s.place, between.UTC(), again.UTC(), want.UTC())
			}
			at = want
		}
		if next := s.Next(at); !next.IsZero() && next.Before(to) {
			r.Fatalf("%s in %s after %v: %v, want none before %v", expression, s.place, at.UTC(), next.UTC(), to)
		}
	})
}

func TestLatest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		s := schedule(t, rapid.SampledFrom([]string{"*/7 * * * * *", "*/5 * * * *", "0 3 * * *", "0 0 1 * *", "0 0 1 1 *"}).Draw(r, "expression"), "Europe/Berlin")
		begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.Int64Range(0, 300*24*3600).Draw(r, "begin")) * time.Second)
		missed := s.Next(begin)
		now := missed.Add(time.Duration(rapid.Int64Range(0, 3*24*3600).Draw(r, "late")) * time.Second)
		latest := s.Latest(missed, now)
		if latest.Before(missed) || latest.After(now) || !s.Next(latest.Add(-time.Second)).Equal(latest) {
			r.Fatalf("latest %v of %v to %v", latest, missed, now)
		}
		if next := s.Next(latest); !next.After(now) {
			r.Fatalf("latest %v, but %v is later and not after %v", latest, next, now)
		}
	})
	// A year of a schedule of every second is skipped at once.
	s := schedule(t, "* * * * * *", "UTC")
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	if got := s.Latest(now.Add(-365*24*time.Hour), now); !got.Equal(now) {
		t.Errorf("latest %v, want %v", got, now)
	}
}

// FuzzParse wants no panic, and times that come after one another.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"* * * * *", "*/5 1-3,7 ? JAN mon", "@daily", "0 0 29 2 *", "59 59 23 31 12 7"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text, time.UTC)
		if err != nil {
			return
		}
		at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		for range 3 {
			next := s.Next(at)
			if !next.After(at) {
				t.Fatalf("%q after %v: %v", text, at, next)
			}
			at = next
		}
	})
}
