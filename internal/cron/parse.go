package cron

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // places must be known on machines that know none
)

// maxExpression bounds what is read.
const maxExpression = 200

// field is what one position of an expression may hold.
type field struct {
	name     string
	min, max int
	// names stand for the numbers from min on.
	names []string
}

var months = []string{"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"}

var days = []string{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}

// fields are those of an expression with six.
func fields() [6]field {
	return [6]field{
		{name: "second", max: 59},
		{name: "minute", max: 59},
		{name: "hour", max: 23},
		{name: "day of the month", min: 1, max: 31},
		{name: "month", min: 1, max: 12, names: months},
		{name: "day of the week", max: 7, names: days}, // 0 and 7 are Sunday
	}
}

// macro returns the fields that a word stands for; empty for no word.
func macro(word string) string {
	switch strings.ToLower(word) {
	case "@yearly", "@annually":
		return "0 0 0 1 1 *"
	case "@monthly":
		return "0 0 0 1 * *"
	case "@weekly":
		return "0 0 0 * * 0"
	case "@daily", "@midnight":
		return "0 0 0 * * *"
	case "@hourly":
		return "0 0 * * * *"
	}
	return ""
}

// Error is a mistake in an expression.
type Error struct {
	Expression string
	// Column is where the mistake is, counted from 1.
	Column int
	Text   string
}

// Error says what is wrong and where.
func (e *Error) Error() string {
	return fmt.Sprintf("cron expression %q, column %d: %s", e.Expression, e.Column, e.Text)
}

// parser reads one expression.
type parser struct{ expression string }

func (p parser) wrong(at int, format string, args ...any) *Error {
	return &Error{Expression: p.expression, Column: at + 1, Text: fmt.Sprintf(format, args...)}
}

// Parse reads an expression whose times are those of a place's clock. The error
// is an *Error.
func Parse(expression string, place *time.Location) (*Schedule, error) {
	p := parser{expression}
	if len(expression) > maxExpression {
		p.expression = expression[:40] + "…"
		return nil, p.wrong(0, "it has %d bytes; at most %d are allowed", len(expression), maxExpression)
	}
	words, at := split(expression)
	if len(words) == 1 && strings.HasPrefix(words[0], "@") {
		meaning := macro(words[0])
		if meaning == "" {
			return nil, p.wrong(at[0], "%s is not known; there are @yearly, @monthly, @weekly, @daily and @hourly", words[0])
		}
		words, at = split(meaning)
	}
	switch len(words) {
	case 5:
		words, at = append([]string{"0"}, words...), append([]int{0}, at...)
	case 6:
	default:
		return nil, p.wrong(0, "it has %d fields; there are five (minute, hour, day of the month, month, day of the week), or six with seconds first", len(words))
	}
	s := &Schedule{place: place}
	for i, f := range fields() {
		set, free, err := p.field(f, words[i], at[i])
		if err != nil {
			return nil, err
		}
		s.sets[i] = set
		switch {
		case i == dayOfMonth:
			s.anyDay = free
		case i == dayOfWeek:
			s.anyWeekday = free
		}
	}
	if s.sets[dayOfWeek]&(1<<7) != 0 {
		s.sets[dayOfWeek] |= 1
	}
	s.everyHour = s.sets[hour] == 1<<24-1
	if _, ok := s.civil(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)); !ok {
		return nil, p.wrong(at[dayOfMonth], "no month that it names has such a day")
	}
	return s, nil
}

// split returns the words of an expression and where they begin.
func split(expression string) (words []string, at []int) {
	begin := -1
	for i := 0; i <= len(expression); i++ {
		space := i == len(expression) || expression[i] == ' ' || expression[i] == '\t'
		if !space && begin < 0 {
			begin = i
		}
		if space && begin >= 0 {
			words, at, begin = append(words, expression[begin:i]), append(at, begin), -1
		}
	}
	return words, at
}

// field reads a list of ranges. Free says that the field names everything by a
// star.
func (p parser) field(f field, text string, at int) (set uint64, free bool, err error) {
	for part := range strings.SplitSeq(text, ",") {
		bits, star, err := p.part(f, part, at)
		if err != nil {
			return 0, false, err
		}
		set |= bits
		free = free || star
		at += len(part) + 1
	}
	return set, free, nil
}

// part reads "*", "a", "a-b", and each of them with "/step".
func (p parser) part(f field, text string, at int) (set uint64, star bool, err error) {
	span, steps, stepped := strings.Cut(text, "/")
	low, high := f.min, f.max
	if span != "*" && span != "?" {
		first, last, ranged := strings.Cut(span, "-")
		if low, err = p.value(f, first, at); err != nil {
			return 0, false, err
		}
		switch {
		case ranged:
			if high, err = p.value(f, last, at+len(first)+1); err != nil {
				return 0, false, err
			}
		case !stepped:
			high = low
		}
		if high < low {
			return 0, false, p.wrong(at, "the range %s is backwards", span)
		}
	} else if f.max == 7 {
		high = 6 // a star names each day once
	}
	step := 1
	if stepped {
		step, err = strconv.Atoi(steps)
		if err != nil || step < 1 || step > f.max {
			return 0, false, p.wrong(at+len(span)+1, "the step of the %s is %q; it must be a number from 1 to %d", f.name, steps, f.max)
		}
	}
	for n := low; n <= high; n += step {
		set |= 1 << n
	}
	return set, (span == "*" || span == "?") && step == 1, nil
}

func (p parser) value(f field, text string, at int) (int, error) {
	for i, name := range f.names {
		if strings.EqualFold(name, text) {
			return f.min + i, nil
		}
	}
	n, err := strconv.Atoi(text)
	switch {
	case err != nil || text[0] < '0' || text[0] > '9':
		names := ""
		if f.names != nil {
			names = fmt.Sprintf(" or a name from %s to %s", f.names[0], f.names[len(f.names)-1])
		}
		return 0, p.wrong(at, "%q is no %s: a number from %d to %d%s", text, f.name, f.min, f.max, names)
	case n < f.min || n > f.max:
		return 0, p.wrong(at, "the %s is %d; it must be %d to %d", f.name, n, f.min, f.max)
	}
	return n, nil
}
