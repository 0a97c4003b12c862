package cron

import (
	"errors"
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

// FuzzParse wants no panic, an error that says where, and times that come after
// one another.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"* * * * *", "*/5 1-3,7 ? JAN mon", "@daily", "0 0 29 2 *", "59 59 23 31 12 7"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text, time.UTC)
		if err != nil {
			var wrong *Error
			if !errors.As(err, &wrong) || wrong.Column < 1 || wrong.Column > len(text)+1 || len(wrong.Error()) > 10*maxExpression {
				t.Fatalf("%q: the error does not say where: %v", text, err)
			}
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
