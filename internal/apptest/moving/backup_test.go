package moving

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
)

// A backup that is made under load holds every event that was acknowledged
// before it began. Restored into a new folder, each of them ends once.
func TestBackupUnderLoadLosesNothing(t *testing.T) {
	t.Parallel()
	dir := apptest.DataDir(t)
	key := apptest.CreateKey(t, dir)
	p := serve(t, dir, key, "--runners", "4")
	d := p.Deploy(t, "busy", apptest.Handler(handler))
	slow := p.Deploy(t, "slow", apptest.Handler(`await new Promise((r) => setTimeout(r, 10000));`))
	load := startTraffic(p.Client, d.Webhooks["POST in"])
	load.until(t, 250)
	// Short runs may all have just ended when the backup begins; this one has not.
	long := slow.Send(t, `{}`)
	apptest.Until(t, 60*time.Second, "the long run", func() bool { return p.Execution(t, long).Status == "started" })

	file := filepath.Join(t.TempDir(), "backup")
	before := load.sofar()
	t.Log(do(t, dir, "backup", file))
	during := len(load.sofar()) - len(before)
	load.until(t, len(before)+50)
	load.end(t)
	p.Kill(t)

	restored := apptest.DataDir(t)
	t.Log(do(t, restored, "restore", file))
	if out, err := try(t, restored, "doctor"); err != nil {
		t.Errorf("a restored installation has problems: %s", out)
	}
	p = serve(t, restored, key)
	waiting := p.JSON(t, http.StatusOK, "GET", "/api/executions/workflows/"+d.WorkflowID+"?limit=1&status=received", nil)["total"].(float64)
	total, rerun := settle(t, p.Client, d.WorkflowID, before)
	if e := p.Ended(t, long); e.Status != "completed" {
		t.Errorf("the long run is %s: %s", e.Status, e.ErrorMessage)
	} else if e.Attempt > 1 {
		rerun++
	}
	fmt.Printf("%s: %d acknowledged before the backup and %d while it ran: %d in it, %.0f of them waiting after the start, %d run again, 0 lost\n",
		t.Name(), len(before), during, total, waiting, rerun)
	if total < len(before) || total > len(before)+during+senders {
		t.Errorf("%d executions are restored, want %d to %d", total, len(before), len(before)+during+senders)
	}
	if rerun == 0 || waiting == 0 {
		t.Errorf("%d runs were under way and %.0f waited, so the test has shown nothing", rerun, waiting)
	}
	// The installation goes on as it was: its address takes events.
	if r := p.Anonymous().Do(t, "POST", d.Webhooks["POST in"], `{"n":1,"text":""}`); r.Status != http.StatusOK {
		t.Errorf("a webhook of a restored installation answers %s", r)
	}
}

// idle makes an installation with so many events that a restore takes a while,
// and a backup of it.
func idle(t *testing.T) (file, workflow, key string, acknowledged map[int]string) {
	t.Helper()
	dir := apptest.DataDir(t)
	key = apptest.CreateKey(t, dir)
	p := serve(t, dir, key)
	d := p.Deploy(t, "idle", apptest.Handler(`return { n: event.body.n, size: event.body.text.length };`))
	load := startTraffic(p.Client, d.Webhooks["POST in"])
	load.until(t, 600)
	load.end(t)
	file = filepath.Join(t.TempDir(), "backup")
	do(t, dir, "backup", file)
	p.Terminate(t)
	return file, d.WorkflowID, key, load.acknowledged
}

// However a restore is killed, no server starts on what it has left, and it can
// be run again.
func TestKilledRestoreStartsAnew(t *testing.T) {
	t.Parallel()
	file, workflow, key, acknowledged := idle(t)
	begun := time.Now()
	do(t, apptest.DataDir(t), "restore", file)
	whole := time.Since(begun)

	const enough, steps = 4, 10
	unfinished, rounds := 0, 0
	for round := 0; unfinished < enough && round < 5*steps; round++ {
		rounds++
		dir := apptest.DataDir(t)
		c := command(t, dir, "restore", file)
		begun := time.Now()
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		killed := time.AfterFunc(whole*time.Duration(round%steps+1)/steps, func() { _ = c.Process.Kill() })
		finished := c.Wait() == nil
		killed.Stop()
		if finished {
			// The machine may have been busier when the first one was measured.
			whole = min(whole, time.Since(begun))
		}

		complaint, err := try(t, dir, "doctor")
		switch {
		case finished && err != nil:
			t.Errorf("round %d: the restore has ended, and doctor says %s", round, complaint)
		case !finished && strings.Contains(complaint, "the database is not complete: filling it (by a restore of "):
			unfinished++
			if _, err := try(t, dir, "serve"); err == nil || !strings.Contains(err.Error(), "the database is not complete") {
				t.Errorf("round %d: a server on what a killed restore has left: %v", round, err)
			}
		}
		// One that was killed in its last moment has made the installation.
		_, err = try(t, dir, "restore", file)
		if err != nil && (finished || complaint == "") {
			if !strings.Contains(err.Error(), "holds data already") {
				t.Errorf("round %d: a second restore into the same place: %v", round, err)
			}
			err = nil
		}
		if err != nil {
			t.Errorf("round %d: a killed restore can't be run again: %v", round, err)
			continue
		}
		if unfinished < enough {
			continue
		}
		p := serve(t, dir, key)
		if total, _ := settle(t, p.Client, workflow, acknowledged); total != len(acknowledged) {
			t.Errorf("round %d: %d executions are restored, want %d", round, total, len(acknowledged))
		}
		p.Terminate(t)
	}
	t.Logf("%d of %d restores, which take %v, were killed while they filled the database", unfinished, rounds, whole)
	if unfinished < enough {
		t.Error("so few restores were killed in the middle that the test has shown nothing")
	}
}

// A file that was damaged anywhere is refused before anything is made of it.
func TestDamagedBackupsAreRefused(t *testing.T) {
	t.Parallel()
	dir := apptest.DataDir(t)
	apptest.CreateKey(t, dir)
	serve(t, dir, "").Terminate(t)
	file := filepath.Join(t.TempDir(), "backup")
	do(t, dir, "backup", file)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, damage := range []struct {
		name   string
		change func([]byte) []byte
	}{
		{"begin", func(b []byte) []byte { b[20] ^= 1; return b }},
		{"middle", func(b []byte) []byte { b[len(b)/2] ^= 0x10; return b }},
		{"end", func(b []byte) []byte { b[len(b)-3] ^= 0x80; return b }},
		{"cut", func(b []byte) []byte { return b[:len(b)*3/4] }},
		{"longer", func(b []byte) []byte { return append(b, "more"...) }},
	} {
		broken := filepath.Join(t.TempDir(), damage.name)
		if err := os.WriteFile(broken, damage.change(append([]byte(nil), whole...)), 0o600); err != nil {
			t.Fatal(err)
		}
		into := apptest.DataDir(t)
		for _, arguments := range [][]string{{"backup", "--check", broken}, {"restore", broken}} {
			_, err := try(t, into, arguments...)
			if err == nil || !strings.Contains(err.Error(), broken+": the backup is damaged: ") {
				t.Errorf("%s: %v", damage.name, err)
			}
		}
		if _, err := os.Stat(into); err == nil {
			t.Errorf("%s: a folder was made of a damaged backup", damage.name)
		}
	}
}
