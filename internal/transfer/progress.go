package transfer

import "context"

// progressRows is how many rows pass between two reports.
const progressRows = 1000

// Progress is a Sink that reports how far a transfer has come.
type Progress struct {
	Next Sink
	// Report is told the table and how many of its rows have passed, now and
	// then; done says that these are all.
	Report func(table string, rows int64, done bool)

	table string
	rows  int64
}

var _ Sink = (*Progress)(nil)

// Table implements Sink.
func (p *Progress) Table(ctx context.Context, t Table) error {
	p.table, p.rows = t.Name, 0
	return p.Next.Table(ctx, t)
}

// Row implements Sink.
func (p *Progress) Row(ctx context.Context, r Row) error {
	if p.rows++; p.rows%progressRows == 0 {
		p.Report(p.table, p.rows, false)
	}
	return p.Next.Row(ctx, r)
}

// EndTable implements Sink.
func (p *Progress) EndTable(ctx context.Context) error {
	if err := p.Next.EndTable(ctx); err != nil {
		return err
	}
	p.Report(p.table, p.rows, true)
	return nil
}
