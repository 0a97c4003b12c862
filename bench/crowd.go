package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/transfer"
)

// crowd makes a backup of an installation with many workflows and executions of
// one with a few: each row of those stands for many, under other ids, names and
// times. Restoring it is far faster than doing all that once was done.
type crowd struct {
	workflows, executions int
	// busiest is how many of the executions are of the first workflow.
	busiest int
	// until is when the newest execution was received, over how long they came.
	until time.Time
	over  time.Duration

	tables []crowdTable
	// templates are the workflows that there are, in their order, each with the
	// executions that it had.
	templates []template
	events    map[id.ID]id.ID // by execution
}

type template struct {
	id   id.ID
	runs []templateRun
}

type templateRun struct {
	id       id.ID
	received int64
	state    string
	duration int64
}

type crowdTable struct {
	transfer.Table
	rows []transfer.Row
}

var _ transfer.Sink = (*crowd)(nil)

// Table implements transfer.Sink.
func (c *crowd) Table(_ context.Context, t transfer.Table) error {
	c.tables = append(c.tables, crowdTable{Table: t})
	return nil
}

// Row implements transfer.Sink.
func (c *crowd) Row(_ context.Context, r transfer.Row) error {
	t := &c.tables[len(c.tables)-1]
	t.rows = append(t.rows, cloneRow(r))
	return nil
}

// EndTable implements transfer.Sink.
func (c *crowd) EndTable(context.Context) error { return nil }

func cloneRow(r transfer.Row) transfer.Row {
	out := slices.Clone(r)
	for i := range out {
		out[i].Bytes = bytes.Clone(out[i].Bytes)
	}
	return out
}

// copyBackup reads one backup and writes that of the crowd.
func (c *crowd) copyBackup(ctx context.Context, from, to string) error {
	file, err := os.Open(from)
	if err != nil {
		return err
	}
	defer file.Close()
	r, err := transfer.NewReader(file)
	if err != nil {
		return err
	}
	defer r.Close()
	if _, err := r.Send(ctx, c); err != nil {
		return err
	}
	if err := c.readTemplates(); err != nil {
		return err
	}
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer out.Close()
	w, err := transfer.NewWriter(out, r.Header(), r.Keys())
	if err != nil {
		return err
	}
	for _, t := range c.tables {
		if err := c.write(ctx, t, w); err != nil {
			w.Abandon()
			return fmt.Errorf("table %s: %w", t.Name, err)
		}
	}
	if _, err := w.Finish(); err != nil {
		return err
	}
	return out.Close()
}

func (c *crowd) table(name string) crowdTable {
	i := slices.IndexFunc(c.tables, func(t crowdTable) bool { return t.Name == name })
	return c.tables[i]
}

// column is the place of a column; -1 when there is none.
func (t crowdTable) column(name string) int {
	return slices.IndexFunc(t.Columns, func(c transfer.Column) bool { return c.Name == name })
}

func (t crowdTable) id(r transfer.Row, column string) id.ID { return id.ID(r[t.column(column)].Bytes) }

func (c *crowd) readTemplates() error {
	c.events = map[id.ID]id.ID{}
	at := map[id.ID]int{}
	workflows := c.table("workflows")
	for i, r := range workflows.rows {
		x := workflows.id(r, "id")
		at[x] = i
		c.templates = append(c.templates, template{id: x})
	}
	executions := c.table("executions")
	for _, r := range executions.rows {
		run := templateRun{
			id: executions.id(r, "id"), received: r[executions.column("received_at")].Int,
			state: string(r[executions.column("state")].Bytes), duration: r[executions.column("duration_ms")].Int,
		}
		t := &c.templates[at[executions.id(r, "workflow_id")]]
		t.runs = append(t.runs, run)
		c.events[executions.id(r, "event_id")] = run.id
	}
	for _, t := range c.templates {
		if len(t.runs) == 0 {
			return fmt.Errorf("workflow %s has no executions", t.id)
		}
	}
	if c.workflows%len(c.templates) != 0 {
		return fmt.Errorf("%d workflows can't be made of %d", c.workflows, len(c.templates))
	}
	return nil
}

