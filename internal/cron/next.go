package cron

import (
	"math/bits"
	"time"
)

// The positions of the fields.
const (
	second = iota
	minute
	hour
	dayOfMonth
	month
	dayOfWeek
)

// Schedule is the set of times that an expression names.
type Schedule struct {
	place *time.Location
	// sets have a bit for each number that a field names.
	sets [6]uint64
	// anyDay and anyWeekday say that the field restricts nothing.
	anyDay, anyWeekday bool
	// everyHour schedules go by the real time where clocks are changed.
	everyHour bool
}

// horizon is how many years apart two times of an expression may be: the 29th
// of February is 8 years apart around some centuries.
const horizon = 9

// Next returns the first time after another; zero when there is none.
func (s *Schedule) Next(after time.Time) time.Time {
	after = after.Truncate(time.Second)
	if s.everyHour {
		return s.nextReal(after)
	}
	// Wall-clock times in order are moments in order, so that the first moment
	// that is later is the next.
	for c := wall(after.In(s.place)); ; c = c.Add(time.Second) {
		var ok bool
		if c, ok = s.civil(c); !ok {
			return time.Time{}
		}
		if at := moment(c, s.place); at.After(after) {
			return at
		}
	}
}

// nextReal goes from one period between two changes of the clock to the next.
func (s *Schedule) nextReal(after time.Time) time.Time {
	for at := after.Add(time.Second).In(s.place); ; {
		c, ok := s.civil(wall(at))
		if !ok {
			return time.Time{}
		}
		_, end := at.ZoneBounds()
		_, offset := at.Zone()
		next := c.Add(-time.Duration(offset) * time.Second)
		if end.IsZero() || next.Before(end) {
			return next
		}
		at = end.In(s.place)
	}
}

// Latest returns the last time that is not after now, when the first one that
// was missed is known: what was missed counts once.
func (s *Schedule) Latest(missed, now time.Time) time.Time {
	latest := missed
	// Look back from now, further each time, so that a long wait costs little.
	for back := time.Hour; ; back *= 8 {
		from := now.Add(-back)
		if !from.After(missed) {
			break
		}
		if n := s.Next(from); !n.IsZero() && !n.After(now) {
			latest = n
			break
		}
	}
	for n := s.Next(latest); !n.IsZero() && !n.After(now); n = s.Next(n) {
		latest = n
	}
	return latest
}

// wall is what a clock shows, written as a time in UTC.
func wall(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}

// moment is when the clock of a place shows a wall-clock time: the first time,
// where it does twice, and the moment after the gap, where it never does.
func moment(c time.Time, place *time.Location) time.Time {
	at := time.Date(c.Year(), c.Month(), c.Day(), c.Hour(), c.Minute(), c.Second(), 0, place)
	start, end := at.ZoneBounds()
	switch shown := wall(at); {
	case shown.After(c):
		return start
	case shown.Before(c):
		return end
	}
	if start.IsZero() {
		return at
	}
	_, before := start.Add(-time.Second).Zone()
	earlier := c.Add(-time.Duration(before) * time.Second)
	if earlier.Before(start) {
		return earlier.In(place)
	}
	return at
}

// civil returns the first wall-clock time from c on that the expression names.
func (s *Schedule) civil(c time.Time) (time.Time, bool) {
	last := c.Year() + horizon
	for c.Year() <= last {
		m, ok := from(s.sets[month], int(c.Month()))
		if !ok {
			c = time.Date(c.Year()+1, 1, 1, 0, 0, 0, 0, time.UTC)
			continue
		}
		if m != int(c.Month()) {
			c = time.Date(c.Year(), time.Month(m), 1, 0, 0, 0, 0, time.UTC)
		}
		if !s.day(c) {
			c = time.Date(c.Year(), c.Month(), c.Day()+1, 0, 0, 0, 0, time.UTC)
			continue
		}
		h, mi, sec, ok := s.clock(c.Hour(), c.Minute(), c.Second())
		if ok {
			return time.Date(c.Year(), c.Month(), c.Day(), h, mi, sec, 0, time.UTC), true
		}
		c = time.Date(c.Year(), c.Month(), c.Day()+1, 0, 0, 0, 0, time.UTC)
	}
	return time.Time{}, false
}

// day reports whether the expression names the day of c.
func (s *Schedule) day(c time.Time) bool {
	d := s.sets[dayOfMonth]&(1<<c.Day()) != 0
	w := s.sets[dayOfWeek]&(1<<int(c.Weekday())) != 0
	if s.anyDay || s.anyWeekday {
		return d && w
	}
	return d || w
}

// clock returns the first time of a day from the given one on.
func (s *Schedule) clock(h, m, sec int) (hh, mm, ss int, ok bool) {
	hh, ok = from(s.sets[hour], h)
	for ; ok; hh, ok = from(s.sets[hour], hh+1) {
		if hh != h {
			m, sec = 0, 0
		}
		mm, found := from(s.sets[minute], m)
		for ; found; mm, found = from(s.sets[minute], mm+1) {
			if hh != h || mm != m {
				sec = 0
			}
			if ss, found := from(s.sets[second], sec); found {
				return hh, mm, ss, true
			}
		}
	}
	return 0, 0, 0, false
}

// from returns the smallest number of a set that is not below n.
func from(set uint64, n int) (int, bool) {
	if n > 63 {
		return 0, false
	}
	rest := set >> n << n
	return bits.TrailingZeros64(rest), rest != 0
}
