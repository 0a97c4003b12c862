package loadtest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/usefloww/flowwd/internal/apptest"
)

// Count is what became of all events in the end.
type Count struct {
	// Sent and Acknowledged count events, Refused the answers that asked to
	// send one again later.
	Sent, Acknowledged, Refused int
	// Completed counts executions, Rerun those of them that were interrupted,
	// Retried those that failed first, TimedOut those that took too long, where a
	// test makes them.
	Completed, Rerun, Retried, TimedOut int
	// Lost are acknowledged events without exactly one execution that completed
	// with their number; Doubled are second executions and second ends.
	Lost, Doubled int
	// Deployments that were sent, and those of them that were acknowledged.
	Deployments, AcknowledgedDeployments int
}

// String is the line that the tests print.
func (c Count) String() string {
	return fmt.Sprintf("%d sent, %d acknowledged, %d completed, %d re-run, %d retried, %d lost, %d doubled (%d refused, %d timed out; %d of %d deployments acknowledged)",
		c.Sent, c.Acknowledged, c.Completed, c.Rerun, c.Retried, c.Lost, c.Doubled, c.Refused, c.TimedOut, c.AcknowledgedDeployments, c.Deployments)
}

// Whole fails the test when an event was lost or doubled.
func (c Count) Whole(t testing.TB) {
	t.Helper()
	if c.Lost != 0 || c.Doubled != 0 {
		t.Errorf("%d events were lost and %d doubled, want none", c.Lost, c.Doubled)
	}
}

// Count waits until every execution has ended and returns the account. It fails
// the test for each event that was lost or doubled. The load must have been
// stopped.
func (l *Load) Count(t testing.TB, c *apptest.Client) Count {
	t.Helper()
	// Events without an answer may have been stored, so the sent ones bound what
	// there is to run.
	within := time.Minute + time.Duration(len(l.events.numbered))*20*time.Millisecond
	all, total := l.ended(t, c, within)
	unable, _ := readAll(t, c, l.workflowID, "no_deployment")
	l.endings.note(t, all)
	count := Count{
		Sent: len(l.events.numbered), Acknowledged: len(l.events.answered), Refused: l.events.refused,
		Deployments: l.deployments.sent, AcknowledgedDeployments: l.deployments.count(),
		Doubled: l.events.disagreed + l.endings.changed,
	}
	// Ends are counted in the unit that stores them, so a second one shows.
	if total != len(all) {
		t.Errorf("%d executions are listed, but %d were counted when they ended", len(all), total)
		count.Doubled += max(total-len(all), 0)
	}
	l.settle(t, &count, append(all, unable...), readOutcomes(t, c, all))
	return count
}

// ended waits until every execution has ended and returns them all.
func (l *Load) ended(t testing.TB, c *apptest.Client, within time.Duration) (all []listed, total int) {
	t.Helper()
	var left []listed
	defer func() {
		if len(left) > 0 {
			t.Logf("%d executions have not ended, such as %+v", len(left), left[0])
		}
	}()
	apptest.Until(t, within, "the end of all executions", func() bool {
		left = append(readPage(t, c, l.workflowID, "received", 0).Executions, readPage(t, c, l.workflowID, "started", 0).Executions...)
		if len(left) > 0 {
			return false
		}
		// One may have gone from the one state to the other between two answers.
		all, total = readAll(t, c, l.workflowID, "")
		left = slices.DeleteFunc(slices.Clone(all), listed.final)
		return len(left) == 0
	})
	return all, total
}

// settle compares the executions with what was sent.
func (l *Load) settle(t testing.TB, count *Count, all []listed, outcomes map[string]outcome) {
	t.Helper()
	completed := map[int]string{} // executions by number
	timedOut := map[string]bool{} // by id, for what ends so has no number
	versions := l.versions(t, all, outcomes)
	for _, e := range all {
		if e.Interruptions > 0 {
			count.Rerun++
		}
		if e.Retries > 0 {
			count.Retried++
		}
		got, ok := outcomes[e.ID]
		if !ok && l.options.Timeouts && e.Status == "timeout" {
			count.TimedOut++
			timedOut[e.ID] = true
			continue
		}
		if !ok {
			// Acknowledged or not: the code that runs can't fail by itself.
			t.Errorf("execution %s is %s after attempt %d: %s", e.ID, e.Status, e.Attempt, e.ErrorMessage)
			continue
		}
		count.Completed++
		sent := l.events.numbered[got.N]
		if sent == nil || got.Size != sent.size || versions[got.Version] != e.DeploymentID {
			t.Errorf("execution %s of deployment %s completed with %+v, which is not what was sent", e.ID, e.DeploymentID, got)
			continue
		}
		if first, twice := completed[got.N]; twice {
			count.Doubled++
			t.Errorf("event %d is in two executions, %s and %s", got.N, first, e.ID)
		}
		if l.options.Timeouts && got.N%failing != 0 && e.Retries == 1 {
			count.TimedOut++ // its first attempt did, and the second went well
		}
		if !e.attemptsAddUp(got.N, l.options.Timeouts) {
			t.Errorf("event %d ran %d times with %d interruptions and %d retries", got.N, e.Attempt, e.Interruptions, e.Retries)
		}
		completed[got.N] = e.ID
	}
	for _, e := range l.events.answered {
		if completed[e.n] != e.id && !timedOut[e.id] {
			count.Lost++
			t.Errorf("event %d was acknowledged as execution %s and is completed in %q", e.n, e.id, completed[e.n])
		}
	}
}

// attemptsAddUp reports whether a completed execution was attempted as often as
// it should: again after each interruption, and once after a first attempt that
// fails by its number or, where runs time out, for that.
func (e listed) attemptsAddUp(n int, timeouts bool) bool {
	fails := n%failing == 0
	return e.Attempt == 1+e.Interruptions+e.Retries && (e.Retries == 0 || (fails || timeouts) && e.Retries == 1) && (!fails || e.Attempt > 1)
}

// versions returns the deployment of each version that ran or was acknowledged,
// and fails the test when a version ran under two of them.
func (l *Load) versions(t testing.TB, all []listed, outcomes map[string]outcome) map[int]string {
	t.Helper()
	versions := map[int]string{}
	for version, id := range l.deployments.acknowledged {
		versions[version] = id
	}
	for _, e := range all {
		got, ok := outcomes[e.ID]
		if !ok {
			continue
		}
		if _, known := versions[got.Version]; !known {
			versions[got.Version] = e.DeploymentID
		}
	}
	return versions
}
