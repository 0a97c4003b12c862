package route

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// tree finds routes by path and method.
type tree struct{ root node }

type node struct {
	literals map[string]*node
	wildcard *node
	// here holds the routes that end at this node, by method.
	here map[string]*leaf
	// rest holds the routes whose last segment is {name...}, by method.
	rest map[string]*leaf
}

type leaf struct {
	entry   *entry
	pattern string
	// names are those of the wildcards, in the order of the path.
	names []string
}

// match is what a search found. Without a leaf, allowed holds the methods that
// the path has, and is empty when there is no such path.
type match struct {
	leaf    *leaf
	values  []string
	allowed []string
	// slash says that the path ends in one.
	slash bool
}

// add puts a route into the tree.
func (t *tree) add(method, pattern string, e *entry) error {
	if !strings.HasPrefix(pattern, "/") || (pattern != "/" && strings.HasSuffix(pattern, "/")) || !clean(pattern) {
		return fmt.Errorf("route %s %s: a path begins with / and has no empty, . or .. segment", method, pattern)
	}
	l := &leaf{entry: e, pattern: pattern}
	n := &t.root
	for segment := range segments(pattern) {
		name, tail, wild := wildcard(segment)
		switch {
		case !wild:
			n = n.literal(segment)
			continue
		case name == "" || strings.ContainsAny(name, "{}") || slices.Contains(l.names, name):
			return fmt.Errorf("route %s %s: %s is no good name for a part of the path", method, pattern, segment)
		case tail && !strings.HasSuffix(pattern, "/"+segment):
			return fmt.Errorf("route %s %s: %s must come last", method, pattern, segment)
		}
		l.names = append(l.names, name)
		if tail {
			return put(&n.rest, method, l)
		}
		if n.wildcard == nil {
			n.wildcard = &node{}
		}
		n = n.wildcard
	}
	return put(&n.here, method, l)
}

func put(routes *map[string]*leaf, method string, l *leaf) error {
	if other, taken := (*routes)[method]; taken {
		return fmt.Errorf("route %s %s is registered already, as %s", method, l.pattern, other.pattern)
	}
	if *routes == nil {
		*routes = make(map[string]*leaf)
	}
	(*routes)[method] = l
	return nil
}

func (n *node) literal(segment string) *node {
	if n.literals == nil {
		n.literals = make(map[string]*node)
	}
	next, ok := n.literals[segment]
	if !ok {
		next = &node{}
		n.literals[segment] = next
	}
	return next
}

// find searches for an escaped path, which must be clean and must not end in a
// slash.
func (t *tree) find(method, path string) match {
	m := match{}
	t.root.find(method, strings.TrimPrefix(path, "/"), &m)
	return m
}

// find searches below n for rest, a path without its leading slash.
func (n *node) find(method, rest string, m *match) bool {
	if rest == "" {
		return n.pick(n.here, method, m) || n.pickRest(method, "", m)
	}
	escaped, next, _ := strings.Cut(rest, "/")
	segment, err := url.PathUnescape(escaped)
	if err != nil {
		return false
	}
	if child, ok := n.literals[segment]; ok && child.find(method, next, m) {
		return true
	}
	if n.wildcard != nil {
		m.values = append(m.values, segment)
		if n.wildcard.find(method, next, m) {
			return true
		}
		m.values = m.values[:len(m.values)-1]
	}
	value, err := url.PathUnescape(rest)
	return err == nil && n.pickRest(method, value, m)
}

func (n *node) pickRest(method, value string, m *match) bool {
	if n.rest == nil {
		return false
	}
	m.values = append(m.values, value)
	if n.pick(n.rest, method, m) {
		return true
	}
	m.values = m.values[:len(m.values)-1]
	return false
}

// pick takes the route for a method; HEAD is answered by GET's.
func (n *node) pick(routes map[string]*leaf, method string, m *match) bool {
	l, ok := routes[method]
	if !ok && method == http.MethodHead {
		l, ok = routes[http.MethodGet]
	}
	if ok {
		m.leaf = l
		return true
	}
	for other := range routes {
		m.allowed = append(m.allowed, other)
	}
	return false
}

// wildcard reads "{name}" and "{name...}".
func wildcard(segment string) (name string, tail, ok bool) {
	name, ok = strings.CutPrefix(segment, "{")
	if !ok {
		return "", false, false
	}
	name, ok = strings.CutSuffix(name, "}")
	name, tail = strings.CutSuffix(name, "...")
	return name, tail, ok
}

// clean reports whether a path has no empty segment and none that means "here"
// or "up".
func clean(path string) bool {
	if path == "/" {
		return true
	}
	for segment := range segments(path) {
		if segment == "" || segment == "." || segment == ".." {
			return false
		}
	}
	return true
}

// segments yields the parts between the slashes of an absolute path; "/" has
// none.
func segments(path string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		rest := strings.TrimPrefix(path, "/")
		for more := path != "/"; more; {
			var segment string
			segment, rest, more = strings.Cut(rest, "/")
			if !yield(segment) {
				return
			}
		}
	}
}
