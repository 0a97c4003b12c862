package store_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/usefloww/flowwd/internal/execution"
	"github.com/usefloww/flowwd/internal/id"
	"github.com/usefloww/flowwd/internal/kv"
	"github.com/usefloww/flowwd/internal/storetest"
	"github.com/usefloww/flowwd/internal/workflow"
)

// BenchmarkAcceptFinish accepts events born claimed and finishes them with
// three log lines, from several clients at once. An operation is one accept
// and one finish, both durable.
func BenchmarkAcceptFinish(b *testing.B) {
	for _, clients := range []struct {
		name string
		n    int
	}{{"1 client", 1}, {"8 clients", 8}, {"64 clients", 64}} {
		b.Run(clients.name, func(b *testing.B) { benchmarkAcceptFinish(b, clients.n) })
	}
}

func benchmarkAcceptFinish(b *testing.B, clients int) {
	w := storetest.NewWorld(b, sqlite(b))
	_, triggers := w.Deployed(w.Namespace())
	claimant := w.ID()
	acks := make([][]time.Duration, clients)
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	cpu := cpuTime(b)
	for c := range clients {
		wg.Go(func() {
			for next.Add(1) <= int64(b.N) {
				a := w.Acceptance(triggers[0])
				a.Claimant = claimant
				begin := time.Now()
				got, err := w.AcceptExecution(b.Context(), a)
				acks[c] = append(acks[c], time.Since(begin))
				if err != nil || got.Claim == nil {
					b.Errorf("accepted %+v: %v", got, err)
					return
				}
				o := w.Outcome()
				o.Logs = &execution.LogChunk{First: 1, Lines: storetest.Lines(3, w.Now())}
				if err := w.FinishExecution(b.Context(), got.Claim, o); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64((cpuTime(b)-cpu).Microseconds())/float64(b.N), "cpu-µs/run")
	all := slices.Concat(acks...)
	slices.Sort(all)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "runs/s")
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds())/1000, "ack-p99-ms")
	s := w.Stats()
	b.ReportMetric(float64(s.Units)/float64(s.Commits), "units/commit")
}

// BenchmarkPutKV stores new values of one run in one table, many at once.
func BenchmarkPutKV(b *testing.B) { benchmarkPutKV(b, sqlite(b)) }

func benchmarkPutKV(b *testing.B, open storetest.Opener) {
	const writers = 100
	w := storetest.NewWorld(b, open)
	_, triggers := w.Deployed(w.Namespace())
	a := w.Acceptance(triggers[0])
	a.Claimant = w.ID()
	got, err := w.AcceptExecution(b.Context(), a)
	if err != nil || got.Claim == nil {
		b.Fatalf("accepted %+v: %v", got, err)
	}
	run := kv.Caller{Run: kv.Run{ExecutionID: got.Claim.ExecutionID, Incarnation: got.Claim.Incarnation, Attempt: got.Claim.Attempt}}
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	cpu := cpuTime(b)
	for range writers {
		wg.Go(func() {
			for n := next.Add(1); n <= int64(b.N) && !b.Failed(); n = next.Add(1) {
				// A table has a bound.
				t := kv.Table{Store: "default", Name: fmt.Sprint("t", n/kv.MaxKeys)}
				p := kv.Put{Table: t, Key: fmt.Sprint(n), Value: json.RawMessage(`{"n":1}`), At: w.Now()}
				if _, err := w.PutKV(b.Context(), run, p); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	b.ReportMetric(float64((cpuTime(b)-cpu).Microseconds())/float64(b.N), "cpu-µs/value")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "values/s")
}

// BenchmarkObject reads an execution, as a request for one does, whose workflow is
// at the root, and one in as many folders as there can be.
func BenchmarkObject(b *testing.B) {
	for name, depth := range map[string]int{"root": 0, "deep": workflow.MaxFolderDepth} {
		b.Run(name, func(b *testing.B) {
			w := storetest.NewWorld(b, sqlite(b))
			f, triggers := w.Deployed(w.Namespace())
			w.Bury(f, depth)
			run := w.Accept(triggers[0])
			for b.Loop() {
				e, err := w.Execution(b.Context(), []id.ID{f.OrganizationID}, run)
				if err != nil || len(e.Folders) != depth {
					b.Fatalf("%d folders: %v", len(e.Folders), err)
				}
			}
		})
	}
}

// cpuTime is the processor time that the process has used: the figure that
// other programs on the machine disturb least.
func cpuTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
