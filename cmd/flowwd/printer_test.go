package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/usefloww/flowwd/internal/client"
)

func TestLinesOfUserCodeCannotSteerTheTerminal(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := printer{out: &out}
	p.log("00000000-run-id01", client.LogLine{
		Timestamp: time.Now(), Level: "log", Message: "red \x1b[31m, bell \a, back \r, C1 \u009b, order \u202e, fine é\tü\nsecond\n",
	})
	want := `red \u001b[31m, bell \u0007, back \u000d, C1 \u009b, order \u202e, fine é` + "\tü\n" + strings.Repeat(" ", 35) + "second\n"
	_, got, _ := strings.Cut(out.String(), "log        ")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestStatesOfRuns(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.Local)
	text := func(s string) *string { return &s }
	ms := int64(12)
	tests := []struct {
		name string
		run  client.Execution
		want string
	}{
		{"waits", client.Execution{Status: "received", ReceivedAt: at, Waiting: text("slot")}, "waiting    slot\n"},
		{"starts", client.Execution{Status: "started", StartedAt: &at, Attempt: 2}, "started    attempt 2\n"},
		{"ends", client.Execution{Status: "completed", CompletedAt: &at, DurationMS: &ms, Result: []byte(`{"a":1}`)}, "completed  after 12 ms → {\"a\":1}\n"},
		{"ends without a result", client.Execution{Status: "completed", CompletedAt: &at, DurationMS: &ms, Result: []byte("null")}, "completed  after 12 ms\n"},
		{"fails", client.Execution{Status: "timeout", CompletedAt: &at, ErrorMessage: text("too slow"), ErrorStack: text("at a\nat b")},
			"timeout    too slow\n" + strings.Repeat(" ", 35) + "at a\n" + strings.Repeat(" ", 35) + "at b\n"},
		{"waits for nothing", client.Execution{Status: "received", ReceivedAt: at}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			p := printer{out: &out}
			test.run.ID = "01234567-89ab"
			p.state(test.run)
			want := test.want
			if want != "" {
				want = "03:04:05.006  567-89ab  " + want
			}
			if diff := cmp.Diff(want, out.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