// write writes what a table becomes.
func (c *crowd) write(ctx context.Context, t crowdTable, to transfer.Sink) error {
	if err := to.Table(ctx, t.Table); err != nil {
		return err
	}
	var err error
	switch t.Name {
	case "executions", "events", "attempts", "log_chunks":
		err = c.writeRuns(ctx, t, to)
	case "daily_totals", "hourly_totals":
		err = c.writeTotals(ctx, t, to)
	case "namespace_totals":
		err = c.writeNamespaceTotals(ctx, t, to)
	default:
		for _, r := range c.multiplied(t) {
			if err = to.Row(ctx, r); err != nil {
				break
			}
		}
	}
	if err != nil {
		return err
	}
	return to.EndTable(ctx)
}

// own are the columns that name what each workflow has of its own.
func (t crowdTable) own(column string) bool {
	switch column {
	case "id":
		return t.Name == "workflows" || t.column("workflow_id") >= 0
	case "workflow_id", "deployment_id", "active_deployment_id", "trigger_id", "session_id":
		return true
	}
	return false
}

// multiplied returns the rows of a table, those of workflows once for each copy,
// in the order of the primary key.
func (c *crowd) multiplied(t crowdTable) (all []transfer.Row) {
	var own []int
	for i, column := range t.Columns {
		if t.own(column.Name) {
			own = append(own, i)
		}
	}
	if len(own) == 0 {
		return t.rows
	}
	for _, r := range t.rows {
		for n := range c.workflows / len(c.templates) {
			x := cloneRow(r)
			for _, i := range own {
				if !x[i].Null {
					x[i].Bytes = copyOf(id.ID(x[i].Bytes), n)
				}
			}
			t.rename(x, r, n)
			all = append(all, x)
		}
	}
	// The primary key begins with the id, or else with what the row belongs to.
	key := []string{"id"}
	if t.column("id") < 0 {
		key = []string{"namespace_id", "provider", "alias", "deployment_id", "session_id", "table_id", "trigger_id", "workflow_id", "kind"}
	}
	slices.SortFunc(all, func(a, b transfer.Row) int {
		for _, name := range key {
			if i := t.column(name); i >= 0 {
				if d := bytes.Compare(a[i].Bytes, b[i].Bytes); d != 0 {
					return d
				}
			}
		}
		return 0
	})
	return all
}

// rename makes unique what must be.
func (t crowdTable) rename(x, of transfer.Row, n int) {
	for i, column := range t.Columns {
		switch {
		case t.Name == "workflows" && (column.Name == "name" || column.Name == "name_folded"):
			x[i].Bytes = fmt.Appendf(x[i].Bytes, " %d", n)
		case t.Name == "webhooks" && column.Name == "path":
			workflow := t.id(of, "workflow_id")
			x[i].Bytes = []byte(strings.Replace(string(x[i].Bytes), workflow.String(), id.ID(copyOf(workflow, n)).String(), 1))
		}
	}
}

// copyOf is the id of what is the n-th copy of something.
func copyOf(x id.ID, n int) []byte {
	low := binary.BigEndian.Uint64(x[8:])
	binary.BigEndian.PutUint64(x[8:], low^uint64(n))
	return x[:]
}

// planned is one execution of the crowd.
type planned struct {
	i int
	// template and n say whose it is, and run what it looks like.
	template, n int
	run         templateRun
	at          time.Time
}

// plan says what the executions are, in the order of their times.
func (c *crowd) plan(each func(planned) error) error {
	for i := range c.executions {
		p := planned{i: i, at: c.until.Add(-c.over + c.over/time.Duration(c.executions)*time.Duration(i)).Truncate(time.Millisecond)}
		w := i % c.workflows
		if i%(c.executions/c.busiest) == 0 {
			w = 0
		}
		p.template, p.n = w%len(c.templates), w/len(c.templates)
		runs := c.templates[p.template].runs
		p.run = runs[i/c.workflows%len(runs)]
		if err := each(p); err != nil {
			return err
		}
	}
	return nil
}

// id is that of an execution or, with another kind, of its event.
func (p planned) id(kind byte) []byte {
	var x id.ID
	binary.BigEndian.PutUint64(x[:8], uint64(p.at.UnixMilli())<<16|uint64(kind))
	binary.BigEndian.PutUint64(x[8:], uint64(p.i))
	return x[:]
}

// The kinds of ids.
const (
	ofExecution byte = iota
	ofEvent
)

