package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestStatementsForManyRows(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		about, text string
		types       []string
		want        string // empty for a statement that runs alone
	}{
		{
			"rows to insert", "INSERT INTO a (x, y, z)\n\tVALUES (?, 0, ?)", []string{"uuid", "text"},
			"INSERT INTO a (x, y, z)\n\tSELECT r.p1, 0, r.p2 FROM unnest($1::uuid[], $2::text[]) AS r (p1, p2)",
		},
		{
			"rows to insert or change", "INSERT INTO a (x) VALUES (?) ON CONFLICT (x) DO NOTHING", []string{"uuid"},
			"INSERT INTO a (x) SELECT r.p1 FROM unnest($1::uuid[]) AS r (p1) ON CONFLICT (x) DO NOTHING",
		},
		{
			"rows to change", "\nUPDATE a SET x = x + ?, y = NULL WHERE z = ?", []string{"int8", "uuid"},
			"\nUPDATE a SET x = x + r.p1, y = NULL FROM unnest($1::int8[], $2::uuid[]) AS r (p1, p2) WHERE z = r.p2",
		},
		{"rows found by another query", "INSERT INTO a (x) SELECT x FROM b WHERE y = ?", nil, ""},
		{"a change that looks at other rows", "UPDATE a SET x = (SELECT max(x) FROM b) WHERE z = ?", nil, ""},
		{"a value after the row", "INSERT INTO a (x) VALUES (?) ON CONFLICT (x) DO UPDATE SET x = ?", nil, ""},
		{"a function", "SELECT pg_notify(?, ?)", nil, ""},
	} {
		a, got := alikeOf(test.text), ""
		if a != nil {
			a.write(test.types)
			got = a.text
		}
		if got != test.want {
			t.Errorf("%s: it became\n%q, want\n%q", test.about, got, test.want)
		}
	}
}

func TestStatementsRunTogether(t *testing.T) {
	t.Parallel()
	const first, second, other = `INSERT INTO a (x) VALUES (?)`, `UPDATE b SET y = y WHERE x = ?`, `DELETE FROM a WHERE x = ?`
	l := &pipelineLink{alike: map[string]*alike{first: {text: "many a"}, second: {text: "many b"}}}
	one := func(text string, value any, must int64) statement {
		return statement{text: text, values: []any{value}, must: must, alike: text != other}
	}
	large := string(make([]byte, maxAlike+1))
	got, err := l.gather(t.Context(), []statement{
		one(first, 1, 0), one(second, 1, 1), one(first, 2, 0), one(second, 2, 1),
		one(other, 3, 0),
		one(first, 4, 0), one(first, large, 0), one(first, 5, 0), one(first, nil, 0),
		{text: second, values: []any{6}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []statement{
		{text: "many a", values: []any{array{1, 2}}},
		{text: "many b", values: []any{array{1, 2}}, must: 2},
		one(other, 3, 0), one(first, 4, 0), one(first, large, 0),
		{text: "many a", values: []any{array{5, nil}}},
		{text: second, values: []any{6}},
	}
	for i := range got {
		got[i].alike = i < len(want) && want[i].alike
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(statement{})); diff != "" {
		t.Errorf("other statements are sent (-want +got):\n%s", diff)
	}
}
