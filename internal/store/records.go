package store

import (
	"context"
	"database/sql"
	"encoding/hex"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/fault"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/records"
	"github.com/usefloww/flowwd/internal/workflow"
)

const (
	// recordsLook is how many rows a search looks at.
	recordsLook = 5_000
	// The lengths, in characters, at which texts are cut in a list and on the page
	// of a single row.
	recordsBrief, recordsLong = 200, 20_000
)

// Records implements records.Store.
func (s *Store) Records(ctx context.Context, e records.Entity, q records.Query) (records.Page, error) {
	if wanted, err := id.Parse(q.Search); err == nil {
		return s.recordsWith(ctx, e, wanted, q.Limit)
	}
	where, values, err := recordsWhere(e, q)
	if err != nil {
		return records.Page{}, err
	}
	look := q.Limit
	if q.Search != "" {
		look = recordsLook
	}
	var page records.Page
	err = s.read(ctx, "list "+e.Table, func(v *view) error {
		page = records.Page{}
		looked, last := 0, ""
		err := v.each(`SELECT `+recordColumns(e, recordsBrief)+` FROM `+e.Table+` t WHERE `+where+` ORDER BY `+recordKey(e, " DESC")+` LIMIT ?`,
			append(values, look+1), func(scan scanner) error {
				if len(page.Rows) == q.Limit || looked == look {
					page.Next = last
					return nil // read to the end, which is near
				}
				row, err := scanRecord(e, scan)
				if err != nil {
					return err
				}
				looked++
				last = e.KeyOf(row)
				if holds(e, row, q.Search) {
					page.Rows = append(page.Rows, row)
				}
				return nil
			})
		return err
	})
	return page, err
}