// writeRuns writes rows of executions, each after one of a template.
func (c *crowd) writeRuns(ctx context.Context, t crowdTable, to transfer.Sink) error {
	of := map[id.ID][]transfer.Row{}
	for _, r := range t.rows {
		var x id.ID
		switch t.Name {
		case "executions":
			x = t.id(r, "id")
		case "events":
			x = c.events[t.id(r, "id")]
		default:
			x = t.id(r, "execution_id")
		}
		of[x] = append(of[x], r)
	}
	return c.plan(func(p planned) error {
		for _, r := range of[p.run.id] {
			if err := to.Row(ctx, t.ran(r, p)); err != nil {
				return err
			}
		}
		return nil
	})
}

// ran is a row of an execution.
func (t crowdTable) ran(r transfer.Row, p planned) transfer.Row {
	x := slices.Clone(r)
	for i, column := range t.Columns {
		switch {
		case x[i].Null:
		case column.Kind == transfer.Time:
			x[i].Int += p.at.UnixMilli() - p.run.received
		case column.Name == "execution_id" || column.Name == "id" && t.Name == "executions":
			x[i].Bytes = p.id(ofExecution)
		case column.Name == "event_id" || column.Name == "id":
			x[i].Bytes = p.id(ofEvent)
		case t.own(column.Name):
			x[i].Bytes = copyOf(id.ID(x[i].Bytes), p.n)
		}
	}
	return x
}

// totalOf is a row of the totals: of a day, or of an hour and a step.
type totalOf struct {
	workflow id.ID
	time     int64
	state    string
	step     int64
}

// writeTotals counts the executions, as the server has done with the templates'.
func (c *crowd) writeTotals(ctx context.Context, t crowdTable, to transfer.Sink) error {
	unit, length, step := t.column("day"), int64(24*60*60), -1
	if unit < 0 {
		unit, length, step = t.column("hour"), 60*60, t.column("step")
	}
	rows := map[totalOf]transfer.Row{} // of templates
	for _, r := range t.rows {
		rows[totalOf{workflow: t.id(r, "workflow_id"), state: string(r[t.column("state")].Bytes)}] = r
	}
	type sum struct {
		count, duration int64
		like            transfer.Row
	}
	sums := map[totalOf]sum{}
	err := c.plan(func(p planned) error {
		x := c.templates[p.template].id
		like := rows[totalOf{workflow: x, state: p.run.state}]
		key := totalOf{workflow: id.ID(copyOf(x, p.n)), time: p.at.Unix() / length, state: p.run.state}
		if step >= 0 {
			key.step = like[step].Int
		}
		s := sums[key]
		s.count, s.duration, s.like = s.count+1, s.duration+p.run.duration, like
		sums[key] = s
		return nil
	})
	if err != nil {
		return err
	}
	keys := slices.SortedFunc(maps.Keys(sums), func(a, b totalOf) int {
		return cmp.Or(bytes.Compare(a.workflow[:], b.workflow[:]), cmp.Compare(a.time, b.time), cmp.Compare(a.state, b.state), cmp.Compare(a.step, b.step))
	})
	for _, key := range keys {
		s := sums[key]
		x := slices.Clone(s.like)
		x[t.column("workflow_id")].Bytes, x[unit].Int, x[t.column("count")].Int = key.workflow[:], key.time, s.count
		if i := t.column("duration_ms"); i >= 0 {
			x[i].Int, x[t.column("folded")].Int = s.duration, s.count
		}
		if err := to.Row(ctx, x); err != nil {
			return err
		}
	}
	return nil
}

// writeNamespaceTotals adds up what writeTotals counts by days.
func (c *crowd) writeNamespaceTotals(ctx context.Context, t crowdTable, to transfer.Sink) error {
	workflows := c.table("workflows")
	like := workflows.rows[0] // there is one namespace
	sums := map[totalOf]int64{}
	err := c.plan(func(p planned) error {
		sums[totalOf{time: p.at.Unix() / (24 * 60 * 60), state: p.run.state}]++
		return nil
	})
	if err != nil {
		return err
	}
	keys := slices.SortedFunc(maps.Keys(sums), func(a, b totalOf) int {
		return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.state, b.state))
	})
	for _, key := range keys {
		x := make(transfer.Row, len(t.Columns))
		for _, column := range []string{"namespace_id", "organization_id"} {
			x[t.column(column)] = like[workflows.column(column)]
		}
		x[t.column("day")].Int, x[t.column("state")].Bytes, x[t.column("count")].Int = key.time, []byte(key.state), sums[key]
		if err := to.Row(ctx, x); err != nil {
			return err
		}
	}
	return nil
}
