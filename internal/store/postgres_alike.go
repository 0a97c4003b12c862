package store

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgtype"
)

// maxAlike is how many bytes the values of a statement may have that runs as one
// with others: a message to the server has a bound.
const maxAlike = 64 << 10

// alike is a statement about one row that can be written for many, which come as
// an array for each of its values.
type alike struct {
	before, after string // the arrays
	// text is the statement for many; empty until its types are known.
	text string
}

var (
	insertsOne = regexp.MustCompile(`(?s)^(\s*INSERT INTO [^?]+\s)VALUES \(([^()]*)\)([^?]*)$`)
	updatesOne = regexp.MustCompile(`(?s)^(\s*UPDATE .+?)(\sWHERE .*)$`)
)

// alikeOf returns nil for a statement of another sort.
func alikeOf(text string) *alike {
	if parts := insertsOne.FindStringSubmatch(text); parts != nil {
		return &alike{before: parts[1] + "SELECT " + parts[2], after: parts[3]}
	}
	if parts := updatesOne.FindStringSubmatch(text); parts != nil && !strings.Contains(text, "SELECT") {
		return &alike{before: parts[1], after: parts[2]}
	}
	return nil
}

// write writes the statement for arrays of these types.
func (a *alike) write(types []string) {
	arrays, names := make([]string, len(types)), make([]string, len(types))
	for i, t := range types {
		arrays[i], names[i] = "$"+strconv.Itoa(i+1)+"::"+t+"[]", "p"+strconv.Itoa(i+1)
	}
	text := a.before + " FROM unnest(" + strings.Join(arrays, ", ") + ") AS r (" + strings.Join(names, ", ") + ")" + a.after
	for _, name := range names {
		text = strings.Replace(text, "?", "r."+name, 1)
	}
	a.text = text
}

// group are statements that run as one.
type group struct {
	statement
	alike *alike
	rows  [][]any
}

// gather makes one of all statements that are alike. PostgreSQL gets ready anew
// with each statement to write a row: it opens all indexes of the table and reads
// its checks, which costs more than the row where there are several.
func (l *pipelineLink) gather(ctx context.Context, all []statement) ([]statement, error) {
	var groups []*group
	open := make(map[string]*group)
	for _, s := range all {
		g := &group{statement: s}
		if s.alike && s.size() <= maxAlike {
			g.alike = l.alikeOf(s.text)
		}
		switch known := open[s.text]; {
		case g.alike == nil:
			clear(open) // what follows stays behind it
		case known != nil:
			known.must += s.must
			known.rows = append(known.rows, s.values)
			continue
		default:
			g.rows = [][]any{s.values}
			open[s.text] = g
		}
		groups = append(groups, g)
	}
	gathered := make([]statement, len(groups))
	for i, g := range groups {
		if err := l.together(ctx, g); err != nil {
			return nil, g.fail(err)
		}
		gathered[i] = g.statement
	}
	return gathered, nil
}

func (l *pipelineLink) alikeOf(text string) *alike {
	a, known := l.alike[text]
	if !known {
		a = alikeOf(text)
		l.alike[text] = a
	}
	return a
}

// together makes the statement of a group the one for its rows.
func (l *pipelineLink) together(ctx context.Context, g *group) error {
	if len(g.rows) < 2 {
		return nil
	}
	if g.alike.text == "" {
		types, err := l.types(ctx, g.text)
		if err != nil {
			return err
		}
		g.alike.write(types)
	}
	columns := make([]any, len(g.values))
	for i := range columns {
		column := make(array, len(g.rows))
		for n, row := range g.rows {
			column[n] = row[i]
		}
		columns[i] = column
	}
	g.text, g.values = g.alike.text, columns
	return nil
}

// types asks the server for the types of a statement's values.
func (l *pipelineLink) types(ctx context.Context, text string) ([]string, error) {
	described, err := l.conn.Prepare(ctx, "", postgresDialect{}.numbered(text))
	if err != nil {
		return nil, err
	}
	types := make([]string, len(described.ParamOIDs))
	for i, oid := range described.ParamOIDs {
		t, known := l.conn.TypeMap().TypeForOID(oid)
		if !known {
			return nil, fmt.Errorf("value %d has the unknown type %d", i+1, oid)
		}
		types[i] = t.Name
	}
	return types, nil
}

// array is a column of values as the driver takes them, nil for NULL.
type array []any

var _ pgtype.ArrayGetter = array(nil)

// Dimensions implements pgtype.ArrayGetter.
func (a array) Dimensions() []pgtype.ArrayDimension {
	return []pgtype.ArrayDimension{{Length: int32(len(a)), LowerBound: 1}}
}

// Index implements pgtype.ArrayGetter.
func (a array) Index(i int) any { return a[i] }

// IndexType implements pgtype.ArrayGetter: each value has a type of its own.
func (a array) IndexType() any { return nil }
