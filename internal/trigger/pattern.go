package trigger

import (
	"net/url"
	"strings"
)

// A path of a webhook is segments between slashes. One that begins with a colon
// is a parameter: any segment stands for it, under its name.

func isParam(segment string) bool { return strings.HasPrefix(segment, ":") }

// hasParams reports whether a path has parameters.
func hasParams(path string) bool { return strings.Contains(path, "/:") }

// split returns the segments of an escaped path, unescaped one by one, so that
// an escaped slash is part of a value; nil when it can't be read.
func split(escaped string) []string {
	segments := strings.Split(strings.Trim(escaped, "/"), "/")
	for i, s := range segments {
		plain, err := url.PathUnescape(s)
		if err != nil {
			return nil
		}
		segments[i] = plain
	}
	return segments
}

// match returns the values of a path's parameters; false when the segments are
// another path. An empty segment stands for no parameter.
func match(path string, segments []string) (map[string]string, bool) {
	var values map[string]string
	rest, i := strings.Trim(path, "/"), 0
	for want := range strings.SplitSeq(rest, "/") {
		if i == len(segments) {
			return nil, false
		}
		switch got := segments[i]; {
		case isParam(want) && got != "":
			if values == nil {
				values = map[string]string{}
			}
			values[want[1:]] = got
		case want != got:
			return nil, false
		}
		i++
	}
	return values, i == len(segments)
}

// before orders paths that the same segments match: one that is literal where
// the other has a parameter comes first, from left to right.
func before(a, b string) int {
	as, bs := strings.Split(a, "/"), strings.Split(b, "/")
	for i := range min(len(as), len(bs)) {
		if isParam(as[i]) != isParam(bs[i]) {
			if isParam(as[i]) {
				return 1
			}
			return -1
		}
	}
	return strings.Compare(a, b)
}

// overlap is how two paths of one workflow meet.
type overlap int

const (
	// apart: no address is both.
	apart overlap = iota
	// nested: one of them is the more exact, and is found first.
	nested
	// ambiguous: an address can be both, and neither is the more exact.
	ambiguous
	// same: whatever is one is the other.
	same
)

// meet compares two paths. The example is an address that is both.
func meet(a, b string) (how overlap, example string) {
	as, bs := strings.Split(a, "/"), strings.Split(b, "/")
	if len(as) != len(bs) {
		return apart, ""
	}
	var aExact, bExact bool
	both := make([]string, len(as))
	for i := range as {
		switch {
		case isParam(as[i]) && isParam(bs[i]):
			both[i] = "x"
		case isParam(as[i]):
			both[i], bExact = bs[i], true
		case isParam(bs[i]):
			both[i], aExact = as[i], true
		case as[i] != bs[i]:
			return apart, ""
		default:
			both[i] = as[i]
		}
	}
	example = strings.Join(both, "/")
	switch {
	case aExact && bExact:
		return ambiguous, example
	case aExact || bExact:
		return nested, example
	}
	return same, example
}