// recordsWith returns rows with an id in their key or in a column that has an
// index.
func (s *Store) recordsWith(ctx context.Context, e records.Entity, wanted id.ID, limit int) (page records.Page, err error) {
	err = s.read(ctx, "look for an id in "+e.Table, func(v *view) error {
		page = records.Page{}
		seen := make(map[string]bool)
		for _, c := range e.Columns {
			if c.Kind != records.ID || !c.Indexed && c.Name != e.Key[0] {
				continue
			}
			err := v.each(`SELECT `+recordColumns(e, recordsBrief)+` FROM `+e.Table+` t WHERE t.`+c.Name+` = ? ORDER BY `+recordKey(e, " DESC")+` LIMIT ?`,
				args{edge(wanted), limit}, func(scan scanner) error {
					row, err := scanRecord(e, scan)
					if key := e.KeyOf(row); err == nil && !seen[key] && len(page.Rows) < limit {
						seen[key] = true
						page.Rows = append(page.Rows, row)
					}
					return err
				})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return page, err
}

// Record implements records.Store.
func (s *Store) Record(ctx context.Context, e records.Entity, key string) (row records.Row, err error) {
	parts, err := e.SplitKey(key)
	if err != nil {
		return nil, err
	}
	missing := fault.New(fault.NotFound, "%s not found", e.One)
	values := make(args, len(parts))
	for i, name := range e.Key {
		if values[i], err = recordValue(e, name, parts[i]); err != nil {
			return nil, missing
		}
	}
	err = s.read(ctx, "read "+e.Table, func(v *view) error {
		found := false
		err := v.each(`SELECT `+recordColumns(e, recordsLong)+` FROM `+e.Table+` t WHERE (`+recordKey(e, "")+`) = (?`+strings.Repeat(", ?", len(parts)-1)+`)`, values,
			func(scan scanner) (err error) {
				found = true
				row, err = scanRecord(e, scan)
				return err
			})
		if err == nil && !found {
			err = missing
		}
		return err
	})
	return row, err
}

// recordsWhere is the condition on rows that indexes answer. It always bounds the
// key, so that it is the key that is walked.
func recordsWhere(e records.Entity, q records.Query) (string, args, error) {
	first, _ := e.Column(e.Key[0])
	where, values := `t.`+first.Name+` >= ?`, args{lowest(first.Kind)}
	if q.Column != "" {
		value, err := recordValue(e, q.Column, q.Value)
		if err != nil {
			return "", nil, err
		}
		where += ` AND t.` + q.Column + ` = ?`
		values = append(values, value)
	}
	if q.Before != "" {
		parts, err := e.SplitKey(q.Before)
		if err != nil {
			return "", nil, fault.New(fault.Invalid, "There is no such page")
		}
		where += ` AND (` + recordKey(e, "") + `) < (?` + strings.Repeat(", ?", len(parts)-1) + `)`
		for i, name := range e.Key {
			value, err := recordValue(e, name, parts[i])
			if err != nil {
				return "", nil, fault.New(fault.Invalid, "There is no such page")
			}
			values = append(values, value)
		}
	}
	return where, values, nil
}

// lowest is the least key of a kind.
func lowest(k records.Kind) any {
	switch k {
	case records.ID:
		return edge(id.ID{})
	case records.Hash:
		return workflow.Hash{}
	case records.Integer:
		return int64(math.MinInt64)
	}
	return ""
}

// recordValue reads a value as it stands in addresses.
func recordValue(e records.Entity, name, text string) (any, error) {
	c, ok := e.Column(name)
	if !ok || !c.Indexed && !slices.Contains(e.Key, name) {
		return nil, fault.New(fault.Invalid, "%s can't be narrowed by %.40q", e.Title, name)
	}
	wrong := fault.New(fault.Invalid, "%.60q is no value of %s", text, name)
	switch c.Kind {
	case records.ID:
		parsed, err := id.Parse(text)
		if err != nil {
			return nil, wrong
		}
		return edge(parsed), nil
	case records.Hash:
		var h workflow.Hash
		if n, err := hex.Decode(h[:], []byte(text[:min(len(text), 2*len(h))])); err != nil || n != len(h) {
			return nil, wrong
		}
		return h, nil
	case records.Integer:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, wrong
		}
		return n, nil
	}
	return text, nil
}

// recordColumns are the columns of a SELECT, with long texts cut.
func recordColumns(e records.Entity, longest int) string {
	var all []string
	for _, c := range e.Shown() {
		switch c.Kind {
		case records.Text:
			all = append(all, `SUBSTR(t.`+c.Name+`, 1, `+strconv.Itoa(longest)+`)`)
		case records.Size:
			all = append(all, `OCTET_LENGTH(t.`+c.Name+`)`)
		default:
			all = append(all, `t.`+c.Name)
		}
	}
	return strings.Join(all, ", ")
}

func recordKey(e records.Entity, order string) string {
	all := make([]string, len(e.Key))
	for i, name := range e.Key {
		all[i] = `t.` + name + order
	}
	return strings.Join(all, ", ")
}

// scanRecord reads the columns of recordColumns.
func scanRecord(e records.Entity, scan scanner) (records.Row, error) {
	shown := e.Shown()
	into := make([]any, len(shown))
	for i, c := range shown {
		switch c.Kind {
		case records.ID:
			into[i] = new(id.ID)
		case records.Hash:
			into[i] = new([]byte)
		case records.Integer, records.Size:
			into[i] = new(sql.NullInt64)
		case records.Bool:
			into[i] = new(sql.NullBool)
		case records.Time:
			into[i] = new(*time.Time)
		default:
			into[i] = new(sql.NullString)
		}
	}
	read := slices.Clone(into) // what is scanned into is wrapped in place
	if err := scan(into...); err != nil {
		return nil, err
	}
	row := make(records.Row, len(shown))
	for i := range read {
		row[i] = recordShown(read[i])
	}
	return row, nil
}

// recordShown is a value as it is shown.
func recordShown(value any) records.Value {
	switch v := value.(type) {
	case *id.ID:
		return records.Value{Null: v.IsZero(), Text: v.String()}
	case *[]byte:
		return records.Value{Null: *v == nil, Text: hex.EncodeToString(*v)}
	case *sql.NullInt64:
		return records.Value{Null: !v.Valid, Text: strconv.FormatInt(v.Int64, 10)}
	case *sql.NullBool:
		text := "no"
		if v.Bool {
			text = "yes"
		}
		return records.Value{Null: !v.Valid, Text: text}
	case **time.Time:
		if *v != nil {
			return records.Value{Time: **v}
		}
	case *sql.NullString:
		return records.Value{Null: !v.Valid, Text: v.String}
	}
	return records.Value{Null: true}
}

// holds reports whether a row holds a text in one of the columns that are searched.
func holds(e records.Entity, row records.Row, wanted string) bool {
	if wanted == "" {
		return true
	}
	wanted = strings.ToLower(wanted)
	for i, c := range e.Shown() {
		if c.Found && strings.Contains(strings.ToLower(row[i].Text), wanted) {
			return true
		}
	}
	return false
}
